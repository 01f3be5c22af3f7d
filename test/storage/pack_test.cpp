#include <cstring>
#include <map>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utime.h>

#include <ggen/p2p/sim/memory_storage.hpp>
#include <ggen/p2p/storage/disk_storage.hpp>
#include <ggen/p2p/storage/pack.hpp>
#include <ggen/p2p/storage/unpack.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using storage::Failure;

namespace {

constexpr std::string_view kManifest = "[package]\nname = \"a\"\nversion = \"1.0.0\"\n";

const std::string kLong = std::string(120, 'l') + "/" + std::string(120, 'o') + "/file";

using Files = std::vector<std::pair<std::string, std::string>>;

Files some_files() {
  return {{"ggen.toml", std::string(kManifest)},
          {"empty", ""},
          {"b/two", "two"},
          {"b-c", "between b and b/"},
          {"b/deep/er/file.bin", std::string(700'000, 'x')},
          {"\u00e4\u20ac/\u00fcmlaut", "name"},
          {kLong, "long"}};
}

void make_tree(const fs::path& root, Files files) {
  for (const auto& [path, text] : files) {
    fs::create_directories((root / path).parent_path());
    write_all(root / path, text);
  }
}
void make_rest(const fs::path& root) {
  fs::create_directories(root / "hollow/dir");
  ::chmod((root / "b/two").c_str(), 0755);
  fs::create_symlink("../b/two", root / "hollow/link");
  fs::create_symlink("b/deep", root / "folder-link");
  fs::create_symlink("nowhere", root / "dangling");
  fs::create_directories(root / ".git/objects");
  write_all(root / ".git/HEAD", "ref");
}

// Every path with what is there: kind, mode and contents.
std::map<std::string, std::string> listing(const fs::path& root) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = fs::relative(entry.path(), root).native();
    if (path.starts_with(".git")) continue;
    struct stat about{};
    REQUIRE(::lstat(entry.path().c_str(), &about) == 0);
    std::string what = std::to_string(about.st_mode) + ":";
    if (entry.is_symlink()) {
      what += fs::read_symlink(entry.path()).native();
    } else if (entry.is_regular_file()) {
      what += base::as_text(read_all(entry.path()));
    }
    all.emplace(fs::relative(entry.path().parent_path(), root).native() + "/" +
                    entry.path().filename().native(),
                what);
  }
  return all;
}

storage::Packed packed(const fs::path& tree, const fs::path& out) {
  auto done = storage::pack(tree, out);
  if (!done) throw std::runtime_error(done.error().message);
  return std::move(*done);
}
Failure refused(const fs::path& tree, const fs::path& out,
                const storage::ArchiveLimits& limits = {}) {
  auto done = storage::pack(tree, out, {}, limits);
  REQUIRE_FALSE(done);
  CHECK_FALSE(fs::exists(out));
  return done.error();
}

}  // namespace

TEST_CASE("a tree is the same after packing and unpacking") {
  const TempFolder temp;
  make_tree(temp / "tree", some_files());
  make_rest(temp / "tree");
  std::uint64_t last = 0;
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    CHECK(done >= last);
    CHECK(done <= total);
    last = done;
    return true;
  };
  const auto done = storage::pack(temp / "tree", temp / "out", progress);
  REQUIRE(done);
  CHECK(done->metadata.name.text() == "a");
  CHECK(done->files == some_files().size());
  CHECK(last == done->bytes);
  CHECK(done->archive.packed_size == fs::file_size(temp / "out"));
  CHECK(done->chunks.size() == done->archive.chunk_count());
  CHECK(done->archive.root == registry::merkle_root(done->chunks));

  last = 0;
  const auto back =
      storage::unpack(storage::read_file(temp / "out"), done->archive, temp / "back", progress);
  REQUIRE_MESSAGE(back, back.error().message);
  CHECK(last == done->archive.tar_size);
  CHECK(back->files == done->files);
  CHECK(back->bytes == done->bytes);
  CHECK(listing(temp / "back") == listing(temp / "tree"));
  CHECK_FALSE(fs::exists(temp / "back/.git"));
  // A folder that is empty may be the destination.
  fs::create_directory(temp / "again");
  CHECK(storage::unpack(storage::read_file(temp / "out"), done->archive, temp / "again/"));
  CHECK(listing(temp / "again") == listing(temp / "tree"));
}

