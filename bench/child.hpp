#pragma once

#include <sys/types.h>

#include <ggen/p2p/multiformats/multiaddr.hpp>

namespace bench {

/// A second process of this program that serves; ended with the object.
class Child {
 public:
  /// Tied to `core`, or to none when that is -1.
  explicit Child(int core);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] const ggen::p2p::multiformats::Multiaddr& address() const { return address_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  int to_child_ = -1;  // closing it ends the child
  ggen::p2p::multiformats::Multiaddr address_;
};

}  // namespace bench
