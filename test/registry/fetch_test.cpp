#include <map>

#include "fetch_world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

std::map<multiformats::PeerId, event::FetchSource> by_peer(const event::FetchDone& done) {
  std::map<multiformats::PeerId, event::FetchSource> sources;
  for (const auto& source : done.sources) sources.emplace(source.peer, source);
  return sources;
}

}  // namespace

TEST_CASE("fetch: an archive comes from one peer, whole") {
  World world;
  Member& seeder = world.add();
  Member& client = world.add();
  const Packed package = packed(40);
  seeder.hold(package);
  world.fetch(client, 1, package, {&seeder});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  REQUIRE(done.sources.size() == 1);
  CHECK(done.sources[0].peer == world.id(seeder));
  CHECK(done.sources[0].chunks == 40);
  CHECK(done.sources[0].bytes == package.bytes.size());
  CHECK(done.took > 0s);
  CHECK(client.fetcher->fetched_bytes() == package.bytes.size());
  CHECK(seeder.server->served_bytes() == package.bytes.size());
  CHECK(client.count<FirstChunk>() == 1);
  CHECK(client.count<ProvidersWanted>() == 1);
  CHECK(client.reputation.standing(world.id(seeder), world.now()).successes == 40);
  // Progress goes up to the end, and comes before it.
  std::uint64_t chunks = 0;
  for (const auto& event : client.events) {
    if (const auto* progress = std::get_if<event::FetchProgress>(&event)) {
      CHECK(progress->chunks_held > chunks);
      CHECK(progress->chunks == 40);
      chunks = progress->chunks_held;
    }
  }
  CHECK(chunks > 20);
  CHECK(std::holds_alternative<event::FetchDone>(client.events.back()));
  world.run_for(1s);
  CHECK(seeder.server->reserved_bytes() == 0);

  // What is here is done at once.
  world.fetch(client, 2, package, {});
  CHECK(client.done(2)->result);
}

TEST_CASE("fetch: four peers at once all give their part") {
  World world;
  Member& client = world.add();
  const Packed package = packed(30);
  std::vector<Member*> seeders;
  for (int i = 0; i < 4; ++i) {
    seeders.push_back(&world.add());
    seeders.back()->hold(package);
    seeders.back()->disk = [](const StoreOp&) { return 20ms; };
  }
  world.fetch(client, 1, package, seeders);
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(done.sources.size() == 4);
  std::uint64_t served = 0;
  for (const Member* seeder : seeders) served += seeder->server->served_bytes();
  CHECK(served == package.bytes.size());  // nothing twice
}

TEST_CASE("fetch: peers that hold a part give that part") {
  World world;
  Member& client = world.add();
  Member& low = world.add();
  Member& high = world.add();
  const Packed package = packed(20);
  low.hold(package, 0, 8);
  high.hold(package, 8, 20);
  world.fetch(client, 1, package, {&low, &high});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  auto sources = by_peer(done);
  CHECK(sources.at(world.id(low)).chunks == 8);
  CHECK(sources.at(world.id(high)).chunks == 12);
  // Nobody was asked for what it does not have.
  CHECK(client.reputation.standing(world.id(low), world.now()).failures == 0);
  CHECK(client.reputation.standing(world.id(high), world.now()).failures == 0);
}

TEST_CASE("fetch: a peer that gains chunks is asked again") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  const Packed package = packed(10);
  seeder.hold(package, 3, 6);
  world.fetch(client, 1, package, {&seeder});
  world.run_for(8s);
  CHECK(client.archives.find(package.archive.root)->held.held() == 3);
  seeder.hold(package);
  world.run_for(8s);
  CHECK(client.done(1)->result);
  CHECK(client.holds(package));
}

TEST_CASE("fetch: resumes with what is here") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  const Packed package = packed(12);
  seeder.hold(package);
  client.hold(package, 0, 7);
  world.fetch(client, 1, package, {&seeder});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(done.sources.at(0).chunks == 5);
  CHECK(seeder.server->served_bytes() == package.bytes.size() - 7 * Archive::kUsualChunk);
  CHECK(client.count<FirstChunk>() == 0);
}