TEST_CASE("the same directory gives the same bytes, wherever and whenever") {
  const TempFolder temp;
  make_tree(temp / "one", some_files());
  make_rest(temp / "one");
  const auto first = packed(temp / "one", temp / "one.out");

  auto files = some_files();
  std::ranges::reverse(files);
  const mode_t mask = ::umask(0077);
  make_tree(temp / "two", files);
  make_rest(temp / "two");
  ::umask(mask);
  for (const auto& entry : fs::recursive_directory_iterator(temp / "two")) {
    const utimbuf times{1'000'000, 1'000'000};
    if (!entry.is_symlink()) ::utime(entry.path().c_str(), &times);
    (void)::lchown(entry.path().c_str(), 1234, 4321);
  }
  ::chmod((temp / "two/empty").c_str(), 0666);
  ::chmod((temp / "two/b/two").c_str(), 04711);
  // A hard link is a file like another.
  fs::remove(temp / "two/b-c");
  write_all(temp / "other", "between b and b/");
  fs::create_hard_link(temp / "other", temp / "two/b-c");
  const auto second = packed(temp / "two", temp / "two.out");
  CHECK(first.archive == second.archive);
  CHECK(read_all(temp / "one.out") == read_all(temp / "two.out"));
  // What this tree has always given, on any machine and with any version of libarchive.
  CHECK(base::to_hex(first.archive.tar_hash) ==
        "fc4b638dcffb1bce1e654d8dd0a12a2442ebe2511d05ae0f25f7f701ce471452");
}

TEST_CASE("what no package may hold is named") {
  const TempFolder temp;
  const fs::path tree = temp / "tree";
  const fs::path out = temp / "out";
  make_tree(tree, {{"ggen.toml", std::string(kManifest)}, {"sub/file", "x"}});
  const auto link = [&](const char* target) {
    fs::create_symlink(target, tree / "sub/bad");
    const Failure failure = refused(tree, out);
    fs::remove(tree / "sub/bad");
    CHECK(failure.kind == Failure::Kind::kBadTree);
    CHECK(failure.message.find("sub/bad") != std::string::npos);
    return failure.message;
  };
  CHECK(link("/etc/passwd").find("absolute") != std::string::npos);
  CHECK(link("../../x").find("outside") != std::string::npos);
  CHECK(link("file/../../x").find("'..' follows") != std::string::npos);

  ::mkfifo((tree / "pipe").c_str(), 0600);
  CHECK(refused(tree, out).message.find("pipe") != std::string::npos);
  fs::remove(tree / "pipe");

  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, (tree / "sock").c_str());
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(refused(tree, out).message.find("it is a socket") != std::string::npos);
  ::close(socket);
  fs::remove(tree / "sock");

  for (const char* name : {"latin\xe4", "esc\x1b[31m", "new\nline", "\xc0\xaf", "\xed\xa0\x80"}) {
    write_all(tree / name, "x");
    const Failure failure = refused(tree, out);
    CHECK(failure.kind == Failure::Kind::kBadTree);
    CHECK(failure.message.find("not UTF-8, or holds control") != std::string::npos);
    CHECK(failure.message.find('\x1b') == std::string::npos);
    fs::remove(tree / name);
  }
  CHECK(refused(tree, tree / "sub/out").message.find("lies within") != std::string::npos);
  CHECK(storage::pack(tree, out));
}

TEST_CASE("packing keeps to the limits, and leaves nothing behind") {
  const TempFolder temp;
  make_tree(temp / "tree", {{"ggen.toml", std::string(kManifest)}, {"a/b/c/d", "x"}});
  CHECK(refused(temp / "tree", temp / "out", {.tar_size = 4096}).kind == Failure::Kind::kTooLarge);
  CHECK(refused(temp / "tree", temp / "out", {.entries = 4}).kind == Failure::Kind::kTooLarge);
  CHECK(refused(temp / "tree", temp / "out", {.path = 6}).kind == Failure::Kind::kBadTree);
  CHECK(refused(temp / "tree", temp / "out", {.depth = 3}).kind == Failure::Kind::kBadTree);
  CHECK(storage::pack(temp / "tree", temp / "out", {}, {.entries = 5, .path = 9, .depth = 4}));
  fs::remove(temp / "out");
  fs::remove(temp / "tree/ggen.toml");
  CHECK(refused(temp / "tree", temp / "out").kind == Failure::Kind::kBadManifest);
}

