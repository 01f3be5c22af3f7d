#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "owner.hpp"
#include "stream.hpp"

namespace {

// What this program has allocated through operator new, and how often.
std::size_t allocated_bytes = 0;
std::size_t allocations = 0;

constexpr std::size_t kSizeField = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t size) {
  void* block = std::malloc(size + kSizeField);
  if (block == nullptr) throw std::bad_alloc{};
  *static_cast<std::size_t*>(block) = size;
  allocated_bytes += size;
  ++allocations;
  return static_cast<char*>(block) + kSizeField;
}

void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  char* start = static_cast<char*>(block) - kSizeField;
  allocated_bytes -= *reinterpret_cast<std::size_t*>(start);
  std::free(start);
}

void operator delete(void* block, std::size_t) noexcept {
  operator delete(block);
}

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;
using namespace ggen::p2p::yamux::test;

namespace {

/// Moves what `from` has to send to `to`, in messages of 64 KiB; `each` takes the events.
template <class Each>
void carry(Session& from, Session& to, Instant now, Each&& each) {
  while (from.wants_transmit()) {
    base::Buffer message = base::Buffer::allocate(65408);
    message.truncate(from.transmit(message.writable(), now));
    while (from.poll()) {
    }
    to.receive(std::move(message), now);
    while (auto event = to.poll()) each(*event);
  }
}

void ignore(const Event&) {}

}  // namespace

TEST_CASE("memory: an idle session and an idle stream are small") {
  const std::size_t before = allocated_bytes;
  Session client{Role::kClient, Config{}, {}};
  Session server{Role::kServer, Config{}, {}};
  carry(client, server, {}, ignore);
  carry(server, client, {}, ignore);
  CHECK((allocated_bytes - before) / 2 + sizeof(Session) < 2048);
  CHECK(sizeof(Stream) < 300);

  // A burst leaves nothing behind once its streams are closed.
  const std::size_t idle = allocated_bytes;
  std::vector<StreamId> streams;
  for (int i = 0; i < 200; ++i) {
    streams.push_back(client.open({}).value());
    client.write(streams.back(), Bytes(100));
    client.finish(streams.back());
  }
  carry(client, server, {}, ignore);
  for (const StreamId stream : streams) server.finish(stream);
  carry(server, client, {}, ignore);
  CHECK(client.stream_count() + server.stream_count() == 0);
  streams = std::vector<StreamId>();
  // The pool of buffer blocks keeps what passed through it; that is not the sessions'.
  CHECK(allocated_bytes < idle + 2048 + 200 * 256 + 3 * 65536);
}

TEST_CASE("memory: a warm data path allocates nothing") {
  Session client{Role::kClient, Config{}, {}};
  Session server{Role::kServer, Config{}, {}};
  const StreamId bulk = client.open({}).value();
  const StreamId small = client.open({}).value();
  const Bytes chunk(128 * 1024);
  std::size_t received = 0;
  std::size_t before = 0;
  for (int round = 0; round < 400; ++round) {
    if (round == 200) before = allocations;
    client.write(bulk, chunk);
    client.write(small, BytesView{chunk}.first(100));
    std::array<std::size_t, 2> consumed{};
    carry(client, server, {}, [&](const Event& event) {
      const auto* data = std::get_if<event::Data>(&event);
      if (data == nullptr) return;
      consumed[data->stream == bulk ? 0 : 1] += data->data.size();
      received += data->data.size();
    });
    server.consume(bulk, consumed[0], {});
    server.consume(small, consumed[1], {});
    carry(server, client, {}, ignore);
  }
  CHECK(received == 400 * (chunk.size() + 100));
  CHECK(allocations == before);
}
