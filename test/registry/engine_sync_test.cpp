#include <map>

#include <ggen/p2p/registry/sync.hpp>

#include "engine_network.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

const LogSigner kSigner{30};

std::vector<Entry> history(std::size_t count, std::string_view package = "a") {
  std::vector<Entry> entries = {kSigner.first(31)};
  for (std::size_t i = 1; i <= count; ++i) {
    const auto release = publish(package, "0.0." + std::to_string(i));
    entries.push_back(kSigner.after(entries.back(), 30, release));
  }
  return entries;
}

void append(sim::MemoryStorage& storage, const std::vector<Entry>& entries) {
  store::Append op;
  for (const Entry& entry : entries) {
    op.records.push_back({JournalRecord::Kind::kEntry, entry.envelope});
  }
  REQUIRE(storage.run(std::move(op)));
}

}  // namespace

TEST_CASE("sync: who was away catches up, also with a long log") {
  EngineNetwork net;
  net.add();
  net.add();
  append(net[0].storage, history(700));
  net.restart(0);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net.connect(0, 1);
  net.run_for(10s);
  CHECK(net.heads(1) == net.heads(0));
  CHECK(net.engine(1).catalog().log(kSigner.id())->size() == 701);
  CHECK(net.search(1, {.words = {"a"}}, 0s).hits.size() == 1);
  CHECK(net[1].storage.journal().size() == 703);
}

TEST_CASE("sync: later news come with the rounds when gossip does not bring them") {
  EngineNetwork net;
  net.add();
  net.add();
  net.add();
  net.connect(0, 1);
  net.connect(1, 2);
  net.run_for(5s);
  net.disconnect(1, 2);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net.connect(1, 2);
  net.run_for(1s);
  CHECK(net.heads(2) == net.heads(0));
}

TEST_CASE("sync: who refuses at first is asked again within seconds, then more rarely") {
  EngineNetwork net;
  net.add();
  net.add();
  append(net[1].storage, history(3));
  net.restart(1);
  std::vector<base::Instant> asked;
  bool ready = false;
  net[1].node->liar = [&](reqresp::Request& request) {
    if (ready || !decode_sync_request(request.message.map())) return false;
    const auto decoded = decode_sync_request(request.message.map());
    if (std::holds_alternative<HeadsRequest>(*decoded)) asked.push_back(net.now);
    net[1].node->requests().refuse(request.id);
    return true;
  };
  net.connect(0, 1);
  net.run_for(10min);
  REQUIRE(asked.size() >= 4);
  CHECK(asked[1] - asked[0] <= 10s);
  CHECK(asked[2] - asked[1] <= 20s);
  CHECK(asked.size() < 20);
  ready = true;
  net.run_for(2min);
  CHECK(net.heads(0) == net.heads(1));
}

TEST_CASE("sync: who still reads its journal is caught up with soon after") {
  EngineNetwork net;
  net.add();
  net.add();
  append(net[1].storage, history(3));
  net.restart(1);
  net.connect(0, 1);  // before its disk has answered
  net.run_for(5s);
  CHECK(net.engine(0).catalog().log(kSigner.id()) != nullptr);
}

TEST_CASE("sync: peers that come in a crowd are asked one after the other, and each in the end") {
  EngineNetwork net;
  constexpr std::size_t kPeers = 12;
  std::map<std::size_t, base::Instant> asked;
  net.add();
  for (std::size_t i = 1; i <= kPeers; ++i) {
    net.add();
    net[i].node->liar = [&, i](reqresp::Request& request) {
      if (decode_sync_request(request.message.map())) asked.try_emplace(i, net.now);
      return false;
    };
  }
  const base::Instant came = net.now;
  for (std::size_t i = 1; i <= kPeers; ++i) {
    net.connect(0, i);
    net.run_for(10ms);
  }
  net.run_for(1s);
  CHECK(asked.size() == 8);
  net.run_for(2s);
  CHECK(asked.size() == 9);
  net.disconnect(0, 10);
  net.run_for(20s);
  CHECK(asked.size() == kPeers - 1);
  CHECK(asked[9] < asked[11]);  // in the order in which they came
  CHECK(asked[11] < asked[12]);
  for (const auto& [peer, when] : asked) CHECK(when - came <= 10s);
}

