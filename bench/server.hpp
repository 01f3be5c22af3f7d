#pragma once

#include <optional>
#include <string>

#include <asio/io_context.hpp>

#include <ggen/p2p/host/host.hpp>

namespace bench {

inline const std::string kEchoProtocol = "/ggen-bench/echo/1.0.0";
inline const std::string kRequestProtocol = "/ggen-bench/request/1.0.0";

/// What a host offers beside ping, identify and perf.
struct Services {
  std::optional<ggen::p2p::kad::Config> kad{};
  std::optional<ggen::p2p::gossipsub::Config> gossipsub{};
};

/// A host with limits that do not stand in the way of a benchmark.
[[nodiscard]] ggen::p2p::host::Host make_host(asio::io_context& loop, Services services = {});

/// Serves on loopback until the standard input ends: the host's first line is its address. Runs the
/// loop.
int serve(asio::io_context& loop, ggen::p2p::host::Host& host);
/// A host that serves the two protocols and these.
int serve(Services services = {});

}  // namespace bench
