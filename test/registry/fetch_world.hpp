#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/registry/merkle.hpp>
#include <ggen/p2p/sim/memory_storage.hpp>

#include "../../src/registry/archives.hpp"
#include "../../src/registry/chunk_server.hpp"
#include "../../src/registry/fetcher.hpp"
#include "../../src/registry/reputation.hpp"
#include "../node/network.hpp"

namespace ggen::p2p::registry {

using namespace std::chrono_literals;

/// An archive with its bytes.
struct Packed {
  Archive archive;
  base::Bytes bytes;
  std::vector<crypto::Sha256Digest> hashes;

  [[nodiscard]] base::BytesView chunk(std::uint64_t index) const {
    return base::BytesView{bytes}.subspan(static_cast<std::size_t>(index) * archive.chunk_size,
                                          archive.chunk_bytes(index));
  }
};

/// So many chunks, the last one a short one.
inline Packed packed(std::uint64_t chunks, std::uint64_t seed = 1) {
  Packed made;
  const std::uint64_t size = (chunks - 1) * Archive::kUsualChunk + 1000;
  made.archive = {.packed_size = size, .tar_size = size, .chunk_size = Archive::kUsualChunk};
  made.bytes.resize(static_cast<std::size_t>(size));
  base::Prng{seed}.fill(made.bytes);
  for (std::uint64_t i = 0; i < chunks; ++i) made.hashes.push_back(chunk_hash(made.chunk(i)));
  made.archive.root = merkle_root(made.hashes);
  return made;
}

/// One node with a store, whose fetches and answers are those of the registry. With `answer` set,
/// it answers requests as a test says.
struct Member {
  Member(node::test::Network& net, std::size_t at, const FetchConfig& config) : index(at) {
    net.drive(index, [&](node::Node& node) {
      service = node.serve(fetch_service(), net.now);
      requests = &node.requests(net.now);
    });
    fetcher.emplace(*requests, service, queue, reputation, archives, config, base::Prng{7});
    server.emplace(*requests, service, queue, archives, config);
  }

  std::size_t index;
  reqresp::ServiceId service{};
  reqresp::Engine* requests = nullptr;
  StorageQueue queue;
  sim::MemoryStorage storage;
  Reputation reputation{{}};
  Archives archives;
  std::optional<Fetcher> fetcher;
  std::optional<ChunkServer> server;

  std::function<void(const reqresp::Request&)> answer;
  /// How long the disk takes for an operation.
  std::function<base::Duration(const StoreOp&)> disk = [](const StoreOp&) {
    return base::Duration{};
  };

  struct Pending {
    base::Instant when;
    Store store;
  };
  std::deque<Pending> pending;
  std::vector<FetcherOutput> events;
  std::vector<node::Output> strangers;  // of requests that are not the fetcher's

  [[nodiscard]] std::optional<event::FetchDone> done(OperationId id) const {
    for (const auto& event : events) {
      const auto* end = std::get_if<event::FetchDone>(&event);
      if (end != nullptr && end->id == id) return *end;
    }
    return std::nullopt;
  }
  template <class Event>
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events, [](const auto& event) { return std::holds_alternative<Event>(event); }));
  }
  [[nodiscard]] std::size_t pending_writes() const {
    return static_cast<std::size_t>(std::ranges::count_if(pending, [](const Pending& one) {
      return std::holds_alternative<store::WriteChunk>(one.store.op);
    }));
  }

  /// Puts an archive here, whole or the chunks of a range.
  void hold(const Packed& packed) {
    storage.import(packed.archive, packed.hashes, packed.bytes);
    archives.add_whole(packed.archive);
  }
  void hold(const Packed& packed, std::uint64_t first, std::uint64_t end) {
    std::ignore = storage.run(store::CreateBlob{packed.archive, packed.hashes});
    for (std::uint64_t i = first; i < end; ++i) {
      const auto written = storage.run(
          store::WriteChunk{packed.archive.root, i, base::Buffer::copy_of(packed.chunk(i))});
      REQUIRE(written);
    }
    auto listed = storage.run(store::ListBlobs{});
    archives.load(std::get<store::Blobs>(*listed));
  }
  [[nodiscard]] bool holds(const Packed& packed) {
    for (std::uint64_t i = 0; i < packed.archive.chunk_count(); ++i) {
      const auto chunk = storage.run(store::ReadChunk{packed.archive.root, i});
      if (!chunk ||
          !std::ranges::equal(std::get<store::Chunk>(*chunk).bytes.view(), packed.chunk(i))) {
        return false;
      }
    }
    return archives.is_whole(packed.archive.root);
  }
};

/// Whole nodes (noise, yamux) in virtual time, each with the fetching part of a registry.
class World {
 public:
  Member& add(const FetchConfig& config = {}) {
    const std::size_t index = net_.add();
    members_.push_back(std::make_unique<Member>(net_, index, config));
    return *members_.back();
  }
  void connect(const Member& a, const Member& b) { net_.connect(a.index, b.index); }
  void cut(const Member& member) { net_.cut(member.index); }
  [[nodiscard]] multiformats::PeerId id(const Member& member) const {
    return const_cast<node::test::Network&>(net_).node(member.index).id();
  }
  [[nodiscard]] base::Instant now() const { return net_.now; }

