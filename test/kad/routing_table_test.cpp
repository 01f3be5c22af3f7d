// The routing table against a brute-force oracle, its limits, and who keeps a place.

#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/kad/routing_table.hpp>

#include "values.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using namespace std::chrono_literals;
using kad::Added;
using kad::Key;
using kad::RoutingTable;
using kad::TableConfig;
using multiformats::IpAddress;
using multiformats::Multiaddr;

namespace {

constexpr base::Instant kStart{};
const Key kLocal = Key::of(text("local"));

base::Instant second(std::int64_t n) {
  return kStart + std::chrono::seconds{n};
}

Added add(RoutingTable& table, std::size_t number, base::Instant now = kStart) {
  return table.add(numbered_peer(number), std::array{numbered_address(number)}, {}, now);
}
/// Numbers of peers whose key shares exactly `prefix` bits with the local one.
std::vector<std::size_t> in_bucket(unsigned prefix, std::size_t count) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; numbers.size() < count; ++i) {
    if (Key::of(numbered_peer(i)).common_prefix(kLocal) == prefix) numbers.push_back(i);
  }
  return numbers;
}
Multiaddr address(std::string_view ip) {
  return *Multiaddr::parse("/ip4/" + std::string{ip});
}

void check_invariants(const RoutingTable& table, const TableConfig& config) {
  std::size_t size = 0;
  std::map<IpAddress, std::size_t> groups;
  for (std::size_t i = 0; i < table.buckets(); ++i) {
    const auto bucket = table.bucket(i);
    RC_ASSERT(bucket.size() <= config.bucket_size);
    size += bucket.size();
    std::map<IpAddress, std::size_t> here;
    for (const auto& entry : bucket) {
      RC_ASSERT(entry.key.common_prefix(kLocal) == i);
      for (const auto& group : entry.groups) {
        ++groups[group];
        RC_ASSERT(++here[group] <= config.max_per_group_in_bucket);
      }
    }
    RC_ASSERT(std::ranges::is_sorted(bucket, {}, &kad::TableEntry::last_seen));
  }
  RC_ASSERT(size == table.size());
  for (const auto& entry : groups) RC_ASSERT(entry.second <= config.max_per_group);
}

}  // namespace

TEST_CASE("nearest() gives what sorting everybody gives") {
  RoutingTable table{{}, kLocal};
  for (std::size_t i = 0; i < 2'000; ++i) add(table, i);
  std::vector<Key> keys;
  for (std::size_t i = 0; i < table.buckets(); ++i) {
    for (const auto& entry : table.bucket(i)) keys.push_back(entry.key);
  }
  CHECK(keys.size() > 100);
  base::Prng prng{5};
  for (int round = 0; round < 100; ++round) {
    // Far ones, and ones close to the local key, down to equal.
    std::array<std::uint8_t, 32> bytes{};
    prng.fill(bytes);
    Key target = Key::at(bytes);
    if (round % 3 == 0) target = Key::of(numbered_peer(static_cast<std::size_t>(round)));
    if (round % 10 == 0) target = kLocal;
    std::ranges::sort(keys, {}, [&](const Key& key) { return key.distance(target); });
    for (const std::size_t count : {0U, 1U, 20U, 60U, 1'000U}) {
      const auto found = table.nearest(target, count);
      REQUIRE(found.size() == std::min<std::size_t>(count, keys.size()));
      for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i]->key == keys[i]);
    }
  }
}

TEST_CASE("whatever happens, the limits hold") {
  CHECK(rc::check("after any calls", [] {
    TableConfig config;
    config.bucket_size = 4;
    config.replacements = 2;
    RoutingTable table{config, kLocal};
    std::set<multiformats::PeerId> inside;
    for (int step = 0; step < 200; ++step) {
      const auto number = *rc::gen::inRange<std::size_t>(0, 60);
      const auto peer = numbered_peer(number);
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
        case 1: {
          const auto net = *rc::gen::inRange<int>(1, 8);
          const auto ip = std::to_string(50 + net) + ".1.2." + std::to_string(number);
          table.add(peer, std::array{address(ip)}, {}, second(step));
          break;
        }
        case 2:
          table.alive(peer, 5ms, second(step));
          break;
        case 3:
          table.failed(peer);
          break;
        default:
          table.remove(peer);
      }
      while (const auto change = table.poll_change()) {
        if (change->added) {
          RC_ASSERT(inside.insert(change->peer).second);
        } else {
          RC_ASSERT(inside.erase(change->peer) == 1);
        }
      }
      RC_ASSERT(inside.size() == table.size());
      for (const auto& id : inside) RC_ASSERT(table.find(id) != nullptr);
      check_invariants(table, config);
    }
  }));
}

