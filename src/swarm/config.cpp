#include <algorithm>

#include <ggen/p2p/swarm/config.hpp>

namespace ggen::p2p::swarm {
namespace {

/// `part` of the default `whole`, as a share of `actual`; at least 1.
std::size_t share(std::size_t part, std::size_t whole, std::size_t actual) {
  return std::max<std::size_t>(1, actual * part / whole);
}

}  // namespace

Config::Limits Config::Limits::for_connections(std::size_t max_connections) {
  Limits limits;
  const std::size_t whole = limits.max_connections;
  limits.max_connections = std::max<std::size_t>(1, max_connections);
  limits.max_inbound = share(limits.max_inbound, whole, max_connections);
  limits.max_inbound_half_open = share(limits.max_inbound_half_open, whole, max_connections);
  return limits;
}

Config::Trimming Config::Trimming::for_connections(std::size_t max_connections) {
  Trimming trimming;
  const std::size_t whole = Limits{}.max_connections;
  trimming.high_water = share(trimming.high_water, whole, max_connections);
  trimming.low_water = share(trimming.low_water, whole, max_connections);
  return trimming;
}

}  // namespace ggen::p2p::swarm
