#pragma once

#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/host/error.hpp>
#include <ggen/p2p/perf/engine.hpp>
#include <ggen/p2p/ping/engine.hpp>
#include <ggen/p2p/swarm/output.hpp>

/// The engines' typed errors as error codes and sentences for people.
namespace ggen::p2p::host {

[[nodiscard]] Failure explain(const swarm::DialFailure& failure);
[[nodiscard]] Failure explain(const swarm::event::ListenFailed& event);
[[nodiscard]] Failure explain(connection::OpenFailure failure);
[[nodiscard]] Failure explain(connection::StreamEnd end);
[[nodiscard]] Failure explain(ping::PingError error);
[[nodiscard]] Failure explain(perf::PerfError error);

}  // namespace ggen::p2p::host
