#include "fetch_world.hpp"

// Providers that lie, stall or vanish.

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

double success_of(World& world, const Member& client, const Member& peer) {
  return client.reputation.standing(world.id(peer), world.now()).success;
}

base::Bytes flipped(base::BytesView chunk) {
  base::Bytes bytes = base::to_bytes(chunk);
  bytes.at(bytes.size() / 2) ^= 1;
  return bytes;
}

}  // namespace

TEST_CASE("fetch: who sends a wrong chunk is blamed, nobody else, and asked no more") {
  World world;
  Member& client = world.add();
  Member& liar = world.add();
  Member& honest = world.add();
  const Packed package = packed(24);
  honest.hold(package);
  std::size_t sent = 0;
  liar.answer = provider(world, liar, package, [&](std::uint64_t i) {
    ++sent;
    return std::optional(i < 3 ? base::to_bytes(package.chunk(i)) : flipped(package.chunk(i)));
  });
  world.fetch(client, 1, package, {&liar, &honest});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(success_of(world, client, liar) < 0.2);
  CHECK(success_of(world, client, honest) > 0.8);
  std::uint64_t bad = 0;
  for (const auto& source : done.sources) {
    if (source.peer == world.id(liar)) bad = source.bad_chunks;
    if (source.peer == world.id(honest)) CHECK(source.bad_chunks == 0);
  }
  CHECK(bad > 0);
  CHECK(bad <= FetchConfig{}.requests_per_peer * 2);
  // The next fetch begins with the one that was honest.
  CHECK(client.reputation.score(world.id(honest), world.now()) >
        client.reputation.score(world.id(liar), world.now()));
}

TEST_CASE("fetch: who lies in the list is blamed, and another gives it") {
  World world;
  Member& client = world.add();
  Member& liar = world.add();
  Member& honest = world.add();
  const Packed package = packed(6);
  honest.hold(package);
  Packed lie = package;
  lie.hashes[2][0] ^= 1;
  liar.answer = provider(world, liar, lie, [](std::uint64_t) { return std::nullopt; });
  // The one that is honest answers late, so that the lie is read.
  honest.disk = [](const StoreOp&) { return 100ms; };
  world.fetch(client, 1, package, {&liar, &honest});
  CHECK(world.finish(client, 1).result);
  CHECK(client.holds(package));
  CHECK(success_of(world, client, liar) < 0.2);
  CHECK(success_of(world, client, honest) > 0.5);
}

TEST_CASE("fetch: a peer that says nothing is left, and its chunks go to others") {
  World world;
  Member& client = world.add();
  Member& dead = world.add();
  Member& dead_too = world.add();
  Member& silent = world.add();
  Member& honest = world.add();
  const Packed package = packed(40);
  honest.hold(package);
  // Not even the list, from both who are asked for it first.
  dead.answer = [](const reqresp::Request&) {};
  dead_too.answer = dead.answer;
  silent.answer = provider(world, silent, package, [&](std::uint64_t i) {
    return i % 8 == 0 ? std::optional(base::to_bytes(package.chunk(i))) : std::nullopt;
  });
  world.fetch(client, 1, package, {&dead, &dead_too, &silent, &honest});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(done.took < 30s);
  for (const auto& source : done.sources) CHECK(source.bad_chunks == 0);
}

TEST_CASE("fetch: a trickle is no answer") {
  World world;
  Member& client = world.add();
  const Packed package = packed(40);  // a list of more bytes than come
  std::vector<Member*> peers;
  std::vector<std::pair<Member*, reqresp::ServedId>> streams;
  for (std::size_t i = 0; i < Transfer::kListSources; ++i) {
    Member& trickles = world.add();
    peers.push_back(&trickles);
    trickles.answer = [&, self = &trickles](const reqresp::Request& request) {
      ChunkSet all(40);
      for (std::uint64_t chunk = 0; chunk < 40; ++chunk) all.insert(chunk);
      self->requests->respond(request.id, encode(ListResponse{all}), 40 * 32, world.now());
      streams.emplace_back(self, request.id);
    };
  }
  // A byte each five seconds: never silent for long.
  base::Instant next = world.now();
  world.each_tick = [&] {
    if (world.now() < next) return;
    next = world.now() + 5s;
    for (auto& stream : streams) {
      world.act(*stream.first, [&](base::Instant now) {
        stream.first->requests->write_body(stream.second, base::Buffer::copy_of(base::Bytes(1)),
                                           now);
      });
    }
  };
  Member& honest = world.add();
  honest.hold(package);
  peers.push_back(&honest);
  world.fetch(client, 1, package, peers);
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(done.took < 25s);
}