TEST_CASE("a file that changes while it is packed is an error") {
  const TempFolder temp;
  make_tree(temp / "tree", {{"a", std::string(1'000'000, 'a')},
                            {"b", std::string(1'000'000, 'b')},
                            {"ggen.toml", std::string(kManifest)}});
  const auto change = [&](auto how) {
    bool did = false;
    const auto done = storage::pack(temp / "tree", temp / "out", [&](std::uint64_t, std::uint64_t) {
      if (!std::exchange(did, true)) how();
      return true;
    });
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == Failure::Kind::kChanged);
    CHECK_FALSE(fs::exists(temp / "out"));
  };
  change([&] { write_all(temp / "tree/b", "now short"); });
  change([&] { write_all(temp / "tree/a", std::string(1'000'000, 'c')); });
  change([&] { fs::resize_file(temp / "tree/a", 2'000'000); });
  change([&] { fs::remove(temp / "tree/b"); });
}

TEST_CASE("what was packed becomes an archive of the store without a copy") {
  const TempFolder temp;
  make_tree(temp / "tree", some_files());
  const auto store = storage::DiskStorage::open(temp / "store").value();
  const fs::path file = store->scratch_folder() / "package";
  const auto done = packed(temp / "tree", file);
  struct stat before{};
  REQUIRE(::stat(file.c_str(), &before) == 0);
  // Part of it may have come from a peer before.
  value<store::Blob>(store->run(store::CreateBlob{done.archive, done.chunks}));
  REQUIRE(store->import(done.archive, done.chunks, file));
  CHECK_FALSE(fs::exists(file));
  struct stat after{};
  const std::string hex = base::to_hex(done.archive.root);
  REQUIRE(::stat((temp / "store/blobs" / (hex + ".data")).c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  CHECK_FALSE(fs::exists(temp / "store/blobs" / (hex + ".part")));
  const auto blobs = value<store::Blobs>(store->run(store::ListBlobs{})).blobs;
  REQUIRE(blobs.size() == 1);
  CHECK(blobs[0].held.is_full());
  const auto back =
      storage::unpack(storage::read_blob(*store, done.archive), done.archive, temp / "back");
  REQUIRE_MESSAGE(back, back.error().message);
  CHECK(listing(temp / "back") == listing(temp / "tree"));

  SUBCASE("and so does one from another file system") {
    const fs::path far = fs::temp_directory_path() / temp.path().filename();
    const auto again = packed(temp / "tree", far);
    value<store::Done>(store->run(store::RemoveBlob{again.archive.root}));
    REQUIRE(store->import(again.archive, again.chunks, far));
    CHECK_FALSE(fs::exists(far));
    CHECK(store->run(store::ReadChunk{again.archive.root, 0}));
  }
  SUBCASE("but not a file that is something else") {
    write_all(temp / "wrong", "short");
    CHECK_FALSE(store->import(done.archive, done.chunks, temp / "wrong"));
    CHECK_FALSE(store->import(done.archive, done.chunks, temp / "none"));
    CHECK(fs::exists(temp / "wrong"));
  }
}

TEST_CASE("unpacking from a store says what is missing or damaged") {
  const TempFolder temp;
  const TestArchive a(300'000);
  sim::MemoryStorage storage;
  const auto reason = [&] {
    const auto done =
        storage::unpack(storage::read_blob(storage, a.archive), a.archive, temp / "back");
    REQUIRE_FALSE(done);
    CHECK(fs::is_empty(temp.path()));
    return done.error().kind;
  };
  CHECK(reason() == Failure::Kind::kNotFound);
  storage.import(a.archive, a.chunks, a.packed);
  storage.damage_chunk(a.archive.root, 0);
  CHECK(reason() == Failure::Kind::kDamaged);
}
