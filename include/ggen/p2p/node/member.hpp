#pragma once

#include <optional>
#include <utility>

namespace ggen::p2p::node {

/// One of a node's engines, or its place while it is not there, and whether it was given anything
/// since it was last run. One that was not has no output and the deadline that it had: a node looks
/// only at those that were, of eight that each take a dozen cache lines.
template <class Engine>
class Member {
 public:
  Member() = default;
  template <class... Args>
  explicit Member(std::in_place_t, Args&&... args) {
    emplace(std::forward<Args>(args)...);
  }

  template <class... Args>
  void emplace(Args&&... args) {
    engine_.emplace(std::forward<Args>(args)...);
    stirred_ = true;
  }
  explicit operator bool() const noexcept { return engine_.has_value(); }

  /// To give it something.
  Engine& operator*() noexcept {
    stirred_ = true;
    return *engine_;
  }
  Engine* operator->() noexcept { return &**this; }
  /// To look at it.
  [[nodiscard]] const Engine& look() const noexcept { return *engine_; }
  /// For calls of which it can neither have an output nor another deadline.
  [[nodiscard]] Engine& aside() noexcept { return *engine_; }

  /// Another engine may have given it something.
  void stir() noexcept { stirred_ = engine_.has_value(); }
  /// Whether there is something to take from it; the caller takes it.
  [[nodiscard]] bool settle() noexcept { return std::exchange(stirred_, false); }

 private:
  std::optional<Engine> engine_;
  bool stirred_ = false;
};

}  // namespace ggen::p2p::node