TEST_CASE("fetch: a peer that has failed is asked only when no other one is left") {
  World world;
  Member& client = world.add();
  Member& silent = world.add();
  Member& shunned = world.add();
  const Packed package = packed(4);
  silent.answer = [](const reqresp::Request&) {};
  shunned.hold(package);
  for (int i = 0; i < 8; ++i) client.reputation.failure(world.id(shunned), world.now());
  world.fetch(client, 1, package, {&shunned, &silent});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  // Not before the other one was given up, and without a moment in which nothing could be done.
  CHECK(done.took >= FetchConfig{}.chunk_timeout);
  CHECK(client.holds(package));
}

TEST_CASE("fetch: with a silent peer alone it gives up in time") {
  World world;
  Member& client = world.add();
  Member& silent = world.add();
  const Packed package = packed(40);
  silent.answer = provider(world, silent, package, [](std::uint64_t) { return std::nullopt; });
  world.fetch(client, 1, package, {&silent});
  const auto done = world.finish(client, 1);
  CHECK(done.result.error() == FetchError::kUnavailable);
  CHECK(done.took >= 60s);
  CHECK(done.took < 62s);
  CHECK(success_of(world, client, silent) < 0.5);
  CHECK(client.fetcher->next_deadline() == std::nullopt);
}

TEST_CASE("fetch: a slow peer does not hold the last chunks") {
  World world;
  Member& client = world.add();
  Member& slow = world.add();
  Member& fast = world.add();
  const Packed package = packed(32);
  slow.hold(package);
  fast.hold(package);
  // Never silent for long enough to be left.
  slow.disk = [](const StoreOp& op) {
    return std::holds_alternative<store::ReadChunk>(op) ? base::Duration{15s} : base::Duration{};
  };
  world.fetch(client, 1, package, {&slow, &fast});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(done.took < 5s);
}

TEST_CASE("fetch: a peer that vanishes in the middle is replaced") {
  World world;
  Member& client = world.add();
  Member& gone = world.add();
  Member& stays = world.add();
  const Packed package = packed(40);
  for (Member* member : {&gone, &stays}) {
    member->hold(package);
    member->disk = [](const StoreOp&) { return 30ms; };
  }
  world.fetch(client, 1, package, {&gone, &stays});
  while (gone.server->served_bytes() < 3 * Archive::kUsualChunk) world.run_for(2ms);
  gone.answer = [](const reqresp::Request&) {};
  world.cut(gone);
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(done.sources.size() == 2);
}

TEST_CASE("fetch: the only peer may come back") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  const Packed package = packed(40);
  seeder.hold(package);
  seeder.disk = [](const StoreOp&) { return 30ms; };
  world.fetch(client, 1, package, {&seeder});
  while (seeder.server->served_bytes() < 3 * Archive::kUsualChunk) world.run_for(2ms);
  world.cut(seeder);
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(done.took < 20s);
}

TEST_CASE("fetch: peers that refuse, say missing, end early or answer nonsense are left") {
  World world;
  Member& client = world.add();
  const Packed package = packed(30);
  Member& honest = world.add();
  honest.hold(package);
  std::vector<Member*> all;
  Member& refuses = world.add();
  refuses.answer = [&](const reqresp::Request& request) { refuses.requests->refuse(request.id); };
  Member& missing = world.add();
  missing.answer =
      [&, whole = provider(world, missing, package, nullptr)](const reqresp::Request& request) {
        const auto asked = *decode_fetch_request(request.message.map());
        if (std::holds_alternative<ListRequest>(asked)) return whole(request);
        const auto message = encode(ChunkResponse{std::get<ChunksRequest>(asked).first, true});
        missing.requests->respond(request.id, message, 0, world.now());
        missing.requests->finish(request.id, world.now());
      };
  Member& early = world.add();
  early.answer =
      [&, whole = provider(world, early, package, nullptr)](const reqresp::Request& request) {
        const auto asked = *decode_fetch_request(request.message.map());
        if (std::holds_alternative<ListRequest>(asked)) return whole(request);
        const std::uint64_t first = std::get<ChunksRequest>(asked).first;
        early.requests->respond(request.id, encode(ChunkResponse{first}),
                                package.archive.chunk_bytes(first), world.now());
        early.requests->write_body(request.id, base::Buffer::copy_of(package.chunk(first)),
                                   world.now());
        early.requests->finish(request.id, world.now());
      };
  Member& nonsense = world.add();
  nonsense.answer = [&](const reqresp::Request& request) {
    nonsense.requests->respond(request.id, reqresp::MapBuilder{}.text("index", "none"), 1000,
                               world.now());
    nonsense.requests->write_body(request.id, base::Buffer::copy_of(base::Bytes(1000)),
                                  world.now());
    nonsense.requests->finish(request.id, world.now());
  };
  // The honest one is slow, so that all have their turn.
  honest.disk = [](const StoreOp&) { return 100ms; };
  world.fetch(client, 1, package, {&refuses, &missing, &early, &nonsense, &honest});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(success_of(world, client, refuses) < 0.5);
  CHECK(success_of(world, client, missing) < 0.5);
  CHECK(success_of(world, client, nonsense) < 0.5);
  CHECK(success_of(world, client, honest) > 0.8);
}

