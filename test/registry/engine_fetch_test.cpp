#include "engine_network.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

OperationId fetch(EngineNetwork& net, std::size_t node, const SmallArchive& package) {
  OperationId id = 0;
  net.call(node, [&](Engine& engine) { id = engine.fetch(package.archive, {}, net.now); });
  return id;
}

bool fetched(const EngineNetwork& net, std::size_t node, OperationId id) {
  for (const auto& done : net.events<event::FetchDone>(node)) {
    if (done.id == id) return done.result.has_value();
  }
  return false;
}

void adopt(EngineNetwork& net, std::size_t node, const SmallArchive& package) {
  net[node].storage.import(package.archive, package.hashes, package.bytes);
  net.call(node, [&](Engine& engine) { engine.adopt_archive(package.archive, net.now); });
}

}  // namespace

TEST_CASE("engine: a fetch that is ahead of the provider's record goes on until it is there") {
  EngineNetwork net;
  for (int i = 0; i < 3; ++i) net.add();
  net.connect(0, 1);
  net.connect(1, 2);
  net.connect(0, 2);
  net.run_for(5s);
  const SmallArchive package(7);
  const OperationId early = fetch(net, 2, package);
  net.run_for(20s);
  CHECK(net.events<event::FetchDone>(2).empty());
  adopt(net, 0, package);
  net.run_for(20s);
  CHECK(fetched(net, 2, early));
}
