// Lookups in networks of many nodes, healthy and otherwise, against an oracle that sees them all.

#include <set>

#include "network.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using kad::QueryEnd;

namespace {

base::Bytes random_key(base::Prng& prng) {
  base::Bytes key(34);
  prng.fill(key);
  return key;
}

std::vector<multiformats::PeerId> ids(const kad::QueryDone& done) {
  std::vector<multiformats::PeerId> found;
  for (const auto& record : std::get<kad::result::Closest>(done.result).peers) {
    found.push_back(record.peer);
  }
  return found;
}

kad::QueryDone look_up(Network& network, std::size_t asker, const base::Bytes& key) {
  network.take_events<kad::QueryHop>(asker);
  const kad::QueryDone done = network.query(
      asker, [&](kad::Engine& engine) { return *engine.closest(key, network.now()); });
  std::set<multiformats::PeerId> asked;
  for (const auto& hop : network.take_events<kad::QueryHop>(asker)) {
    CHECK(asked.insert(hop.peer).second);  // nobody is asked twice
  }
  CHECK(done.stats.answered + done.stats.failed <= done.stats.asked);
  CHECK(done.stats.took <= kad::QueryConfig{}.timeout);
  return done;
}

/// Random lookups by honest living nodes, each of which must find exactly who is nearest.
void expect_true_closest(Network& network, std::size_t lookups) {
  for (std::size_t i = 0; i < lookups; ++i) {
    std::size_t asker = 0;
    do {
      asker = static_cast<std::size_t>(network.prng().below(network.size()));
    } while (!network.node(asker).alive || network.node(asker).liar);
    const base::Bytes key = random_key(network.prng());
    const kad::QueryDone done = look_up(network, asker, key);
    CHECK(done.stats.end == QueryEnd::kConverged);
    CHECK(ids(done) == network.oracle(asker, key));
  }
}

/// Makes a part of the nodes answer as `liar` does.
void corrupt(Network& network, double share, const Network::Liar& liar) {
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.prng().chance(share)) network.node(i).liar = liar;
  }
}

}  // namespace

TEST_CASE("every lookup in a healthy network finds the k nearest") {
  Network network{150, without_maintenance()};
  network.introduce_all();
  expect_true_closest(network, 20);
}

TEST_CASE("lookups find the k nearest in networks of every size") {
  for (const std::size_t size : {2U, 20U, 21U, 22U, 300U}) {
    CAPTURE(size);
    Network network{size, without_maintenance()};
    network.introduce_enough();
    for (int i = 0; i < 10; ++i) {
      const auto asker = static_cast<std::size_t>(network.prng().below(size));
      const base::Bytes key = random_key(network.prng());
      const kad::QueryDone done = look_up(network, asker, key);
      CHECK(ids(done) == network.oracle(asker, key));
      CHECK(done.stats.hops <= 4);
    }
  }
}

TEST_CASE("lookups in 5,000 nodes, also when a third is dead and a fifth lies") {
  Network network{5000, without_maintenance(), 5};
  network.introduce_enough();
  expect_true_closest(network, 5);

  std::size_t made_up = 100'000;
  corrupt(network, 0.2, [&](const kad::Message& request) {
    kad::Message answer{.type = request.type};
    for (int i = 0; i < 20; ++i) answer.closer.push_back(numbered_record(made_up++));
    return kad::encode_message(answer);
  });
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.prng().chance(0.3)) network.kill(i);
  }
  for (int i = 0; i < 5; ++i) {
    std::size_t asker = 0;
    while (!network.node(asker).alive || network.node(asker).liar) ++asker;
    const base::Bytes key = random_key(network.prng());
    const auto found = ids(look_up(network, asker, key));
    const auto truth = network.oracle(asker, key);
    REQUIRE(found.size() == 20);
    // Of whom honest nodes name twenty, two thirds live.
    for (std::size_t n = 0; n < 8; ++n) CHECK(found[n] == truth[n]);
  }
}

TEST_CASE("lookups find the nearest of those alive when a third has just died") {
  Network network{150, without_maintenance(), 2};
  network.introduce_all();
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.prng().chance(0.3)) network.kill(i);
  }
  for (int i = 0; i < 15; ++i) {
    std::size_t asker = 0;
    while (!network.node(asker).alive) ++asker;
    const base::Bytes key = random_key(network.prng());
    const auto found = ids(look_up(network, asker, key));
    // Nobody has noticed yet: each node still names 20 of whom a third is dead. What is found is
    // alive, and right as far as that reaches.
    const auto truth = network.oracle(asker, key);
    REQUIRE(found.size() >= 10);
    for (std::size_t n = 0; n < 10; ++n) CHECK(found[n] == truth[n]);
  }
}