TEST_CASE("sync: a fork is found, told to all, and blocks") {
  EngineNetwork net;
  for (int i = 0; i < 4; ++i) net.add();
  const auto ours = history(3);
  const auto theirs = history(1);
  const Entry other = kSigner.after(theirs[1], 30, publish("evil", "1.0.0"));
  append(net[0].storage, ours);
  append(net[1].storage, {theirs[0], theirs[1], other});
  net.restart(0);
  net.restart(1);
  net.connect(0, 2);
  net.connect(1, 3);
  net.run_for(5s);
  net.connect(2, 3);
  net.run_for(10s);
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    const PublisherLog* log = net.engine(i).catalog().log(kSigner.id());
    REQUIRE(log != nullptr);
    CHECK(log->is_frozen());
    REQUIRE_FALSE(net.events<event::ForkFound>(i).empty());
    CHECK(net.events<event::ForkFound>(i)[0].seq == 2);
    CHECK_FALSE(net.engine(i).catalog().resolve(Reference::parse("a").value()));
  }
  // Who comes later learns of it, though the heads are the same; and so after a restart.
  const auto late = net.add();
  net.connect(late, 0);
  net.run_for(5s);
  CHECK(net.engine(late).catalog().log(kSigner.id())->is_frozen());
  net.restart(late);
  net.run_for(1s);
  CHECK(net.engine(late).catalog().log(kSigner.id())->is_frozen());
}

TEST_CASE("sync: the branch that the next keys chose wins everywhere") {
  EngineNetwork net;
  net.add();
  net.add();
  const auto ours = history(5);
  std::vector<Entry> theirs(ours.begin(), ours.begin() + 2);
  for (int i = 0; i < 80; ++i) {
    const auto release = publish("b", "0.1." + std::to_string(i));
    theirs.push_back(kSigner.after(theirs.back(), 30, release));
  }
  theirs.push_back(kSigner.rotate(theirs.back(), 31, 32));
  theirs.push_back(kSigner.after(theirs.back(), 31, publish("c", "1.0.0")));
  append(net[0].storage, ours);
  append(net[1].storage, theirs);
  net.restart(0);
  net.restart(1);
  net.connect(0, 1);
  net.run_for(10s);
  CHECK(net.engine(0).catalog().log(kSigner.id())->head()->id == theirs.back().id);
  CHECK_FALSE(net.engine(0).catalog().log(kSigner.id())->is_frozen());
  CHECK(net.search(0, {.words = {"c"}}, 0s).hits.size() == 1);
}

