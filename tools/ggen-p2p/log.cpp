#include "log.hpp"

#include <algorithm>
#include <cstdio>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ggen::p2p::cli {

Result<Log> Log::to_file(const std::filesystem::path& path) {
  Log log;
  log.path_ = path;
  if (!log.reopen()) {
    return fail(Exit::kHome, with_errno(fmt::format("Cannot write to {}", path.string())),
                "Check the permissions of the folder and the room on the disk.");
  }
  return log;
}

bool Log::reopen() {
  marketplace::UniqueFd file{
      ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) return false;
  struct stat info{};
  size_ = ::fstat(file.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  ::dup2(file.get(), STDOUT_FILENO);
  ::dup2(file.get(), STDERR_FILENO);
  file_ = std::move(file);
  return true;
}

void Log::line(std::string_view text) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  write(fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(seconds), text));
}

void Log::event(std::string_view text) {
  const auto now = std::chrono::steady_clock::now();
  if (last_) {
    const std::chrono::duration<double> passed = now - *last_;
    budget_ = std::min(kBurst, budget_ + passed.count() * kPerSecond);
  }
  last_ = now;
  if (budget_ < 1) {
    ++left_out_;
    return;
  }
  if (left_out_ > 0) {
    line(fmt::format("{} events left out: too many in a short time", left_out_));
    left_out_ = 0;
  }
  budget_ -= 1;
  line(text);
}

void Log::write(std::string_view text) {
  if (!path_.empty() && size_ + text.size() > kMaxFile) {
    const std::filesystem::path older = path_.string() + ".1";
    if (::rename(path_.c_str(), older.c_str()) != 0 || !reopen()) return;
  }
  size_ += text.size();
  // A log that cannot be written must not end the node: there is nobody to tell.
  const int target = path_.empty() ? STDERR_FILENO : file_.get();
  [[maybe_unused]] const ssize_t ignored = ::write(target, text.data(), text.size());
}

}  // namespace ggen::p2p::cli
