#include "start.hpp"

#include <cerrno>
#include <cstdlib>
#include <exception>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/marketplace/unique_fd.hpp>

#include "control_protocol.hpp"
#include "run_node.hpp"

namespace ggen::p2p::cli {
namespace {

// The parent reads until the end, so that the pipe is closed at once.
void tell(marketplace::UniqueFd& pipe, const base::Buffer& frame) {
  [[maybe_unused]] const ssize_t ignored = ::write(pipe.get(), frame.data(), frame.size());
  pipe.reset();
}

[[noreturn]] void be_the_node(const Settings& settings, marketplace::UniqueFd pipe) {
  ::setsid();  // signals of the terminal are not for it
  [[maybe_unused]] const int ignored = ::chdir("/");
  const marketplace::UniqueFd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(nothing.get(), standard);
  }
  NodeOptions options;
  options.log_to_file = true;
  options.on_ready = [&pipe](const Json& started) { tell(pipe, encode_ok(started)); };
  Error error;
  try {
    const auto outcome = run_node(settings, options);
    if (outcome) std::_Exit(static_cast<int>(Exit::kOk));
    error = outcome.error();
  } catch (const std::exception& thrown) {
    error = {Exit::kFailed, fmt::format("The node failed: {}.", thrown.what())};
  }
  if (pipe) tell(pipe, encode_error(error));
  std::_Exit(static_cast<int>(error.code));
}

std::string read_all(int file) {
  std::string text;
  char block[4096];
  while (true) {
    const ssize_t size = ::read(file, block, sizeof(block));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(block, static_cast<std::size_t>(size));
  }
}

}  // namespace

std::string render_started(const Json& started) {
  std::string text = fmt::format("peer id    {}\n", started.value("peer_id", ""));
  std::string_view label = "listens on";
  for (const Json& address : started["addresses"]) {
    text += fmt::format("{:<10} {}\n", label, address.get<std::string>());
    label = "";
  }
  text += fmt::format("home       {}\n", started.value("home", ""));
  return text;
}

Result<Json> start_detached(const Settings& settings) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail(Exit::kFailed, with_errno("Cannot start a process"), "Try again.");
  }
  marketplace::UniqueFd read_end{ends[0]};
  marketplace::UniqueFd write_end{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) return fail(Exit::kFailed, with_errno("Cannot start a process"), "Try again.");
  if (child == 0) {
    read_end.reset();
    be_the_node(settings, std::move(write_end));
  }
  write_end.reset();
  const std::string text = read_all(read_end.get());
  base::Buffer data = base::Buffer::copy_of(base::as_bytes(text));
  base::FrameDecoder decoder{kMaxResponseFrame};
  const auto frame = decoder.take(data);
  if (frame && *frame) {
    auto response = decode_response((*frame)->view());
    if (response && std::holds_alternative<Result<Json>>(*response)) {
      return std::get<Result<Json>>(*std::move(response));
    }
  }
  return fail(Exit::kFailed, "The node ended before it was ready.",
              fmt::format("Look into {} for the reason.", (settings.home / "node.log").string()));
}

}  // namespace ggen::p2p::cli
