// Values and providers in a network: stored where they belong, found, corrected, renewed, expired.

#include "network.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using kad::QueryEnd;

namespace {

const base::Bytes kKey = text("/test/head");
const base::Bytes kFile = text("a package");

kad::result::Placed put(Network& network, std::size_t i, std::string_view value) {
  const kad::QueryDone done = network.query(i, [&](kad::Engine& engine) {
    return engine.put_value(kKey, text(value), network.now()).value();
  });
  return std::get<kad::result::Placed>(done.result);
}
kad::QueryDone get(Network& network, std::size_t i, std::size_t quorum) {
  return network.query(i, [&](kad::Engine& engine) {
    return engine.get_value(kKey, quorum, network.now()).value();
  });
}
std::optional<base::Bytes> value_of(const kad::QueryDone& done) {
  return std::get<kad::result::FoundValue>(done.result).value;
}
/// Nodes that hold exactly this value.
std::size_t holders(Network& network, std::string_view value) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    const auto* held = network.node(i).engine.values().find(kKey, network.now());
    if (network.node(i).alive && held != nullptr && held->value == text(value)) ++count;
  }
  return count;
}

kad::result::Placed provide(Network& network, std::size_t i) {
  const kad::QueryDone done = network.query(
      i, [&](kad::Engine& engine) { return engine.provide(kFile, network.now()).value(); });
  return std::get<kad::result::Placed>(done.result);
}
std::vector<kad::PeerRecord> find_providers(Network& network, std::size_t i, std::size_t limit) {
  const kad::QueryDone done = network.query(i, [&](kad::Engine& engine) {
    return engine.find_providers(kFile, limit, network.now()).value();
  });
  return std::get<kad::result::FoundProviders>(done.result).providers;
}

/// Days pass in these tests: buckets are refreshed less often.
kad::Config for_days() {
  kad::Config config;
  config.maintenance.refresh_interval = std::chrono::hours{10};
  return config;
}

}  // namespace

TEST_CASE("a value is put to the k nearest and found by anybody") {
  Network network{60, without_maintenance()};
  network.introduce_all();
  const auto placed = put(network, 3, "1 one");
  CHECK(placed.stored == 20);
  CHECK(placed.failed == 0);
  for (const auto& id : network.oracle(3, kKey)) {
    std::size_t index = 0;
    while (network.node(index).id != id) ++index;
    CHECK(network.node(index).engine.values().find(kKey, network.now()) != nullptr);
  }
  for (const std::size_t quorum : {0U, 1U, 5U, 50U}) {
    CAPTURE(quorum);
    const kad::QueryDone done = get(network, 40, quorum);
    CHECK(value_of(done) == text("1 one"));
    const bool enough = done.stats.end == QueryEnd::kEnough;
    CHECK(enough == (quorum == 1 || quorum == 5));
  }
}

TEST_CASE("a quorum of one is met by what is held here, without asking") {
  Network network{30, without_maintenance()};
  network.introduce_all();
  put(network, 3, "1 one");
  const kad::QueryDone done = get(network, 3, 1);
  CHECK(value_of(done) == text("1 one"));
  CHECK(done.stats.asked == 0);
}

TEST_CASE("the better value wins, and who has a worse one or none is corrected") {
  Network network{60, without_maintenance()};
  network.introduce_all();
  put(network, 3, "1 old");
  REQUIRE(holders(network, "1 old") >= 20);
  // Two of the nearest alone know of the new value, one has lost all.
  const auto nearest = network.oracle(30, kKey);
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.node(i).id != nearest[4]) continue;
    network.call(i, [&](kad::Engine& engine) {
      REQUIRE(engine.put_value(kKey, text("2 new"), network.now()));
    });
  }
  network.kill(59);
  const kad::QueryDone done = get(network, 30, 0);
  CHECK(value_of(done) == text("2 new"));
  network.run_for(std::chrono::seconds{30});
  CHECK(holders(network, "2 new") >= 19);
  CHECK(value_of(get(network, 45, 1)) == text("2 new"));
}

