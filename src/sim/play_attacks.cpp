#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <ggen/p2p/kad/key.hpp>

#include "scenarios.hpp"

// What attackers bring about who have many identities and few networks. Checked is what must hold
// under any attack, and what the DHT aims at; the aims of publish/subscribe are reported.
namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

// Of an attacker's addresses: as many networks (IPv4 /16) as one rents cheaply.
constexpr std::uint64_t kNetworks = 16;
constexpr std::uint16_t kFirstNetwork = 200 << 8;  // honest machines are elsewhere
constexpr std::size_t kConnections = 1000;

struct Share {
  std::size_t good = 0;
  std::size_t all = 0;

  void add(bool is_good) {
    good += is_good ? 1 : 0;
    ++all;
  }
  Share& operator+=(const Share& other) {
    good += other.good;
    all += other.all;
    return *this;
  }
  [[nodiscard]] double percent() const {
    return all == 0 ? 0 : 100 * static_cast<double>(good) / static_cast<double>(all);
  }
  [[nodiscard]] std::string text() const {
    return fmt::format("{} of {}, {:.1f} %", good, all, percent());
  }
};

bool is_one_of(World& world, const multiformats::PeerId& peer, std::span<const NodeIndex> nodes) {
  return std::ranges::any_of(nodes, [&](NodeIndex n) { return world.simulation().id(n) == peer; });
}

void report(World& world, std::string name, std::string title, std::string about,
            const Share& share) {
  if (share.all == 0) return;
  world.metrics().add_number(
      {std::move(name), std::move(title), std::move(about), "%", Better::kHigher}, share.percent());
}

Share honest_in_mesh(World& world, NodeIndex node, std::span<const NodeIndex> honest) {
  Share share;
  for (const auto& peer :
       world.simulation().node(node).gossipsub()->mesh(registry::kUpdatesTopic)) {
    share.add(is_one_of(world, peer, honest));
  }
  return share;
}

// Starts a Sybil that joins by way of honest nodes; the first `honest` of all are.
NodeIndex start_sybil(World& world, std::size_t honest, std::optional<IdentitySeed> identity) {
  NodeSpec spec = World::member(kConnections);
  spec.publishes = false;
  spec.link.network = static_cast<std::uint16_t>(kFirstNetwork + world.prng().below(kNetworks));
  spec.identity = identity;
  spec.hostility.emplace();
  spec.checked = false;
  std::vector<NodeIndex> bootstrap;
  for (int i = 0; i < 3; ++i) {
    bootstrap.push_back(static_cast<NodeIndex>(world.prng().below(honest)));
  }
  const NodeIndex node = world.start(std::move(spec), bootstrap);
  world.run_for(20ms);
  return node;
}

// Nearer to `key` than any honest node of such a network is likely to be.
NodeIndex start_sybil_near(World& world, std::size_t honest, const kad::Key& key) {
  unsigned bits = 3;
  for (std::size_t n = honest; n > 0; n /= 2) ++bits;
  return start_sybil(world, honest, identity_near(key, bits, world.prng()));
}

// A value that every node can check: the public key of a node, under its peer id.
struct Record {
  NodeIndex owner;
  base::Bytes key;
  base::Bytes value;
};

Record record_of(World& world, NodeIndex node) {
  Record record{node, base::to_bytes(base::as_bytes("/pk/")), {}};
  base::append(record.key, world.simulation().id(node).bytes());
  record.value = world.simulation().node(node).local_info().public_key->encode();
  return record;
}

// What came of many lookups.
struct Lookups {
  Share found;
  std::size_t unended = 0;
  std::size_t forged = 0;  // values that are not the record's

  void look(World& world, NodeIndex from, const Record& record) {
    const auto done = world.get_value(from, record.key);
    const auto* result = done ? std::get_if<kad::result::FoundValue>(&done->result) : nullptr;
    unended += done ? 0 : 1;
    const bool any = result != nullptr && result->value.has_value();
    const bool right = any && base::equal(*result->value, record.value);
    forged += any && !right ? 1 : 0;
    found.add(right);
  }
};

void check_lookups(World& world, std::initializer_list<const Lookups*> all) {
  std::size_t count = 0;
  std::size_t unended = 0;
  std::size_t forged = 0;
  for (const Lookups* lookups : all) {
    count += lookups->found.all;
    unended += lookups->unended;
    forged += lookups->forged;
  }
  world.check("every lookup ends", unended == 0, fmt::format("{} of {}", count - unended, count));
  world.check("no forged value is believed", forged == 0, fmt::format("{} of {}", forged, count));
}

// The aim of the DHT, and of gossip.
void check_found(World& world, std::string what, const Share& found) {
  if (found.all == 0) return;  // too few nodes for it
  world.check(std::move(what), found.percent() >= 99, found.text());
}