  /// Lets a member act within its node.
  template <class Act>
  void act(const Member& member, Act&& act) {
    net_.drive(member.index, [&](node::Node& node) {
      std::ignore = node.requests(net_.now);
      act(net_.now);
    });
  }
  /// Fetches from members that are connected first.
  void fetch(Member& member, OperationId id, const Packed& packed,
             const std::vector<Member*>& from) {
    std::vector<multiformats::PeerId> peers;
    for (const Member* other : from) {
      if (!net_.node(member.index).swarm().connected(this->id(*other))) connect(member, *other);
      peers.push_back(this->id(*other));
    }
    act(member, [&](base::Instant now) { member.fetcher->fetch(id, packed.archive, peers, now); });
    work();
  }
  [[nodiscard]] event::FetchDone finish(Member& member, OperationId id) {
    const base::Instant limit = net_.now + 10min;
    while (!member.done(id)) {
      REQUIRE(net_.now < limit);
      run_for(5ms);
    }
    return *member.done(id);
  }
  void run_for(base::Duration time) {
    const base::Instant end = net_.now + time;
    while (net_.now < end) {
      net_.run_for(std::min<base::Duration>(2ms, end - net_.now));
      work();
      if (each_tick) each_tick();
    }
  }

  std::function<void()> each_tick;

 private:
  void work() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& member : members_) moved = work(*member) || moved;
    }
  }
  bool work(Member& member) {
    bool moved = false;
    for (auto& output : std::exchange(net_[member.index].seen, {})) {
      act(member, [&](base::Instant now) { give(member, output, now); });
      moved = true;
    }
    if (const auto deadline = member.fetcher->next_deadline(); deadline && *deadline <= now()) {
      act(member, [&](base::Instant now) { member.fetcher->handle_timeout(now); });
      moved = true;
    }
    while (auto store = member.queue.poll()) {
      const base::Instant when = now() + member.disk(store->op);
      member.pending.push_back({when, std::move(*store)});
    }
    for (auto& one : std::exchange(member.pending, {})) {
      if (one.when > now()) {
        member.pending.push_back(std::move(one));
        continue;
      }
      StoreDone done{one.store.id, member.storage.run(std::move(one.store.op))};
      act(member, [&](base::Instant now) { member.queue.done(std::move(done), now); });
      moved = true;
    }
    while (auto event = member.fetcher->poll()) member.events.push_back(std::move(*event));
    return moved;
  }
  void give(Member& member, node::Output& output, base::Instant now) {
    bool ours = false;
    if (auto* response = std::get_if<reqresp::Response>(&output)) {
      ours = member.fetcher->handle(*response, now);
    } else if (auto* body = std::get_if<reqresp::ResponseBody>(&output)) {
      ours = member.fetcher->handle(*body, now);
    } else if (const auto* end = std::get_if<reqresp::RequestDone>(&output)) {
      ours = member.fetcher->handle(*end, now);
    } else if (const auto* asked = std::get_if<reqresp::Request>(&output)) {
      if (member.answer) {
        member.answer(*asked);
      } else {
        member.server->handle(*asked, now);
      }
    } else if (const auto* written = std::get_if<reqresp::BodyWritten>(&output)) {
      member.server->handle(*written, now);
    } else if (const auto* lost = std::get_if<reqresp::ServedLost>(&output)) {
      member.server->handle(*lost, now);
    }
    const bool of_request = std::holds_alternative<reqresp::Response>(output) ||
                            std::holds_alternative<reqresp::ResponseBody>(output) ||
                            std::holds_alternative<reqresp::RequestDone>(output);
    if (of_request && !ours) member.strangers.push_back(std::move(output));
  }

  node::test::Network net_;
  std::vector<std::unique_ptr<Member>> members_;
};

/// A provider that says it holds everything, and sends what `chunk` gives; nothing: it says nothing
/// any more.
inline auto provider(World& world, Member& member, const Packed& packed,
                     std::function<std::optional<base::Bytes>(std::uint64_t)> chunk) {
  return [&world, &member, &packed, chunk](const reqresp::Request& request) {
    const auto asked = decode_fetch_request(request.message.map());
    REQUIRE(asked);
    reqresp::Engine& requests = *member.requests;
    const base::Instant now = world.now();
    const auto send = [&](const reqresp::MapBuilder& message, base::BytesView body) {
      requests.respond(request.id, message, body.size(), now);
      requests.write_body(request.id, base::Buffer::copy_of(body), now);
    };
    if (const auto* range = std::get_if<ChunksRequest>(&*asked)) {
      for (std::uint64_t i = range->first; i < range->first + range->count; ++i) {
        const auto bytes = chunk(i);
        if (!bytes) return;
        send(encode(ChunkResponse{i}), *bytes);
      }
    } else {
      ChunkSet all(packed.archive.chunk_count());
      for (std::uint64_t i = 0; i < all.count(); ++i) all.insert(i);
      send(encode(ListResponse{all}), chunk_list_body(packed.hashes));
    }
    requests.finish(request.id, now);
  };
}

}  // namespace ggen::p2p::registry