TEST_CASE("fetch: with liars only it fails when nobody else was found in time") {
  World world;
  Member& client = world.add();
  const Packed package = packed(8);
  std::vector<Member*> liars;
  for (int i = 0; i < 3; ++i) {
    Member& liar = world.add();
    liar.answer = provider(world, liar, package, [&](std::uint64_t chunk) {
      return std::optional(flipped(package.chunk(chunk)));
    });
    liars.push_back(&liar);
  }
  world.fetch(client, 1, package, liars);
  const auto done = world.finish(client, 1);
  CHECK(done.result.error() == FetchError::kUnavailable);
  CHECK(done.took == FetchConfig{}.give_up_after + 10ms);
  CHECK(client.archives.find(package.archive.root)->held.held() == 0);
  for (const Member* liar : liars) CHECK(success_of(world, client, *liar) < 0.2);
}

TEST_CASE("fetch: peers that claim the same chunk do not keep others away") {
  World world;
  FetchConfig config;
  config.max_providers = 2;
  Member& client = world.add(config);
  const Packed package = packed(12);
  std::vector<Member*> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(&world.add());
    peers.back()->answer = [&world, &package,
                            self = peers.back()](const reqresp::Request& request) {
      if (!std::holds_alternative<ListRequest>(*decode_fetch_request(request.message.map())))
        return;
      ChunkSet one(package.archive.chunk_count());
      one.insert(0);
      const base::Bytes body = chunk_list_body(package.hashes);
      self->requests->respond(request.id, encode(ListResponse{one}), body.size(), world.now());
      self->requests->write_body(request.id, base::Buffer::copy_of(body), world.now());
      self->requests->finish(request.id, world.now());
    };
  }
  peers.push_back(&world.add());
  peers.back()->hold(package);
  world.fetch(client, 1, package, peers);
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(done.took < 10s);
}

TEST_CASE("fetch: knows a bounded number of peers") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  const Packed package = packed(3);
  seeder.hold(package);
  world.connect(client, seeder);
  std::vector<multiformats::PeerId> peers;
  for (std::size_t i = 0; i < Transfer::kMaxProviders; ++i) {
    std::array<std::uint8_t, 32> seed{0xee, static_cast<std::uint8_t>(i)};
    peers.push_back(multiformats::PeerId::of(crypto::KeyPair::from_seed(seed).public_key()));
  }
  peers.push_back(world.id(seeder));
  world.act(client, [&](base::Instant now) {
    client.fetcher->fetch(1, package.archive, peers, now);
    client.fetcher->fetch(2, package.archive, std::vector{world.id(seeder)}, now);
  });
  CHECK(world.finish(client, 1).result.error() == FetchError::kUnavailable);
  CHECK(world.finish(client, 2).result.error() == FetchError::kUnavailable);
}

TEST_CASE("fetch: a slow disk slows the peers down") {
  World world;
  Member& client = world.add();
  std::vector<Member*> seeders;
  const Packed package = packed(80);
  for (int i = 0; i < 3; ++i) {
    seeders.push_back(&world.add());
    seeders.back()->hold(package);
  }
  client.disk = [](const StoreOp& op) {
    return std::holds_alternative<store::WriteChunk>(op) ? base::Duration{10s} : base::Duration{};
  };
  std::size_t most = 0;
  world.each_tick = [&] { most = std::max(most, client.pending_writes()); };
  world.fetch(client, 1, package, seeders);
  world.run_for(9s);
  CHECK(most > 0);
  // Each of the two streams to a peer may have grown its window once, while the first chunk came.
  CHECK(most <= 3 * 2 * 2);
  std::uint64_t served = 0;
  for (const Member* seeder : seeders) served += seeder->server->served_bytes();
  CHECK(served <= 3 * 2 * 3 * Archive::kUsualChunk);
  // Who is held back is not blamed for it.
  CHECK(world.finish(client, 1).result);
  for (const Member* seeder : seeders) {
    CHECK(client.reputation.standing(world.id(*seeder), world.now()).failures == 0);
  }
}

TEST_CASE("fetch: short requests do not get round a slow disk") {
  World world;
  Member& client = world.add();
  Member& seeder = world.add();
  // Only every other chunk is missing here, so that each request is for one chunk.
  const Packed package = packed(120);
  seeder.hold(package);
  for (std::uint64_t i = 0; i < 120; i += 2) client.hold(package, i, i + 1);
  client.disk = [](const StoreOp&) { return 5s; };
  std::size_t most = 0;
  world.each_tick = [&] { most = std::max(most, client.pending_writes()); };
  world.fetch(client, 1, package, {&seeder});
  world.run_for(4s);
  const FetchConfig config;
  CHECK(most <= config.max_providers * config.requests_per_peer + config.requests_per_peer);
  CHECK(world.finish(client, 1).result);
}
