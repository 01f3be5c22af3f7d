#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <malloc.h>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/kad/engine.hpp>

#include "measure.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;

constexpr std::size_t kRecords = 100'000;
constexpr base::Instant kNow{std::chrono::hours{1}};

multiformats::PeerId numbered_peer(std::size_t number) {
  base::Bytes multihash{0x12, 0x20};
  base::append(multihash, crypto::sha256(base::as_bytes(fmt::format("peer {}", number))));
  return *multiformats::PeerId::decode(multihash);
}
base::Bytes numbered_key(std::size_t number) {
  base::Bytes multihash{0x12, 0x20};
  base::append(multihash, crypto::sha256(base::as_bytes(fmt::format("file {}", number))));
  return multihash;
}
/// What peers tell of themselves: IPv4 and IPv6, TCP and QUIC.
std::vector<multiformats::Multiaddr> addresses_of(std::size_t number) {
  std::vector<multiformats::Multiaddr> addresses;
  for (const char* form :
       {"/ip4/10.{}.{}.{}/tcp/4001", "/ip4/10.{}.{}.{}/udp/4001/quic-v1",
        "/ip6/2001:db8:{}:{}::{}/tcp/4001", "/ip6/2001:db8:{}:{}::{}/udp/4001/quic-v1"}) {
    const auto text =
        fmt::format(fmt::runtime(form), number >> 16 & 255, number >> 8 & 255, number & 255);
    addresses.push_back(*multiformats::Multiaddr::parse(text));
  }
  return addresses;
}

/// Bytes that `make` takes from the heap and keeps, with what the allocator adds.
template <class Make>
double heap_bytes(Make&& make) {
  const std::size_t before = ::mallinfo2().uordblks;
  const auto made = make();
  return static_cast<double>(::mallinfo2().uordblks - before);
}
std::string mib(double bytes) {
  return fmt::format("{:.1f} MB", bytes / 1e6);
}

kad::ProviderStore filled_store(std::size_t providers) {
  kad::ProviderStoreConfig config;
  config.max_per_peer = kRecords;
  kad::ProviderStore store{config, kad::Key::of(numbered_peer(0))};
  for (std::size_t i = 0; i < kRecords; ++i) {
    const std::size_t peer = 1 + i % providers;
    store.add(kad::Key::of(numbered_key(i)), numbered_peer(peer), addresses_of(peer), kNow);
  }
  return store;
}

void memory_rows(Table& table) {
  for (const std::size_t providers : {std::size_t{100}, std::size_t{10'000}, kRecords}) {
    table.push_back({fmt::format("DHT, 100,000 provider records of {} peers held", providers),
                     mib(heap_bytes([&] { return filled_store(providers); })),
                     "heap, each key with one provider, four addresses a peer"});
  }
  const auto crypto = crypto::make_system_crypto();
  const double own = heap_bytes([&] {
    kad::Engine engine{kad::Config{}, numbered_peer(0), *crypto, base::WallTime{}};
    for (std::size_t i = 0; i < kRecords; ++i) {
      if (!engine.resume_providing(numbered_key(i), kNow)) break;
    }
    return engine;
  });
  table.push_back({"DHT, 100,000 own keys provided", mib(own), "heap, the whole engine"});
}

double nearest_us() {
  const kad::TableConfig config;
  kad::RoutingTable routing{config, kad::Key::of(numbered_peer(0))};
  for (std::size_t i = 1; i <= 500; ++i) {
    routing.add(numbered_peer(i), {}, std::nullopt, kNow);
  }
  std::vector<kad::Key> targets;
  for (std::size_t i = 0; i < 1024; ++i) targets.push_back(kad::Key::of(numbered_key(i)));
  std::size_t next = 0;
  std::size_t found = 0;
  const double calls = rate(std::chrono::milliseconds{500}, [&] {
    found += routing.nearest(targets[next++ % targets.size()], 20).size();
  });
  return found > 0 ? 1e6 / calls : 0;
}

}  // namespace

void kad_rows(Table& table) {
  memory_rows(table);
  pin(0);
  table.push_back({"DHT, the nearest 20 in the table of one who has met 500 peers",
                   fmt::format("{:.2f} us", nearest_us()), "pinned, half a second"});
  pin(-1);
}

}  // namespace bench
