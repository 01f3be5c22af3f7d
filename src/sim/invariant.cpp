#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/sim/invariants.hpp>

namespace ggen::p2p::sim {
namespace {

constexpr std::size_t kShown = 3;

}  // namespace

void Invariant::violate(base::Instant when, NodeIndex node, std::string what) {
  ++violated_;
  if (violations_.size() < kKept) violations_.push_back({when, node, std::move(what)});
}

Check Invariant::check() const {
  Check check{fmt::format("invariant: {}", name_), violated_ == 0, {}};
  if (violated_ == 0) {
    check.detail = looks_ == 0 ? "never came up" : fmt::format("{} {}", looks_, looked_at_);
    if (excused_ > 0) check.detail += fmt::format("; {} {}", excused_, why_excused_);
    return check;
  }
  check.detail = fmt::format("{} times", violated_);
  for (std::size_t i = 0; i < std::min(kShown, violations_.size()); ++i) {
    const Violation& one = violations_[i];
    const auto seconds = std::chrono::duration<double>(one.when.time_since_epoch()).count();
    check.detail += fmt::format("; at {:.3f} s, node {}: {}", seconds, one.node, one.what);
  }
  return check;
}

}  // namespace ggen::p2p::sim