// However many peers an attacker has, what an honest node holds for them has its limits.
void check_bounded(World& world, std::span<const NodeIndex> honest) {
  const auto limits = [](const node::Node& node, const NodeSpec& spec) {
    const auto stats = node.gossipsub()->stats();
    const auto& gossip = spec.node.gossipsub->limits;
    const auto& kad = *spec.node.kad;
    return stats.pending <= gossip.max_pending && stats.cached_bytes <= gossip.max_cached_bytes &&
           stats.seen <= gossip.max_seen &&
           node.kad()->values().total_size() <= kad.values.max_total_size &&
           node.kad()->providers().records() <= kad.providers.max_records;
  };
  const NodeSpec spec = World::member();
  std::size_t most = 0;
  bool bounded = true;
  for (const NodeIndex i : honest) {
    const node::Node& node = world.simulation().node(i);
    most = std::max(most, node.connection_count());
    bounded = bounded && limits(node, spec);
  }
  world.check("what honest nodes hold stays within its limits", bounded,
              fmt::format("at most {} connections a node", most));
}

std::vector<NodeIndex> first_nodes(std::size_t count) {
  std::vector<NodeIndex> nodes;
  for (NodeIndex i = 0; i < count; ++i) nodes.push_back(i);
  return nodes;
}

NodeIndex any_of(World& world, std::span<const NodeIndex> nodes) {
  return nodes[world.prng().below(nodes.size())];
}

// Any of them that has to ask for the record, as long as there is one.
NodeIndex reader_of(World& world, std::span<const NodeIndex> nodes, const Record& record) {
  std::vector<NodeIndex> readers;
  std::vector<NodeIndex> others;
  for (const NodeIndex i : nodes) {
    if (i == record.owner) continue;
    others.push_back(i);
    const auto& held = world.simulation().node(i).kad()->values();
    if (held.find(record.key, world.now()) == nullptr) readers.push_back(i);
  }
  return any_of(world, readers.empty() ? others : readers);
}

Package release(std::size_t number) {
  return Package::make(fmt::format("part-{}", number), "1.0.0", "A part", 2000);
}

// Whether a node has heard of it.
bool knows(World& world, NodeIndex node, const Package& package) {
  return world.resolve(node, package.metadata.name.text()).has_value();
}

}  // namespace

void sybil(World& world) {
  constexpr std::size_t kAround = 20;  // Sybils at each attacked key
  constexpr std::size_t kReleases = 20;
  const std::size_t honest = world.nodes() / 5;  // 4 Sybils to 1 in the end
  const std::vector<NodeIndex> nodes = first_nodes(honest);
  world.populate(honest);
  world.step("Sybils are a fifth of the network");
  std::size_t sybils = 0;
  for (; sybils < honest / 4; ++sybils) start_sybil(world, honest, std::nullopt);
  world.run_for(1min);
  const std::size_t attacked = std::min<std::size_t>(6, (4 * honest - sybils) / kAround);
  std::vector<Record> records;
  for (const NodeIndex node : nodes) records.push_back(record_of(world, node));
  world.prng().shuffle(records);
  const auto put = [&](const Record& record) {
    world.put_value(record.owner, record.key, record.value);
  };
  const auto look_for = [&](std::span<const Record> wanted, std::size_t times) {
    Lookups lookups;
    for (std::size_t i = 0; i < times; ++i) {
      for (const Record& record : wanted) {
        lookups.look(world, reader_of(world, nodes, record), record);
      }
    }
    return lookups;
  };
  const std::span early = std::span{records}.first(attacked / 2);
  const std::span late = std::span{records}.subspan(early.size(), attacked - early.size());
  const std::span clear =
      std::span{records}.subspan(attacked, std::min<std::size_t>(25, records.size() - attacked));
  std::ranges::for_each(early, put);
  std::ranges::for_each(clear, put);
  const Lookups at_clear = look_for(clear, 4);

  world.step("Sybils settle around keys");
  for (const Record& record : std::span{records}.first(attacked)) {
    for (std::size_t i = 0; i < kAround; ++i, ++sybils) {
      start_sybil_near(world, honest, kad::Key::of(record.key));
    }
  }
  world.run_for(1min);
  std::ranges::for_each(late, put);
  const Lookups at_early = look_for(early, 30);
  const Lookups at_late = look_for(late, 30);

  world.step("Sybils are four to one");
  for (; sybils < 4 * honest; ++sybils) start_sybil(world, honest, std::nullopt);
  // They want to be in the meshes of as many as will have them.
  for (std::size_t i = 0; i < sybils; ++i) {
    for (int k = 0; k < 10; ++k) {
      world.connect(static_cast<NodeIndex>(honest + i), any_of(world, nodes));
    }
  }
  world.run_for(1min);
  Share mesh;
  for (const NodeIndex node : nodes) mesh += honest_in_mesh(world, node, nodes);
  std::vector<Package> releases;
  for (std::size_t i = 0; i < kReleases; ++i) {
    releases.push_back(release(i));
    world.start_publish(any_of(world, nodes), releases.back());
    world.run_for(1s);
  }
  world.run_for(4s);
  Share delivered;
  for (const Package& package : releases) {
    for (const NodeIndex node : nodes) delivered.add(knows(world, node, package));
  }

  check_lookups(world, {&at_clear, &at_early, &at_late});
  check_found(world, "a fifth of Sybils hides no record", at_clear.found);
  check_found(world, "nor do 20 that come to its key", at_early.found);
  check_found(world, "nor do 20 that were there before it", at_late.found);
  check_found(world, "four to one keep no release from honest nodes", delivered);
  check_bounded(world, nodes);
  const std::string aim = "Aim: at least 99 %.";
  report(world, "found", "Lookups that found the record, a fifth of the nodes being Sybils", aim,
         at_clear.found);
  report(world, "found-early", "The same with 20 Sybils that came to the key after the record", aim,
         at_early.found);
  report(world, "found-late", "The same with 20 Sybils that were at the key before the record", aim,
         at_late.found);
  report(world, "delivered", "Releases that honest nodes heard of, with four Sybils to one",
         "After 5 to 24 s. " + aim, delivered);
  report(world, "mesh", "Honest ones in the meshes of honest nodes, with four Sybils to one", "",
         mesh);
}

