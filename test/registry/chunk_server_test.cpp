#include "fetch_world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

// Asks for chunks and does not read them.
reqresp::RequestId ask(World& world, Member& client, const Member& server, const Packed& package,
                       std::uint64_t first, std::uint64_t count) {
  reqresp::RequestId id;
  world.act(client, [&](base::Instant now) {
    const auto message = encode(ChunksRequest{package.archive.root, first, count});
    id = client.requests->request(world.id(server), client.service, message, 1h, now);
  });
  return id;
}

std::vector<ChunkResponse> responses(const Member& client, const Packed& package,
                                     reqresp::RequestId id, std::uint64_t first) {
  std::vector<ChunkResponse> found;
  for (const auto& output : client.strangers) {
    const auto* response = std::get_if<reqresp::Response>(&output);
    if (response == nullptr || response->id != id) continue;
    found.push_back(
        *decode_chunk_response(response->message.map(), response->body, package.archive, first++));
  }
  return found;
}

}  // namespace

TEST_CASE("chunk server: who does not read costs two chunks, and not for ever") {
  World world;
  Member& server = world.add();
  Member& client = world.add();
  const Packed package = packed(16);
  server.hold(package);
  world.connect(client, server);
  std::size_t most = 0;
  world.each_tick = [&] { most = std::max(most, server.server->reserved_bytes()); };
  ask(world, client, server, package, 0, 16);
  world.run_for(10s);
  CHECK(most <= 2 * Archive::kUsualChunk);
  CHECK(server.server->reserved_bytes() > 0);
  // What a stream's window and queue take, and the two.
  CHECK(server.storage.runs<store::ReadChunk>() <= 4);
  world.run_for(30s);
  CHECK(server.server->reserved_bytes() == 0);
  CHECK(server.queue.pending() == 0);
}

TEST_CASE("chunk server: all peers together have one limit, and everybody gets a turn") {
  World world;
  FetchConfig config;
  config.max_serving_bytes = 4 * Archive::kUsualChunk;
  Member& server = world.add(config);
  const Packed package = packed(16);
  server.hold(package);
  std::vector<Member*> idle;
  for (int i = 0; i < 3; ++i) {
    idle.push_back(&world.add());
    world.connect(*idle.back(), server);
  }
  std::size_t most = 0;
  world.each_tick = [&] { most = std::max(most, server.server->reserved_bytes()); };
  for (Member* member : idle) {
    for (int i = 0; i < 6; ++i) ask(world, *member, server, package, 0, 16);
  }
  world.run_for(5s);
  CHECK(most == config.max_serving_bytes);

  // Somebody who reads is served as soon as the others' streams are ended.
  Member& client = world.add();
  world.fetch(client, 1, package, {&server});
  const auto done = world.finish(client, 1);
  CHECK(done.result);
  CHECK(client.holds(package));
  CHECK(most == config.max_serving_bytes);
  world.run_for(60s);
  CHECK(server.server->reserved_bytes() == 0);
}

TEST_CASE("chunk server: who goes while it waits leaves nothing behind") {
  World world;
  FetchConfig config;
  config.max_serving_bytes = Archive::kUsualChunk;
  Member& server = world.add(config);
  Member& client = world.add();
  const Packed package = packed(16);
  server.hold(package);
  world.connect(client, server);
  std::vector<reqresp::RequestId> waiting;
  for (int i = 0; i < 6; ++i) waiting.push_back(ask(world, client, server, package, 0, 16));
  world.run_for(100ms);
  CHECK(server.server->reserved_bytes() == Archive::kUsualChunk);
  world.act(client, [&](base::Instant) {
    for (const auto id : waiting) client.requests->cancel(id);
  });
  world.run_for(100ms);
  CHECK(server.server->reserved_bytes() == 0);
  CHECK(server.server->streams() == 0);
  CHECK(server.server->waiting() == 0);
}

TEST_CASE("chunk server: what the disk lost is missing, never wrong") {
  World world;
  Member& server = world.add();
  Member& client = world.add();
  const Packed package = packed(4);
  server.hold(package);
  server.storage.damage_chunk(package.archive.root, 3);
  world.connect(client, server);
  const auto id = ask(world, client, server, package, 3, 1);
  world.run_for(1s);
  CHECK(responses(client, package, id, 3) == std::vector{ChunkResponse{3, true}});
  CHECK_FALSE(server.archives.is_whole(package.archive.root));
  CHECK(server.archives.find(package.archive.root)->held.held() == 3);
  CHECK(server.server->served_bytes() == 0);
  CHECK(server.server->reserved_bytes() == 0);

  // Once it is known, the disk is not asked again. Nor for what is beyond the archive.
  const auto reads = server.storage.runs<store::ReadChunk>();
  const auto again = ask(world, client, server, package, 3, 5);
  world.run_for(1s);
  const auto all = responses(client, package, again, 3);
  CHECK(all.size() == 5);
  for (const auto& response : all) CHECK(response.missing);
  CHECK(server.storage.runs<store::ReadChunk>() == reads);
}

TEST_CASE("chunk server: nonsense is refused, unknown archives are missing") {
  World world;
  Member& server = world.add();
  Member& client = world.add();
  const Packed package = packed(4);
  world.connect(client, server);
  const auto unknown = ask(world, client, server, package, 0, 2);
  reqresp::RequestId nonsense;
  reqresp::RequestId list;
  world.act(client, [&](base::Instant now) {
    nonsense = client.requests->request(world.id(server), client.service,
                                        reqresp::MapBuilder{}.text("type", "all"), 1h, now);
    list = client.requests->request(world.id(server), client.service,
                                    encode(ListRequest{package.archive.root}), 1h, now);
  });
  world.run_for(1s);
  CHECK(responses(client, package, unknown, 0).size() == 2);
  std::size_t checked = 0;
  for (const auto& output : client.strangers) {
    if (const auto* done = std::get_if<reqresp::RequestDone>(&output)) {
      if (done->id == nonsense) {
        CHECK(done->result.error() == reqresp::Error::kReset);
        ++checked;
      }
    } else if (const auto* response = std::get_if<reqresp::Response>(&output)) {
      if (response->id == list) {
        CHECK_FALSE(
            decode_list_response(response->message.map(), response->body, package.archive)->chunks);
        ++checked;
      }
    }
  }
  CHECK(checked == 2);
  CHECK(server.storage.runs<store::ReadList>() == 0);
}