TEST_CASE("once the dead were noticed, lookups find the k nearest of those alive") {
  kad::Config config;
  config.maintenance.refresh_interval = std::chrono::minutes{1};
  Network network{40, config, 2};
  network.introduce_all();
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.prng().chance(0.3)) network.kill(i);
  }
  network.run_for(std::chrono::seconds{90});
  expect_true_closest(network, 8);
}

TEST_CASE("lookups find the k nearest although liars name peers that do not exist") {
  Network network{120, without_maintenance(), 3};
  network.introduce_all();
  std::size_t made_up = 100'000;
  corrupt(network, 0.2, [&](const kad::Message& request) {
    kad::Message answer{.type = request.type};
    for (int i = 0; i < 20; ++i) answer.closer.push_back(numbered_record(made_up++));
    return kad::encode_message(answer);
  });
  expect_true_closest(network, 8);
}

TEST_CASE("lookups survive peers that answer with themselves, us, garbage or 10,000 peers") {
  Network network{100, without_maintenance(), 4};
  network.introduce_all();
  std::size_t turn = 0;
  corrupt(network, 0.2, [&](const kad::Message& request) -> std::optional<base::Bytes> {
    kad::Message answer{.type = request.type};
    switch (turn++ % 4) {
      case 0:
        for (std::size_t i = 0; i < network.size(); ++i) {
          answer.closer.push_back(numbered_record(i));
        }
        break;
      case 1:
        return text("\xff\xff\xff\xff this is no message");
      case 2: {
        base::Bytes bytes = kad::encode_message(answer);
        const kad::Message one{.type = request.type, .closer = {numbered_record(5)}};
        const base::Bytes peer = kad::encode_message(one);
        for (int i = 0; i < 4'000; ++i) base::append(bytes, base::BytesView{peer}.subspan(2));
        return bytes;
      }
      default:
        break;
    }
    return kad::encode_message(answer);
  });
  for (int i = 0; i < 8; ++i) {
    std::size_t asker = 0;
    while (network.node(asker).liar) ++asker;
    const base::Bytes key = random_key(network.prng());
    const kad::QueryDone done = look_up(network, asker, key);
    // Who answers garbage is no result; all others that are nearest are.
    const auto found = ids(done);
    for (const auto& id : network.oracle(asker, key)) {
      std::size_t index = 0;
      while (network.node(index).id != id) ++index;
      if (!network.node(index).liar) CHECK(std::ranges::count(found, id) == 1);
    }
  }
}

TEST_CASE("a lookup ends by its deadline when nobody answers, and says so") {
  kad::Config config = without_maintenance();
  config.query.timeout = std::chrono::seconds{25};
  Network network{60, config};
  network.introduce_all();
  for (std::size_t i = 1; i < network.size(); ++i) {
    network.node(i).liar = [](const kad::Message&) { return std::nullopt; };
  }
  const base::Instant begin = network.now();
  const kad::QueryDone done = look_up(network, 0, text("key"));
  CHECK(network.now() - begin <= config.query.timeout);
  CHECK(done.stats.answered == 0);
  CHECK(done.stats.asked > config.query.lookup.alpha);  // slow peers make room for others
  CHECK(ids(done).empty());
  CHECK((done.stats.end == QueryEnd::kTimeout || done.stats.end == QueryEnd::kExhausted));
}

TEST_CASE("a lookup keeps what it has when its time is over") {
  kad::Config config = without_maintenance();
  config.query.timeout = std::chrono::seconds{5};
  Network network{60, config};
  network.introduce_all();
  const base::Bytes key = text("key");
  // The very nearest never answers.
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.node(i).id == network.oracle(0, key)[0]) {
      network.node(i).liar = [](const kad::Message&) { return std::nullopt; };
    }
  }
  const kad::QueryDone done = look_up(network, 0, key);
  CHECK(done.stats.end == QueryEnd::kTimeout);
  CHECK(ids(done).size() >= 19);
}

TEST_CASE("lookups in tiny networks") {
  for (const std::size_t size : {1U, 2U, 5U, 20U, 21U, 22U}) {
    CAPTURE(size);
    Network network{size, without_maintenance()};
    network.introduce_all();
    const kad::QueryDone done = look_up(network, 0, text("key"));
    CHECK(ids(done) == network.oracle(0, text("key")));
    const QueryEnd expected = size == 1   ? QueryEnd::kNoPeers
                              : size < 21 ? QueryEnd::kExhausted
                                          : QueryEnd::kConverged;
    CHECK(done.stats.end == expected);
  }
}

