#include "span_file.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/host/host.hpp>
#include <ggen/p2p/telemetry/otlp.hpp>

namespace ggen::p2p::cli {
namespace {

// Ids must differ from those of every other node, and of every other start.
base::Prng fresh_prng() {
  std::array<std::uint8_t, 8> seed{};
  crypto::make_system_crypto()->random(seed);
  return base::Prng{base::load_big_endian<std::uint64_t>(seed.data())};
}

base::WallTime wall_at_zero() {
  const auto wall_now =
      std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
  return wall_now - host::Host::now().time_since_epoch();
}

}  // namespace

SpanFile::SpanFile(std::filesystem::path path, marketplace::UniqueFd file)
    : path_(std::move(path)), file_(std::move(file)), tracker_(fresh_prng(), wall_at_zero()) {}

Result<SpanFile> SpanFile::open(const std::filesystem::path& path) {
  marketplace::UniqueFd file{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};  // and the umask
  if (file) return SpanFile{path, std::move(file)};
  return fail(Exit::kOutput, with_errno(fmt::format("Cannot write spans to {}", path.string())),
              "Name a file in a folder that exists and is yours with --trace FILE.");
}

Result<void> SpanFile::flush(const std::string& peer_id) {
  const std::string line = take_document(peer_id);
  if (line.empty() || !file_) return {};
  return write(line);
}

Result<void> SpanFile::finish(const std::string& peer_id) {
  tracker_.stop(host::Host::now());
  return flush(peer_id);
}

// Empty when nothing has ended.
std::string SpanFile::take_document(const std::string& peer_id) {
  std::string line;
  auto span = tracker_.poll();
  if (!span) return line;
  telemetry::OtlpWriter writer{[&line](std::string_view text) { line += text; }};
  writer.begin_resource({.instance_id = peer_id});
  for (; span; span = tracker_.poll()) writer.write(*span);
  writer.finish();
  line += '\n';
  return line;
}

Result<void> SpanFile::write(std::string_view line) {
  struct stat before{};
  if (::fstat(file_.get(), &before) != 0) return give_up(with_errno("it cannot be looked at"));
  if (before.st_nlink == 0) return give_up("somebody removed it");
  for (std::size_t written = 0; written < line.size();) {
    const ssize_t size = ::write(file_.get(), line.data() + written, line.size() - written);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      const std::string why = with_errno("writing failed");
      // Half a line would make the file unreadable; of what is no file there is nothing to cut.
      [[maybe_unused]] const int ignored = ::ftruncate(file_.get(), before.st_size);
      return give_up(why);
    }
    written += static_cast<std::size_t>(size);
  }
  return {};
}

std::unexpected<Error> SpanFile::give_up(std::string_view why) {
  file_.reset();
  return fail(Exit::kOutput,
              fmt::format("No more spans are written to {}: {}", path_.string(), why));
}

}  // namespace ggen::p2p::cli
