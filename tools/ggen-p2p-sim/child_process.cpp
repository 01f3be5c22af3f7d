#include "child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ggen::p2p::sim_cli {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostOut = std::size_t{16} << 20;
constexpr std::size_t kMostErr = std::size_t{16} << 10;
// How soon it is seen that a child has ended that had closed its outputs before.
constexpr milliseconds kReaping{5};
constexpr int kNotExecuted = 127;  // as a shell says it

struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  // No other child inherits it: an end that somebody else holds would never be seen to close.
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return ::fcntl(read, F_SETFL, O_NONBLOCK) == 0;
  }
};

// In the child: only what may be called between fork() and exec().
[[noreturn]] void become(char* const* arguments, const Pipe& out, const Pipe& err, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNotExecuted);  // it has died in between
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(out.write, STDOUT_FILENO);
  ::dup2(err.write, STDERR_FILENO);
  ::execv(arguments[0], arguments);
  constexpr std::string_view kMessage = "It cannot be executed.\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  ::_exit(kNotExecuted);
}

// What is there. Closes `fd` at its end.
void take(int& fd, const std::function<void(std::string_view)>& give) {
  std::array<char, 64 * 1024> buffer;
  while (fd >= 0) {
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size > 0) {
      give({buffer.data(), static_cast<std::size_t>(size)});
    } else if (size == 0) {
      ::close(fd);
      fd = -1;
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace

std::expected<std::unique_ptr<ChildProcess>, std::string> ChildProcess::start(
    const Command& command, base::Duration limit) {
  const auto failed = [] { return std::unexpected(std::generic_category().message(errno)); };
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // execv() does not change them
  }
  arguments.push_back(nullptr);
  Pipe out;
  Pipe err;
  if (!out.open() || !err.open()) return failed();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return failed();
  if (pid == 0) become(arguments.data(), out, err, parent);
  return std::unique_ptr<ChildProcess>{
      new ChildProcess(pid, std::exchange(out.read, -1), std::exchange(err.read, -1), limit)};
}

ChildProcess::ChildProcess(pid_t pid, int out, int err, base::Duration limit)
    : pid_(pid), out_(out), err_(err), deadline_(started_ + limit) {}

ChildProcess::~ChildProcess() {
  if (out_ >= 0) ::close(out_);
  if (err_ >= 0) ::close(err_);
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ChildEnd> ChildProcess::poll() {
  take(out_, [&](std::string_view text) {
    end_.out += text.substr(0, kMostOut - std::min(kMostOut, end_.out.size()));
  });
  take(err_, [&](std::string_view text) {
    end_.err += text;
    if (end_.err.size() > kMostErr) end_.err.erase(0, end_.err.size() - kMostErr);
  });
  const auto now = Clock::now();
  if (now >= deadline_ && !end_.timed_out) {
    end_.timed_out = true;
    ::kill(pid_, SIGKILL);
  }
  if (out_ >= 0 || err_ >= 0) return std::nullopt;
  if (::waitpid(pid_, &end_.status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  end_.wall = now - started_;
  return std::move(end_);
}

void wait_for_any(std::span<const ChildProcess* const> children, milliseconds time) {
  std::vector<pollfd> open;
  const auto now = ChildProcess::Clock::now();
  for (const ChildProcess* child : children) {
    for (const int fd : {child->out_, child->err_}) {
      if (fd >= 0) open.push_back({fd, POLLIN, 0});
    }
    if (child->out_ < 0 && child->err_ < 0) time = std::min(time, kReaping);
    time = std::min(time, std::max(std::chrono::ceil<milliseconds>(child->deadline_ - now),
                                   milliseconds::zero()));
  }
  ::poll(open.data(), open.size(), static_cast<int>(time.count()));
}

}  // namespace ggen::p2p::sim_cli
