#include "progress.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace ggen::p2p::sim_cli {
namespace {

constexpr std::chrono::milliseconds kBetween{100};
// Before that an estimate would only jump about.
constexpr base::Duration kSettled = std::chrono::seconds{1};

double seconds(base::Duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

ProgressLine::ProgressLine() : next_(started_), shows_(::isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() {
  if (shows_) fmt::print(stderr, "\r\x1b[K");
}

void ProgressLine::show(const sim::Progress& progress) {
  if (due()) write(progress_text(progress, wall()));
}

void ProgressLine::show(const std::function<std::string(base::Duration wall)>& text) {
  if (due()) write(text(wall()));
}

bool ProgressLine::due() const {
  return shows_ && Clock::now() >= next_;
}

void ProgressLine::write(std::string_view text) {
  next_ = Clock::now() + kBetween;
  fmt::print(stderr, "\r\x1b[K{}", text);
  std::fflush(stderr);
}

std::string progress_text(const sim::Progress& progress, base::Duration wall) {
  std::string text = fmt::format("{}: {:.1f} s", progress.step, seconds(progress.virtual_time));
  if (progress.virtual_end > base::Duration{}) {
    text += fmt::format(" of about {:.0f} s", seconds(progress.virtual_end));
  }
  text += fmt::format(", {} up", progress.up);
  if (wall < kSettled || progress.virtual_time == base::Duration{}) return text;
  const double speed = seconds(progress.virtual_time) / seconds(wall);
  text += fmt::format(", {:.1f} times as fast as life", speed);
  // Scenarios end when what they wait for has happened, so some go on beyond the estimate.
  if (progress.virtual_end > progress.virtual_time) {
    text += fmt::format(", about {:.0f} s left",
                        seconds(progress.virtual_end - progress.virtual_time) / speed);
  }
  return text;
}

}  // namespace ggen::p2p::sim_cli
