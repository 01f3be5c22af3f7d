#pragma once

#include <chrono>
#include <string>

#include <ggen/p2p/sim/world.hpp>

namespace ggen::p2p::sim_cli {

/// Shows how far a run is, on one line of standard error that is written over and over; nothing
/// when that is no terminal.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  ProgressLine();
  ~ProgressLine();  ///< wipes the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const sim::Progress& progress);

 private:
  Clock::time_point started_ = Clock::now();
  Clock::time_point next_;
  bool shows_;
};

/// The line, `wall` after the run began.
[[nodiscard]] std::string progress_text(const sim::Progress& progress, base::Duration wall);

}  // namespace ggen::p2p::sim_cli