void eclipse(World& world) {
  constexpr int kSeconds = 300;
  constexpr int kEvery = 10;  // s: a release, and a lookup
  Simulation& simulation = world.simulation();
  const std::size_t honest = world.nodes() / 5;
  const std::vector<NodeIndex> nodes = first_nodes(honest);
  world.populate(honest);
  std::vector<Record> records;
  for (const NodeIndex node : nodes) {
    records.push_back(record_of(world, node));
    world.put_value(node, records.back().key, records.back().value);
  }

  world.step("Sybils take their places");
  NodeSpec spec = World::member();
  world.prng().fill(spec.identity.emplace());
  const auto id = multiformats::PeerId::of(crypto::KeyPair::from_seed(*spec.identity).public_key());
  std::vector<NodeIndex> sybils;
  while (sybils.size() + honest + 1 < world.nodes()) {
    sybils.push_back(sybils.size() % 2 == 0 ? start_sybil(world, honest, std::nullopt)
                                            : start_sybil_near(world, honest, kad::Key::of(id)));
  }
  world.run_for(1min);

  world.step("one more honest node joins");
  const std::array bootstrap{nodes[0], nodes[1], nodes[2]};
  const NodeIndex victim = world.start(std::move(spec), bootstrap);
  const auto is_honest = [&](const multiformats::PeerId& peer) {
    return is_one_of(world, peer, nodes);
  };
  const Caption caption{"eclipse", "Honest ones among the peers of the newcomer",
                        "In its routing table, its connections and its mesh.", "%",
                        Better::kHigher};
  Share connected;
  Share table;
  Share mesh;
  const auto look_around = [&] {
    const node::Node& node = simulation.node(victim);
    connected = table = {};
    for (const auto& peer : node.swarm().connected_peers()) connected.add(is_honest(peer));
    for (std::size_t i = 0; i < node.kad()->table().buckets(); ++i) {
      for (const auto& entry : node.kad()->table().bucket(i)) table.add(is_honest(entry.peer));
    }
    mesh = honest_in_mesh(world, victim, nodes);
    const auto follow = [&](std::string_view line, const Share& share) {
      if (share.all > 0) world.metrics().follow(caption, line, world.now(), share.percent());
    };
    follow("connections", connected);
    follow("routing table", table);
    follow("mesh", mesh);
  };
  std::vector<Package> releases;
  Lookups lookups;
  Share heard;
  for (int second = 0; second < kSeconds; ++second) {
    for (const NodeIndex sybil : sybils) {
      if (!simulation.node(sybil).swarm().connected(id)) world.connect(sybil, victim);
    }
    world.run_for(1s);
    look_around();
    if (second % kEvery == 0) {
      releases.push_back(release(releases.size()));
      world.start_publish(any_of(world, nodes), releases.back());
    } else if (second % kEvery == kEvery / 2) {
      heard.add(knows(world, victim, releases.back()));
      lookups.look(world, victim, records[world.prng().below(records.size())]);
    }
  }
  Share others;
  for (const Package& package : releases) {
    for (const NodeIndex node : nodes) others.add(knows(world, node, package));
  }

  check_lookups(world, {&lookups});
  check_found(world, "the newcomer finds the records", lookups.found);
  check_found(world, "the newcomer hears of the releases", heard);
  const std::array watched{victim};
  check_bounded(world, watched);
  world.check("the other honest nodes hear of every release", others.good == others.all,
              others.text());
  const std::string aim = "Aim: at least 99 %.";
  report(world, "heard", "Releases that the newcomer heard of within 5 s", aim, heard);
  report(world, "found", "Records that the newcomer found", aim, lookups.found);
  report(world, "connected", "Honest ones among its connections in the end", "", connected);
  report(world, "table", "Honest ones in its routing table in the end", "", table);
  report(world, "mesh", "Honest ones in its mesh in the end", "", mesh);
}

}  // namespace ggen::p2p::sim::play