TEST_CASE("correction alone spreads a better value to those who answered with a worse one") {
  Network network{30, without_maintenance()};
  network.introduce_all();
  put(network, 3, "1 old");
  std::size_t keeper = 0;
  while (network.node(keeper).id != network.oracle(10, kKey)[0]) ++keeper;
  network.node(keeper).liar = [&](const kad::Message& request) {
    kad::Message answer{.type = request.type, .key = request.key};
    if (request.type == kad::MessageType::kGetValue) {
      answer.record = kad::Record{kKey, text("2 new"), ""};
    }
    return kad::encode_message(answer);
  };
  const kad::QueryDone done = get(network, 10, 0);
  CHECK(value_of(done) == text("2 new"));
  CHECK(std::get<kad::result::FoundValue>(done.result).outdated > 0);
  network.run_for(std::chrono::seconds{5});
  CHECK(holders(network, "2 new") >= 19);
}

TEST_CASE("values that are not genuine are neither stored nor believed") {
  Network network{40, without_maintenance()};
  network.introduce_all();
  network.call(3, [&](kad::Engine& engine) {
    const auto now = network.now();
    CHECK(engine.put_value(kKey, text("bad"), now).error() == kad::InputError::kInvalid);
    CHECK(engine.put_value(text("/none/x"), text("1"), now).error() ==
          kad::InputError::kNoValidator);
    CHECK(engine.put_value({}, text("1"), now).error() == kad::InputError::kBadKey);
    CHECK(engine.put_value(base::Bytes(65536, 'k'), text("1"), now).error() ==
          kad::InputError::kBadKey);
    CHECK(engine.put_value(kKey, base::Bytes(65536, '1'), now).error() ==
          kad::InputError::kTooLarge);
    CHECK(engine.get_value(text("/none/x"), 1, now).error() == kad::InputError::kNoValidator);
    CHECK(engine.get_value({}, 1, now).error() == kad::InputError::kBadKey);
    CHECK(engine.closest({}, now).error() == kad::InputError::kBadKey);
    CHECK(engine.provide(base::Bytes(65536, 'k'), now).error() == kad::InputError::kBadKey);
    CHECK(engine.find_providers({}, 1, now).error() == kad::InputError::kBadKey);
  });
  put(network, 3, "1 true");
  for (std::size_t i = 0; i < 40; i += 4) {
    network.node(i).liar = [](const kad::Message& request) {
      kad::Message answer{.type = request.type, .key = request.key};
      answer.record = kad::Record{request.key, text("forged"), ""};
      return kad::encode_message(answer);
    };
  }
  const kad::QueryDone done = get(network, 31, 0);
  CHECK(value_of(done) == text("1 true"));
  CHECK(std::get<kad::result::FoundValue>(done.result).invalid > 0);
}

TEST_CASE("an older value does not replace a newer one of one's own") {
  Network network{10, without_maintenance()};
  network.introduce_all();
  put(network, 3, "5 newest");
  network.call(3, [&](kad::Engine& engine) {
    CHECK(engine.put_value(kKey, text("4 older"), network.now()).error() == kad::InputError::kOld);
  });
  network.call(4, [&](kad::Engine& engine) {  // holds the better one for others
    CHECK(engine.put_value(kKey, text("4 older"), network.now()).error() == kad::InputError::kOld);
  });
}

TEST_CASE("a value expires when its owner forgets it, and lives on while it is put again") {
  Network network{12, for_days()};
  network.introduce_all();
  network.run_for(std::chrono::minutes{1});
  put(network, 3, "1 one");
  network.run_for(std::chrono::hours{60});
  CHECK(value_of(get(network, 10, 0)) == text("1 one"));
  network.call(3, [&](kad::Engine& engine) { engine.forget_value(kKey); });
  network.run_for(std::chrono::hours{71});
  CHECK(!value_of(get(network, 10, 0)));
  CHECK(holders(network, "1 one") == 0);
  for (std::size_t i = 0; i < network.size(); ++i) {
    CHECK(network.node(i).engine.values().size() == 0);
  }
}

