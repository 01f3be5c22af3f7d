#pragma once

#include <optional>
#include <string>

#include <asio/io_context.hpp>

#include <ggen/p2p/host/host.hpp>

namespace bench {

inline const std::string kEchoProtocol = "/ggen-bench/echo/1.0.0";
inline const std::string kRequestProtocol = "/ggen-bench/request/1.0.0";

/// A host with limits that do not stand in the way of a benchmark.
[[nodiscard]] ggen::p2p::host::Host make_host(
    asio::io_context& loop, std::optional<ggen::p2p::kad::Config> dht = std::nullopt);

/// Serves the two protocols and /perf/1.0.0 on loopback: prints its address, a line, and ends with
/// its standard input. With a DHT when `dht` says which.
int serve(std::optional<ggen::p2p::kad::Config> dht = std::nullopt);

}  // namespace bench
