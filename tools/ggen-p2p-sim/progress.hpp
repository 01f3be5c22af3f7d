#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <ggen/p2p/sim/world.hpp>

namespace ggen::p2p::sim_cli {

/// Shows how far a run or a sweep is, on one line of standard error that is written over and over;
/// nothing when that is no terminal.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  ProgressLine();
  ~ProgressLine();  ///< wipes the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const sim::Progress& progress);
  /// The same of anything else: `text` is asked for when it is shown.
  void show(const std::function<std::string(base::Duration wall)>& text);

 private:
  [[nodiscard]] base::Duration wall() const { return Clock::now() - started_; }
  [[nodiscard]] bool due() const;
  void write(std::string_view text);

  Clock::time_point started_ = Clock::now();
  Clock::time_point next_;
  bool shows_;
};

/// The line, `wall` after the run began.
[[nodiscard]] std::string progress_text(const sim::Progress& progress, base::Duration wall);

}  // namespace ggen::p2p::sim_cli
