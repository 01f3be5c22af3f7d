#pragma once

#include <cstdio>
#include <string>

#include <asio/io_context.hpp>
#include <sys/types.h>

#include <ggen/p2p/host/host.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

namespace bench {

inline const std::string kEchoProtocol = "/ggen-bench/echo/1.0.0";
inline const std::string kRequestProtocol = "/ggen-bench/request/1.0.0";

/// A host with limits that do not stand in the way of a benchmark.
[[nodiscard]] ggen::p2p::host::Host make_host(asio::io_context& loop);

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