TEST_CASE("a value that nobody took is put again soon") {
  Network network{2};
  const auto placed = put(network, 0, "1 one");
  CHECK(placed.stored == 0);
  network.connect(0, 1);
  network.run_for(std::chrono::minutes{11});
  CHECK(network.node(1).engine.values().find(kKey, network.now()) != nullptr);
  CHECK(network.take_events<kad::ValueStored>(1).size() == 1);
}

TEST_CASE("providers are found, reported as they come, and come with addresses") {
  Network network{60, without_maintenance()};
  network.introduce_all();
  for (const std::size_t i : {3U, 17U, 44U}) {
    const auto placed = provide(network, i);
    CHECK(placed.stored == 20);
  }
  const auto found = find_providers(network, 30, 0);
  REQUIRE(found.size() == 3);
  for (const kad::PeerRecord& record : found) {
    CHECK(record.addresses.size() == 1);
  }
  std::size_t reported = 0;
  for (const auto& event : network.take_events<kad::ProvidersFound>(30)) {
    reported += event.providers.size();
  }
  CHECK(reported == 3);
  CHECK(find_providers(network, 9, 1).size() >= 1);
  CHECK(find_providers(network, 3, 0).size() == 2);  // oneself is no news
}

TEST_CASE("providers are found after the one who provided and half of the network are gone") {
  Network network{60, without_maintenance()};
  network.introduce_all();
  provide(network, 3);
  for (std::size_t i = 0; i < 60; i += 2) {
    if (i != 30) network.kill(i);
  }
  network.kill(3);
  const auto found = find_providers(network, 30, 1);
  REQUIRE(found.size() == 1);
  CHECK(found[0].peer == network.node(3).id);
}

TEST_CASE("made-up providers do not hide the real ones") {
  Network network{60, without_maintenance()};
  network.introduce_all();
  provide(network, 3);
  std::size_t made_up = 5000;
  std::size_t asker = 31;  // who holds no record itself
  while (asker % 5 == 0 || network.node(asker).engine.providers().records() > 0) ++asker;
  const auto nearest = network.oracle(asker, kFile);
  for (std::size_t i = 0; i < 60; ++i) {
    // Among them those who are asked for sure.
    const bool near = network.node(i).id == nearest[0] || network.node(i).id == nearest[1];
    if (i % 5 != 0 && !near) continue;
    network.node(i).liar = [&](const kad::Message& request) {
      kad::Message answer{.type = request.type, .key = request.key};
      for (int n = 0; n < 20; ++n) answer.providers.push_back(numbered_record(made_up++));
      return kad::encode_message(answer);
    };
  }
  for (const std::size_t limit : {0U, 1U, 3U}) {
    const auto found = find_providers(network, asker, limit);
    REQUIRE(!found.empty());
    CHECK(found.size() <= kad::QueryConfig{}.max_providers);
    // Named by many, it comes first.
    if (limit == 0) CHECK(found[0].peer == network.node(3).id);
  }
}

TEST_CASE("provider records are renewed, and expire when nobody renews them") {
  Network network{12, for_days()};
  network.introduce_all();
  network.run_for(std::chrono::minutes{1});
  provide(network, 3);
  network.run_for(std::chrono::hours{60});
  CHECK(find_providers(network, 10, 0).size() == 1);
  network.call(3, [&](kad::Engine& engine) { engine.stop_providing(kFile); });
  network.run_for(std::chrono::hours{71});
  CHECK(find_providers(network, 10, 0).empty());
  for (std::size_t i = 0; i < network.size(); ++i) {
    CHECK(network.node(i).engine.providers().records() == 0);
  }
}