TEST_CASE("sync: a peer that claims what it does not have is not asked for ever") {
  EngineNetwork net;
  net.add();
  net.add();
  std::size_t asked = 0;
  net[1].node->liar = [&](reqresp::Request& request) {
    const auto decoded = decode_sync_request(request.message.map());
    if (!decoded) return false;
    ++asked;
    auto& requests = net[1].node->requests();
    if (const auto* heads = std::get_if<HeadsRequest>(&*decoded)) {
      HeadsResponse response;
      std::set<multiformats::PeerId> ids;
      for (std::uint8_t seed = 1; seed < 100; ++seed) ids.insert(LogSigner{seed}.id());
      for (const auto& id : ids) {
        if (!heads->after || id > *heads->after) response.heads.push_back({id, {70'000, {}}});
      }
      requests.respond(request.id, encode(response), 0, net.now);
    } else {
      requests.respond(request.id, encode(EntriesResponse{}), 0, net.now);
    }
    requests.finish(request.id, net.now);
    return true;
  };
  net.connect(0, 1);
  net.run_for(60s);
  CHECK(asked > 1);
  CHECK(asked < 10);
  REQUIRE(net.events<event::PeerMisbehaved>(0).size() == 1);
  CHECK(net.events<event::PeerMisbehaved>(0)[0].peer == net.id(1));
  // Nor when it comes back.
  const std::size_t before = asked;
  net.disconnect(0, 1);
  net.connect(0, 1);
  net.run_for(60s);
  CHECK(asked == before);
}

TEST_CASE("sync: entries of somebody else, or badly signed, are blamed on who sent them") {
  for (const bool forge : {true, false}) {
    CAPTURE(forge);
    EngineNetwork net;
    net.add(EngineNetwork::quick(), false);  // it would ask for its own log, too
    net.add();
    const auto real = history(1);
    const auto other = LogSigner{40}.first(41);
    net[1].node->liar = [&](reqresp::Request& request) {
      const auto decoded = decode_sync_request(request.message.map());
      if (!decoded) return false;
      auto& requests = net[1].node->requests();
      if (std::holds_alternative<HeadsRequest>(*decoded)) {
        const HeadsResponse heads{{{kSigner.id(), {1, real[1].id}}}, false};
        requests.respond(request.id, encode(heads), 0, net.now);
      } else {
        EntriesResponse response;
        response.envelopes.push_back(base::to_bytes((forge ? real[0] : other).envelope.view()));
        if (forge) response.envelopes[0].back() ^= 1;
        requests.respond(request.id, encode(response), 0, net.now);
      }
      requests.finish(request.id, net.now);
      return true;
    };
    net.connect(0, 1);
    net.run_for(5s);
    REQUIRE(net.events<event::PeerMisbehaved>(0).size() == 1);
    CHECK(
        net.events<event::PeerMisbehaved>(0)[0].what ==
        (forge ? "sent an entry that does not verify" : "sent an entry that it was not asked for"));
    CHECK(net.heads(0).empty());
  }
}

TEST_CASE("sync: quotas hold, and pinned publishers stay") {
  Config config = EngineNetwork::quick();
  config.catalog.max_publishers = 5;
  EngineNetwork net;
  net.add();
  net.add(config);
  std::vector<Entry> many;
  for (std::uint8_t seed = 1; seed <= 40; ++seed) {
    many.push_back(LogSigner{seed}.first(static_cast<std::uint8_t>(seed + 100)));
  }
  append(net[0].storage, many);
  net.restart(0);
  net.call(1, [](Engine& engine) { engine.catalog().pin(LogSigner{7}.id()); });
  net.connect(0, 1);
  net.run_for(10s);
  CHECK(net.engine(1).catalog().size() <= 6);
  CHECK(net.engine(1).catalog().log(LogSigner{7}.id()) != nullptr);
}

TEST_CASE("sync: random publishes in a network that falls apart end in the same heads") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    base::Prng prng{seed};
    EngineNetwork net;
    for (int i = 0; i < 5; ++i) net.add();
    for (int step = 0; step < 25; ++step) {
      const auto a = static_cast<std::size_t>(prng.below(5));
      const auto b = static_cast<std::size_t>(prng.below(5));
      switch (prng.below(5)) {
        case 0:
        case 1:
          net.publish(a, "p" + std::to_string(a), "1.0." + std::to_string(step));
          break;
        case 2:
          net.connect(a, b);
          break;
        case 3:
          net.disconnect(a, b);
          break;
        default:
          net.restart(a);
      }
      net.run_for(std::chrono::milliseconds{prng.below(3000)});
    }
    for (std::size_t i = 0; i < 5; ++i) net.connect(i, (i + 1) % 5);
    net.run_for(20min);
    for (std::size_t i = 1; i < 5; ++i) CHECK(net.heads(i) == net.heads(0));
    for (const auto& head : net.heads(0)) CHECK_FALSE(head.forked);
  }
}
