#include "settings.hpp"

namespace ggen::p2p::cli {

Settings::Settings() {
  listen.push_back(*multiformats::Multiaddr::parse("/ip4/0.0.0.0/tcp/4747"));
  set_connections(*this, kDefaultConnections);
}

void set_connections(Settings& settings, std::size_t count) {
  swarm::Config& swarm = settings.host.node.swarm;
  swarm.limits = swarm::Config::Limits::for_connections(count);
  swarm.trimming = [&] {
    auto trimming = swarm::Config::Trimming::for_connections(count);
    trimming.grace = swarm.trimming.grace;
    trimming.idle = swarm.trimming.idle;
    return trimming;
  }();
}

}  // namespace ggen::p2p::cli
