#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ggen/p2p/crypto/secret.hpp>
#include <ggen/p2p/host/host.hpp>
#include <ggen/p2p/marketplace/home.hpp>
#include <ggen/p2p/marketplace/unique_fd.hpp>

#include "system_error.hpp"

namespace ggen::p2p::marketplace {
namespace {

namespace fs = std::filesystem;

// Twice the largest form of an Ed25519 key, and room to see that a file is too long.
constexpr std::size_t kMaxKeyFile = 256;

std::unexpected<Failure> bad_key(const fs::path& path, std::string_view why, std::string hint) {
  return std::unexpected(Failure{
      Reason::kKey, fmt::format("The private key {} {}", path.string(), why), std::move(hint)});
}

// Bytes of a secret: wiped when they go.
struct SecretBytes {
  explicit SecretBytes(base::Bytes b) : bytes(std::move(b)) {}
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { crypto::wipe(bytes); }
  base::Bytes bytes;
};

Result<void> check_file(const fs::path& path, const struct stat& info) {
  if (!S_ISREG(info.st_mode)) {
    return bad_key(path, "is not a file", "Move it away, and a new key is made.");
  }
  if (info.st_uid != ::geteuid()) {
    return bad_key(path, "belongs to another user", "Run ggen-p2p as that user.");
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return bad_key(path, "can be read by others",
                   fmt::format("If nobody has copied it, type: chmod 600 '{}'", path.string()));
  }
  return {};
}

bool write_all(int file, base::BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(file, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

// True when a key is there afterwards, this one or one that somebody else made meanwhile.
bool write_key(const fs::path& path, base::BytesView bytes) {
  std::string temporary = path.string() + ".XXXXXX";
  const UniqueFd file{::mkostemp(temporary.data(), O_CLOEXEC)};  // mode 0600, never an old file
  if (!file) return false;
  const bool written = write_all(file.get(), bytes) && ::fsync(file.get()) == 0;
  // A link, unlike a rename, never replaces a key.
  const bool linked = written && (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  ::unlink(temporary.c_str());
  if (linked) {
    const UniqueFd folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder) ::fsync(folder.get());
  }
  errno = error;
  return linked;
}

}  // namespace

Result<crypto::KeyPair> read_key(const fs::path& path) {
  // Without O_NONBLOCK, opening a pipe would wait for ever.
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0) {
    return bad_key(path, with_errno("cannot be read"), "Check its permissions.");
  }
  if (auto checked = check_file(path, info); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  SecretBytes secret{base::Bytes(kMaxKeyFile)};
  std::size_t size = 0;
  while (size < kMaxKeyFile) {
    const ssize_t got = ::read(file.get(), secret.bytes.data() + size, kMaxKeyFile - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return bad_key(path, with_errno("cannot be read"), "Check the disk.");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  auto key = crypto::KeyPair::decode(base::BytesView{secret.bytes}.first(size));
  if (!key) {
    return bad_key(path, fmt::format("is damaged: {}", to_string(key.error())),
                   "Restore it from a backup, or move it away, and a new one is made: then others "
                   "know you under a new id.");
  }
  return *std::move(key);
}

Result<crypto::KeyPair> read_or_make_key(const fs::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0 && errno == ENOENT) {
    const SecretBytes secret{host::generate_identity().encode()};
    if (!write_key(path, secret.bytes)) {
      return bad_key(path, with_errno("cannot be made"),
                     "Check the permissions of the folder and the room on the disk.");
    }
  }
  return read_key(path);
}

Result<Keys> read_or_make_keys(const fs::path& home, const fs::path& identity_file) {
  auto identity = read_or_make_key(home / identity_file);
  if (!identity) return std::unexpected(std::move(identity.error()));
  auto publisher = read_or_make_key(home / "publisher.key");
  if (!publisher) return std::unexpected(std::move(publisher.error()));
  auto next = read_or_make_key(home / "publisher-next.key");
  if (!next) return std::unexpected(std::move(next.error()));
  return Keys{*std::move(identity), *std::move(publisher), *std::move(next)};
}

}  // namespace ggen::p2p::marketplace
