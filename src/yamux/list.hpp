#pragma once

#include <ggen/p2p/base/assert.hpp>

namespace ggen::p2p::yamux {

/// Makes its owner a possible member of one List.
template <class T>
struct ListHook {
  T* previous = nullptr;
  T* next = nullptr;
  bool linked = false;
};

/// A first-in first-out list through hooks in its members: joining, leaving and moving cost the
/// same wherever the member stands, and nothing is allocated. It does not own its members.
template <class T, ListHook<T> T::* kHook>
class List {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] T* front() const noexcept { return first_; }
  [[nodiscard]] static bool contains(const T& member) noexcept { return (member.*kHook).linked; }
  /// Whether the list has one member.
  [[nodiscard]] bool single() const noexcept { return first_ != nullptr && first_ == last_; }

  void push_back(T& member) noexcept {
    ListHook<T>& hook = member.*kHook;
    GGEN_INVARIANT(!hook.linked);
    hook = {last_, nullptr, true};
    (last_ == nullptr ? first_ : (last_->*kHook).next) = &member;
    last_ = &member;
  }

  void remove(T& member) noexcept {
    ListHook<T>& hook = member.*kHook;
    GGEN_INVARIANT(hook.linked);
    (hook.previous == nullptr ? first_ : (hook.previous->*kHook).next) = hook.next;
    (hook.next == nullptr ? last_ : (hook.next->*kHook).previous) = hook.previous;
    hook = {};
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace ggen::p2p::yamux