TEST_CASE("fetch: two operations on one archive share it, and cancel alone") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  const Packed package = packed(20);
  seeder.hold(package);
  seeder.disk = [](const StoreOp&) { return 50ms; };
  world.fetch(client, 1, package, {&seeder});
  world.fetch(client, 2, package, {&seeder});
  world.fetch(client, 3, package, {});
  world.run_for(200ms);
  world.act(client, [&](base::Instant now) {
    CHECK(client.fetcher->cancel(3, now));
    CHECK_FALSE(client.fetcher->cancel(3, now));
  });
  CHECK(world.finish(client, 1).result);
  CHECK(world.finish(client, 2).result);
  CHECK(world.finish(client, 3).result.error() == FetchError::kCancelled);
  CHECK(seeder.server->served_bytes() == package.bytes.size());
}

TEST_CASE("fetch: a cancelled one keeps what came, also what was on its way to the disk") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  const Packed package = packed(30);
  seeder.hold(package);
  seeder.disk = [](const StoreOp&) { return 30ms; };
  client.disk = [](const StoreOp&) { return 40ms; };
  world.fetch(client, 1, package, {&seeder});
  while (client.pending_writes() == 0 || client.fetcher->fetched_bytes() == 0) world.run_for(2ms);
  world.act(client, [&](base::Instant now) { CHECK(client.fetcher->cancel(1, now)); });
  const auto kept = client.fetcher->fetched_bytes();
  world.run_for(1s);
  CHECK(client.done(1)->result.error() == FetchError::kCancelled);
  CHECK(client.fetcher->fetched_bytes() > kept);
  CHECK(client.archives.bytes() == client.fetcher->fetched_bytes());
  CHECK(client.fetcher->next_deadline() == std::nullopt);
  CHECK(seeder.server->reserved_bytes() == 0);

  const auto before = seeder.server->served_bytes();
  const auto held = client.archives.bytes();
  world.fetch(client, 2, package, {&seeder});
  CHECK(world.finish(client, 2).result);
  CHECK(client.holds(package));
  world.run_for(1s);
  CHECK(seeder.server->served_bytes() - before == package.bytes.size() - held);
}

TEST_CASE("fetch: only so many run at a time, and only so many wait") {
  World world;
  FetchConfig config;
  config.max_active = 2;
  config.max_waiting = 1;
  Member& client = world.add(config);
  Member& seeder = world.add();
  std::vector<Packed> packages;
  for (std::uint64_t i = 0; i < 4; ++i) {
    packages.push_back(packed(6, i + 1));
    seeder.hold(packages.back());
  }
  for (std::size_t i = 0; i < 4; ++i) world.fetch(client, i, packages[i], {&seeder});
  CHECK(client.done(3)->result.error() == FetchError::kBusy);
  CHECK(client.count<ProvidersWanted>() == 2);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(world.finish(client, i).result);
    CHECK(client.holds(packages[i]));
  }
  CHECK(client.count<ProvidersWanted>() == 3);
}

TEST_CASE("fetch: as many as may run at a time do not ask one peer for more than it serves") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  std::vector<Packed> packages;
  for (std::uint64_t i = 0; i < FetchConfig{}.max_active; ++i) {
    packages.push_back(packed(24, i + 1));
    seeder.hold(packages.back());
  }
  for (std::size_t i = 0; i < packages.size(); ++i) world.fetch(client, i, packages[i], {&seeder});
  for (std::size_t i = 0; i < packages.size(); ++i) CHECK(world.finish(client, i).result);
  CHECK(client.reputation.standing(world.id(seeder), world.now()).failures == 0);
}

TEST_CASE("fetch: providers that come later are used") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  const Packed package = packed(5);
  seeder.hold(package);
  world.connect(client, seeder);
  world.fetch(client, 1, package, {});
  world.run_for(30s);
  CHECK_FALSE(client.done(1));
  world.act(client, [&](base::Instant now) {
    client.fetcher->add_providers(package.archive.root, std::vector{world.id(seeder)}, now);
  });
  CHECK(world.finish(client, 1).result);
}