TEST_CASE("a full bucket keeps the old, and who waits takes the place of who fails") {
  RoutingTable table{{}, kLocal};
  const auto peers = in_bucket(0, 40);
  for (std::size_t i = 0; i < 20; ++i) CHECK(add(table, peers[i], second(1)) == Added::kAdded);
  for (std::size_t i = 20; i < 40; ++i) CHECK(add(table, peers[i], second(2)) == Added::kWaiting);
  CHECK(table.size() == 20);
  CHECK(add(table, peers[0], second(3)) == Added::kUpdated);
  CHECK(table.longest_silent(Key::of(numbered_peer(peers[0])))->peer == numbered_peer(peers[1]));

  table.failed(numbered_peer(peers[1]));
  CHECK(table.find(numbered_peer(peers[1])) == nullptr);
  CHECK(table.find(numbered_peer(peers[39])) != nullptr);  // the latest seen of those waiting
  CHECK(table.size() == 20);
}

TEST_CASE("without anybody waiting, a peer may fail twice; an answer forgives") {
  RoutingTable table{{}, kLocal};
  add(table, 1);
  const auto peer = numbered_peer(1);
  table.failed(peer);
  table.failed(peer);
  CHECK(table.nearest(kLocal, 20).size() == 1);
  CHECK(table.nearest(kLocal, 20, RoutingTable::Which::kHealthy).empty());
  table.alive(peer, 5ms, second(1));
  CHECK(table.nearest(kLocal, 20, RoutingTable::Which::kHealthy).size() == 1);
  for (int i = 0; i < 3; ++i) table.failed(peer);
  CHECK(table.empty());
  CHECK(table.buckets() == 0);
}

TEST_CASE("the latency of the last answer is kept when the peer says anew where it is") {
  RoutingTable table{{}, kLocal};
  add(table, 1);
  const auto peer = numbered_peer(1);
  CHECK_FALSE(table.find(peer)->latency);
  table.alive(peer, 70ms, second(1));
  table.alive(peer, 50ms, second(2));
  add(table, 1);
  CHECK(table.find(peer)->latency == base::Duration{50ms});
}

TEST_CASE("one network gets three places, two of them in a bucket") {
  RoutingTable table{{}, kLocal};
  const auto far = in_bucket(0, 3);
  const auto near = in_bucket(1, 2);
  const auto from = [&](std::size_t number, std::string_view ip) {
    return table.add(numbered_peer(number), std::array{address(ip)}, {}, kStart);
  };
  CHECK(from(far[0], "90.1.0.1") == Added::kAdded);
  CHECK(from(far[1], "90.1.77.1") == Added::kAdded);
  CHECK(from(far[2], "90.1.88.1") == Added::kCrowded);
  CHECK(from(near[0], "90.1.0.1") == Added::kAdded);
  CHECK(from(near[1], "90.1.0.1") == Added::kCrowded);
  CHECK(from(near[1], "90.2.0.1") == Added::kAdded);
  // Moving into the crowd costs the place; leaving makes room.
  CHECK(from(near[1], "90.1.0.9") == Added::kCrowded);
  CHECK(table.find(numbered_peer(near[1])) == nullptr);
  table.remove(numbered_peer(far[0]));
  CHECK(from(far[2], "90.1.88.1") == Added::kAdded);
}

TEST_CASE("the address of the connection counts, however an announcement reads") {
  RoutingTable table{{}, kLocal};
  const auto peers = in_bucket(0, 3);
  const auto remote = IpAddress::parse("90.1.0.1");
  for (std::size_t i = 0; i < 3; ++i) {
    const auto claimed = address(std::to_string(100 + i) + ".1.1.1");
    const Added added = table.add(numbered_peer(peers[i]), std::array{claimed}, remote, kStart);
    CHECK(added == (i < 2 ? Added::kAdded : Added::kCrowded));
  }
}

TEST_CASE("loopback and private addresses do not crowd") {
  RoutingTable table{{}, kLocal};
  const auto peers = in_bucket(0, 20);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto where = address(i % 2 == 0 ? "127.0.0.1" : "192.168.1.1");
    CHECK(table.add(numbered_peer(peers[i]), std::array{where}, IpAddress::parse("127.0.0.1"),
                    kStart) == Added::kAdded);
  }
}

TEST_CASE("the local peer has no place, and addresses are limited") {
  RoutingTable table{{}, Key::of(numbered_peer(1))};
  CHECK(add(table, 1) == Added::kOwn);
  CHECK(table.empty());
  std::vector<Multiaddr> many;
  for (std::size_t i = 0; i < 100; ++i) many.push_back(address("127.0.0.1"));
  table.add(numbered_peer(2), many, {}, kStart);
  CHECK(table.find(numbered_peer(2))->addresses.size() == TableConfig{}.max_addresses);
}

TEST_CASE("where peers claim to be takes no places from those who are there") {
  RoutingTable table{{}, kLocal};
  const auto peers = in_bucket(0, 4);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto remote = IpAddress::parse(std::to_string(100 + i) + ".1.1.1");
    table.add(numbered_peer(peers[i]), std::array{address("90.1.0.1")}, remote, kStart);
  }
  CHECK(table.add(numbered_peer(peers[3]), std::array{address("90.1.0.1")},
                  IpAddress::parse("90.1.0.1"), kStart) == Added::kAdded);
}
