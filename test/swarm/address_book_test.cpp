#include "swarm/address_book.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;

namespace {

std::vector<Multiaddr> list(std::initializer_list<const char*> texts) {
  std::vector<Multiaddr> addresses;
  for (const char* text : texts) addresses.push_back(addr(text));
  return addresses;
}

Multiaddr numbered(unsigned number) {
  return addr("/ip4/192.0.2.1/tcp/" + std::to_string(1000 + number));
}

std::set<std::string> known(const AddressBook& book, const PeerId& of, Instant at) {
  std::set<std::string> result;
  for (const BookAddress& address : book.addresses(of, at)) {
    result.insert(address.address.to_string());
  }
  return result;
}

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("only addresses that can be dialled, and are the peer's, are kept") {
  const Config::Book config;
  AddressBook book(config);
  const auto given =
      list({"/ip4/192.0.2.1/tcp/1", "/dns4/a.example/tcp/2", "/dnsaddr/b.example",
            "/ip4/192.0.2.1/udp/1/quic-v1", "/ip4/0.0.0.0/tcp/1", "/ip4/192.0.2.1/tcp/0",
            "/ip4/224.0.0.1/tcp/5", "/ip4/192.0.2.1/tcp/1/ws"});
  CHECK(book.add(peer(1), given, AddressSource::kDht, 1h, kStart) == 3);
  CHECK(known(book, peer(1), kStart) ==
        Names{"/ip4/192.0.2.1/tcp/1", "/dns4/a.example/tcp/2", "/dnsaddr/b.example"});

  const std::vector<Multiaddr> named{numbered(1).with_peer_id(peer(2)),
                                     numbered(2).with_peer_id(peer(3))};
  CHECK(book.add(peer(2), named, AddressSource::kDht, 1h, kStart) == 1);
  CHECK(known(book, peer(2), kStart) == Names{numbered(1).to_string()});

  // What leaves nothing to keep leaves no entry behind.
  CHECK(book.add(peer(9), list({"/ip4/0.0.0.0/tcp/1"}), AddressSource::kDht, 1h, kStart) == 0);
  CHECK(book.add(peer(9), list({"/ip4/192.0.2.1/tcp/1"}), AddressSource::kDht, 0s, kStart) == 0);
  CHECK(book.size() == 2);
}

TEST_CASE("addresses expire one by one, and then the peer") {
  const Config::Book config;
  AddressBook book(config);
  book.add(peer(1), list({"/ip4/192.0.2.1/tcp/1"}), AddressSource::kDht, 10min, kStart);
  book.add(peer(1), list({"/ip4/192.0.2.1/tcp/2"}), AddressSource::kDht, 20min, kStart);
  CHECK(known(book, peer(1), kStart + 10min) == Names{"/ip4/192.0.2.1/tcp/2"});
  CHECK(book.next_deadline() == kStart + 20min);
  book.handle_timeout(kStart + 19min);
  CHECK(book.size() == 1);
  book.handle_timeout(kStart + 20min);
  CHECK(book.size() == 0);
  CHECK_FALSE(book.next_deadline());
  // No longer than the limit, whatever is asked for; hearing of it again prolongs it.
  book.add(peer(1), list({"/ip4/192.0.2.1/tcp/1"}), AddressSource::kDht, 10000h, kStart);
  CHECK(book.next_deadline() == kStart + config.max_ttl);
  CHECK(book.add(peer(1), list({"/ip4/192.0.2.1/tcp/1"}), AddressSource::kDht, 24h, kStart + 1h) ==
        0);
  CHECK(book.next_deadline() == kStart + 25h);
}

TEST_CASE("a connected peer is kept, and for a while after it has gone") {
  const Config::Book config;
  AddressBook book(config);
  book.add(peer(1), list({"/ip4/192.0.2.1/tcp/1"}), AddressSource::kDht, 1min, kStart);
  book.connected(peer(1));
  CHECK_FALSE(book.next_deadline());
  book.handle_timeout(kStart + 10h);
  CHECK(known(book, peer(1), kStart + 10h).size() == 1);
  book.disconnected(peer(1), kStart + 10h);
  CHECK(known(book, peer(1), kStart + 10h + 29min).size() == 1);
  book.handle_timeout(kStart + 10h + 30min);
  CHECK(book.size() == 0);
  // Of a connected peer without addresses nothing stays behind.
  book.connected(peer(2));
  CHECK(book.size() == 1);
  book.disconnected(peer(2), kStart);
  CHECK(book.size() == 0);
}

TEST_CASE("a flood of one peer's addresses is bounded and spares the good ones") {
  const Config::Book config;
  AddressBook book(config);
  book.add(peer(1), list({"/ip4/192.0.2.9/tcp/1"}), AddressSource::kUser, 1min, kStart);
  book.succeeded(peer(1), addr("/ip4/192.0.2.9/tcp/2"), kStart);
  book.add(peer(1), list({"/ip4/192.0.2.9/tcp/3"}), AddressSource::kIdentify, 1min, kStart);
  for (unsigned i = 0; i < 1000; ++i) {
    book.add(peer(1), {{numbered(i)}}, AddressSource::kExchange, 10h, kStart + 1s * i / 1000);
  }
  const auto left = known(book, peer(1), kStart + 1s);
  CHECK(left.size() == config.max_addresses_per_peer);
  for (int port = 1; port <= 3; ++port) {
    CHECK(left.contains("/ip4/192.0.2.9/tcp/" + std::to_string(port)));
  }
  CHECK(left.contains(numbered(999).to_string()));  // the newest of the others
}

TEST_CASE("a flood of strangers is bounded and does not push out known peers") {
  Config::Book config;
  config.max_peers = 10;
  AddressBook book(config);
  book.add(peer(1), {{numbered(1)}}, AddressSource::kUser, 1min, kStart);
  book.succeeded(peer(2), numbered(2), kStart);
  book.connected(peer(3));
  book.add(peer(4), {{numbered(4)}}, AddressSource::kDht, 1min, kStart);
  for (std::uint32_t i = 100; i < 1100; ++i) {
    book.add(peer(i), {{numbered(7)}}, AddressSource::kDht, 10h, kStart);
    REQUIRE(book.size() <= 10);
  }
  CHECK(known(book, peer(1), kStart).size() == 1);
  CHECK(known(book, peer(2), kStart).size() == 1);
  CHECK(known(book, peer(4), kStart).empty());  // a stranger itself, and the first to expire
  book.disconnected(peer(3), kStart);
  CHECK(book.size() == 9);
}

TEST_CASE("a book full of connected peers takes no more") {
  Config::Book config;
  config.max_peers = 3;
  AddressBook book(config);
  for (std::uint32_t i = 1; i <= 3; ++i) book.connected(peer(i));
  CHECK(book.add(peer(9), {{numbered(1)}}, AddressSource::kDht, 1h, kStart) == 0);
  CHECK(book.add_record({peer(9), 1, {numbered(1)}}, {}, kStart) ==
        std::unexpected(RecordError::kBookFull));
  CHECK(book.add(peer(1), {{numbered(1)}}, AddressSource::kDht, 1h, kStart) == 1);
}

TEST_CASE("peers that come and go leave no more in a book than it may hold") {
  Config::Book config;
  config.max_peers = 3;
  AddressBook book(config);
  for (std::uint32_t i = 1; i <= 20; ++i) {
    book.connected(peer(i));
    book.add(peer(i), {{numbered(i)}}, AddressSource::kDht, 1h, kStart);
    if (i > 5) book.disconnected(peer(i - 5), kStart);
    CHECK(book.size() <= 5 + config.max_peers);
  }
  for (std::uint32_t i = 16; i <= 20; ++i) book.disconnected(peer(i), kStart);
  CHECK(book.size() == config.max_peers);
}

TEST_CASE("success and failure are noted, and a disproved address goes") {
  const Config::Book config;
  AddressBook book(config);
  book.add(peer(1), {{numbered(1)}}, AddressSource::kDht, 1h, kStart);
  book.add(peer(1), {{numbered(2)}}, AddressSource::kUser, 1h, kStart);
  book.failed(peer(1), numbered(1), kStart + 1s);
  CHECK(book.find(peer(1), numbered(1))->last_failure == kStart + 1s);
  book.succeeded(peer(1), numbered(1), kStart + 2s);
  CHECK(book.find(peer(1), numbered(1))->last_success == kStart + 2s);
  CHECK(book.find(peer(1), numbered(1))->source == AddressSource::kDialed);
  book.disproved(peer(1), numbered(1), kStart + 3s);
  CHECK(book.find(peer(1), numbered(1)) == nullptr);
  book.disproved(peer(1), numbered(2), kStart + 3s);  // the user may know better
  CHECK(book.find(peer(1), numbered(2))->last_failure == kStart + 3s);
  // What is said of unknown peers is not believed to be an entry.
  book.failed(peer(7), numbered(1), kStart);
  book.disproved(peer(7), numbered(1), kStart);
  CHECK(book.size() == 1);
}

TEST_CASE("a record replaces the record before, and nothing else") {
  const Config::Book config;
  AddressBook book(config);
  const base::Bytes envelope{1, 2, 3};
  book.add(peer(1), {{numbered(1)}}, AddressSource::kIdentify, 1h, kStart);
  REQUIRE(book.add_record({peer(1), 5, {numbered(2), numbered(3)}}, envelope, kStart));
  book.succeeded(peer(1), numbered(3), kStart);
  CHECK(base::equal(book.record(peer(1)), envelope));
  CHECK(book.sequence(peer(1)) == 5);
  CHECK(book.find(peer(1), numbered(2))->source == AddressSource::kRecord);

  CHECK(book.add_record({peer(1), 5, {}}, {}, kStart) == std::unexpected(RecordError::kStale));
  CHECK(book.add_record({peer(1), 4, {}}, {}, kStart) == std::unexpected(RecordError::kStale));
  REQUIRE(book.add_record({peer(1), 6, {numbered(3), numbered(4)}}, {}, kStart));
  CHECK(known(book, peer(1), kStart) ==
        Names{numbered(1).to_string(), numbered(3).to_string(), numbered(4).to_string()});
  CHECK(book.find(peer(1), numbered(3))->last_success == kStart);
  CHECK(book.record(peer(1)).empty());
  CHECK(book.record(peer(2)).empty());
}