TEST_CASE("nodes that know one peer join and are found by everybody") {
  Network network{30};
  for (std::size_t i = 1; i < network.size(); ++i) {
    network.connect(i, 0);
    network.run_for(std::chrono::milliseconds{300});
  }
  network.run_for(std::chrono::minutes{12});  // with one round of refreshes
  for (std::size_t i = 0; i < 25; ++i) {
    const auto from = static_cast<std::size_t>(network.prng().below(network.size()));
    const auto to = static_cast<std::size_t>(network.prng().below(network.size()));
    if (from == to) continue;
    const kad::QueryDone done = network.query(from, [&](kad::Engine& engine) {
      return engine.find_peer(network.node(to).id, network.now());
    });
    const auto& found = std::get<kad::result::FoundPeer>(done.result);
    REQUIRE(found.peer);
    CHECK(found.reached);
    CHECK(found.peer->addresses == std::vector{network.node(to).address});
    CHECK(done.stats.end == QueryEnd::kEnough);
  }
  expect_true_closest(network, 8);
}

TEST_CASE("a client finds others, and enters nobody's table") {
  Network network{25};
  kad::Config config;
  config.mode = kad::Mode::kClient;
  const std::size_t client = network.add(config);
  for (std::size_t i = 1; i < network.size(); ++i) network.connect(i, 0);
  network.run_for(std::chrono::minutes{1});
  const kad::QueryDone done = look_up(network, client, text("key"));
  CHECK(ids(done) == network.oracle(client, text("key")));
  for (std::size_t i = 0; i < network.size(); ++i) {
    CHECK(network.node(i).engine.table().find(network.node(client).id) == nullptr);
  }
  // It can be found all the same, since those connected to it tell where it is.
  const kad::QueryDone found = network.query(7, [&](kad::Engine& engine) {
    return engine.find_peer(network.node(client).id, network.now());
  });
  CHECK(std::get<kad::result::FoundPeer>(found.result).reached);
}

TEST_CASE("a peer that is not there is not found") {
  Network network{40, without_maintenance()};
  network.introduce_all();
  const kad::QueryDone done = network.query(
      0, [&](kad::Engine& engine) { return engine.find_peer(numbered_peer(999), network.now()); });
  const auto& found = std::get<kad::result::FoundPeer>(done.result);
  CHECK(!found.peer);
  CHECK(!found.reached);
  CHECK(done.stats.end == QueryEnd::kConverged);
}

TEST_CASE("the same seed gives the same trace") {
  const auto run = [] {
    Network network{12, {}, 9};
    for (std::size_t i = 1; i < network.size(); ++i) network.connect(i, 0);
    network.run_for(std::chrono::minutes{2});
    std::vector<multiformats::PeerId> trace;
    for (std::size_t i = 0; i < network.size(); ++i) {
      for (const auto& learned : network.take_events<kad::AddressesLearned>(i)) {
        trace.push_back(learned.peer);
      }
    }
    return trace;
  };
  const auto first = run();
  CHECK(first.size() > 50);
  CHECK(first == run());
}

TEST_CASE("a peer is asked at all addresses that anybody named, up to a limit") {
  kad::LookupConfig config;
  config.max_addresses = 4;
  kad::Lookup lookup{config, kad::Key::of(text("key")), numbered_peer(0)};
  for (const std::size_t address : {7U, 1U, 7U, 8U, 9U, 10U}) {
    lookup.hear(std::array{kad::PeerRecord{numbered_peer(1), {numbered_address(address)}}});
  }
  const auto asked = lookup.next();
  REQUIRE(asked);
  CHECK(asked->addresses == std::vector{numbered_address(7), numbered_address(1),
                                        numbered_address(8), numbered_address(9)});
}

TEST_CASE("a lookup counts the answers that led to the nearest peer") {
  const base::Bytes key = text("key");
  // The farthest first, so that each can name the next.
  std::vector<kad::PeerRecord> peers;
  for (std::size_t i = 1; i <= 4; ++i) peers.push_back({numbered_peer(i), {numbered_address(i)}});
  std::ranges::sort(peers, std::ranges::greater{}, [&](const kad::PeerRecord& record) {
    return kad::Key::of(record.peer).distance(kad::Key::of(key));
  });
  kad::Lookup lookup{{}, kad::Key::of(key), numbered_peer(0)};
  lookup.hear(std::span{peers}.first(1));
  CHECK(lookup.hops() == 0);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto asked = lookup.next();
    REQUIRE(asked);
    CHECK(asked->peer == peers[i].peer);
    lookup.answered(asked->peer, std::span{peers}.subspan(i + 1, 1));
    CHECK(lookup.hops() == i + 1);
  }
  // Who does not answer has not been reached.
  lookup.failed(lookup.next()->peer);
  CHECK(lookup.hops() == 3);
}