TEST_CASE("telling a peer much at once costs neither the records nor the peer") {
  Network network{2, without_maintenance()};
  network.introduce_all();
  network.call(0, [&](kad::Engine& engine) {
    for (int i = 0; i < 100; ++i) {
      CHECK(engine.provide(text("file " + std::to_string(i)), network.now()));
    }
  });
  network.run_for(std::chrono::seconds{30});
  CHECK(network.node(0).engine.table().size() == 1);
  CHECK(network.node(1).engine.providers().records() == 100);
  CHECK(network.take_events<kad::InboundDropped>(1).empty());
}

TEST_CASE("a liar cannot hide where a provider is") {
  Network network{60, without_maintenance()};
  network.introduce_all();
  provide(network, 3);
  std::size_t asker = 31;  // who holds no record itself
  while (network.node(asker).engine.providers().records() > 0) ++asker;
  const auto nearest = network.oracle(asker, kFile);
  for (std::size_t i = 0; i < 60; ++i) {
    if (std::ranges::find(nearest, network.node(i).id) - nearest.begin() >= 3) continue;
    network.node(i).liar = [&, i](const kad::Message& request) {
      kad::Message answer{.type = request.type, .key = request.key};
      answer.providers = {{network.node(3).id, {numbered_address(1000 + i)}}};
      return kad::encode_message(answer);
    };
  }
  const auto found = find_providers(network, asker, 0);
  REQUIRE(found.size() == 1);
  CHECK(std::ranges::count(found[0].addresses, network.node(3).address) == 1);
  bool learned = false;
  for (const auto& event : network.take_events<kad::AddressesLearned>(asker)) {
    learned = learned || (event.peer == network.node(3).id &&
                          std::ranges::count(event.addresses, network.node(3).address) == 1);
  }
  CHECK(learned);
}

namespace {

/// How many of some lookups find their value in a network where `liars` of the nodes name none but
/// each other, the nearest to the key, and keep nothing.
std::size_t found_among_liars(double liars, std::size_t paths, std::size_t lookups) {
  kad::Config config = without_maintenance();
  config.query.lookup.paths = paths;
  Network network{200, config};
  network.introduce_enough();
  std::vector<std::size_t> gang;
  std::vector<std::size_t> honest;
  for (std::size_t i = 0; i < network.size(); ++i) {
    (network.prng().chance(liars) ? gang : honest).push_back(i);
  }
  for (const std::size_t member : gang) {
    network.node(member).liar = [&](const kad::Message& request) {
      kad::Message answer{.type = request.type, .key = request.key, .record = request.record};
      const kad::Key key = kad::Key::of(request.key);
      std::vector<std::pair<kad::Distance, std::size_t>> order;
      for (const std::size_t i : gang) {
        order.emplace_back(kad::Key::of(network.node(i).id).distance(key), i);
      }
      std::ranges::sort(order);
      for (std::size_t n = 0; n < 20; ++n) {
        const auto& named = network.node(order[n].second);
        answer.closer.push_back({named.id, {named.address}});
      }
      return kad::encode_message(answer);
    };
  }
  const auto any = [&] { return honest[network.prng().below(honest.size())]; };
  std::size_t found = 0;
  for (std::size_t i = 0; i < lookups; ++i) {
    const base::Bytes key = text("/test/" + std::to_string(i));
    network.query(any(), [&](kad::Engine& engine) {
      return engine.put_value(key, text("1"), network.now()).value();
    });
    const kad::QueryDone done = network.query(any(), [&](kad::Engine& engine) {
      return engine.get_value(key, 0, network.now()).value();
    });
    found += value_of(done) ? 1 : 0;
  }
  return found;
}

}  // namespace

TEST_CASE("disjoint paths find values where most peers lie; where two of five do, one path does") {
  CHECK(found_among_liars(0.4, 1, 10) == 10);
  const std::size_t one_path = found_among_liars(0.8, 1, 25);
  const std::size_t four_paths = found_among_liars(0.8, 4, 25);
  CAPTURE(one_path);
  CAPTURE(four_paths);
  CHECK(four_paths > one_path);
}