TEST_CASE("fetch: connected peers are asked on the off-chance, a few times, and not blamed") {
  World world;
  Member& client = world.add();
  const Packed package = packed(5);
  std::vector<Member*> others;
  std::vector<multiformats::PeerId> ids;
  std::map<multiformats::PeerId, int> asked;
  for (std::size_t i = 0; i < Transfer::kMaxGuesses + 4; ++i) {
    others.push_back(&world.add());
    world.connect(client, *others.back());
    ids.push_back(world.id(*others.back()));
    others.back()->answer = [&, member = others.back()](const reqresp::Request& request) {
      ++asked[world.id(*member)];
      member->requests->respond(request.id, encode(ListResponse{}), 0, world.now());
      member->requests->finish(request.id, world.now());
    };
  }
  world.fetch(client, 1, package, {});
  for (int i = 0; i < 50; ++i) {
    world.act(client, [&](base::Instant now) {
      client.fetcher->add_guesses(package.archive.root, ids, now);
    });
    world.run_for(1s);
  }
  CHECK_FALSE(client.done(1));
  CHECK(asked.size() == Transfer::kMaxGuesses);
  for (const auto& [peer, times] : asked) {
    CHECK(times == Transfer::kMaxAsked);
    CHECK(client.reputation.standing(peer, world.now()).failures == 0);
  }
  CHECK(world.finish(client, 1).result.error() == FetchError::kNoProviders);
}

TEST_CASE("fetch: a guess that holds the archive gives it") {
  World world;
  Member& client = world.add();
  Member& empty = world.add();
  Member& seeder = world.add();
  const Packed package = packed(5);
  world.connect(client, empty);
  world.connect(client, seeder);
  world.fetch(client, 1, package, {});
  world.act(client, [&](base::Instant now) {
    client.fetcher->add_guesses(package.archive.root,
                                std::vector{world.id(empty), world.id(seeder)}, now);
  });
  world.run_for(500ms);
  CHECK(client.fetcher->lacks(package.archive.root) == Fetcher::Lack::kAny);
  seeder.hold(package);
  CHECK(world.finish(client, 1).result);
  CHECK(client.holds(package));
}

TEST_CASE("fetch: with nobody to ask it fails") {
  World world;
  Member& client = world.add();
  const Packed package = packed(5);
  world.fetch(client, 1, package, {});
  world.run_for(59s);
  CHECK_FALSE(client.done(1));
  world.run_for(2s);
  CHECK(client.done(1)->result.error() == FetchError::kNoProviders);
}

TEST_CASE("fetch: a full or broken disk ends it") {
  for (const bool create : {true, false}) {
    World world;
    Member& client = world.add();
    Member& seeder = world.add();
    const Packed package = packed(12);
    seeder.hold(package);
    const StoreError full{create ? StoreError::Kind::kFull : StoreError::Kind::kIo, ""};
    if (create) {
      client.storage.fail_next<store::CreateBlob>(full);
    } else {
      client.storage.fail_next<store::WriteChunk>(full);
    }
    world.fetch(client, 1, package, {&seeder});
    CHECK(world.finish(client, 1).result.error() == FetchError::kStorage);
    CHECK(client.reputation.standing(world.id(seeder), world.now()).failures == 0);
    // It is free to try again.
    world.fetch(client, 2, package, {&seeder});
    CHECK(world.finish(client, 2).result);
    CHECK(client.holds(package));
  }
}

TEST_CASE("fetch: an archive that became whole meanwhile is not given up for a wrong size") {
  World world;
  FetchConfig one;
  one.max_active = 1;
  Member& client = world.add(one);
  const Packed package = packed(4);
  Packed lie = package;
  lie.archive.packed_size += 100;
  world.fetch(client, 1, packed(4, 2), {});
  world.fetch(client, 2, lie, {});
  // Published from here, while that fetch waits for its turn.
  client.hold(package);
  world.act(client, [&](base::Instant now) { client.fetcher->cancel(1, now); });
  CHECK(world.finish(client, 2).result.error() == FetchError::kUnavailable);
  CHECK(client.holds(package));
}

TEST_CASE("fetch: a part that was fetched under a wrong size does not stand in the way") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  const Packed package = packed(8);
  seeder.hold(package);
  // An entry that names the same root, and claims that the last chunk is longer.
  Packed lie = package;
  lie.archive.packed_size += 100;
  world.fetch(client, 1, lie, {&seeder});
  CHECK(world.finish(client, 1).result.error() == FetchError::kUnavailable);
  // The peer is not to blame: it sent what the root says.
  CHECK(client.reputation.standing(world.id(seeder), world.now()).success > 0.5);

  world.fetch(client, 2, package, {&seeder});
  CHECK(world.finish(client, 2).result);
  CHECK(client.holds(package));
  world.fetch(client, 3, lie, {&seeder});
  CHECK(client.done(3)->result.error() == FetchError::kUnavailable);
}
