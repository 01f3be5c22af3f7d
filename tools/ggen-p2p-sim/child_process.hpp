#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/types.h>

#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::sim_cli {

/// The path of a program, and its arguments.
using Command = std::vector<std::string>;

/// How a child ended, and what it printed.
struct ChildEnd {
  int status = 0;          ///< as waitpid() gives it
  bool timed_out = false;  ///< it was killed because its time was over
  std::string out;         ///< at most 16 MiB, from the beginning
  std::string err;         ///< at most 16 KiB, up to the end
  base::Duration wall{};   ///< from its start to its end
};

/// A process that this one started. It lives no longer than this object, nor than this process,
/// however that ends.
class ChildProcess {
 public:
  using Clock = std::chrono::steady_clock;

  /// The child has nothing on its standard input, and a process group of its own: what is typed on
  /// the terminal is for this process to deal with. It is killed after `limit`. An error is half a
  /// sentence. A program that cannot be executed is no error here: the child ends with 127.
  static std::expected<std::unique_ptr<ChildProcess>, std::string> start(const Command& command,
                                                                         base::Duration limit);
  ~ChildProcess();  ///< kills it, if it is alive
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Takes what it has printed, and kills it if its time is over. How it ended, once it has; after
  /// that, nothing may be asked any more. Does not block.
  [[nodiscard]] std::optional<ChildEnd> poll();

  friend void wait_for_any(std::span<const ChildProcess* const> children,
                           std::chrono::milliseconds time);

 private:
  ChildProcess(pid_t pid, int out, int err, base::Duration limit);

  pid_t pid_;
  int out_;  // -1: it has closed it
  int err_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point deadline_;
  ChildEnd end_;
};

/// Until one of them has printed something, closed its outputs or got too late, or a signal came;
/// at most for `time`.
void wait_for_any(std::span<const ChildProcess* const> children, std::chrono::milliseconds time);

}  // namespace ggen::p2p::sim_cli
