// The keys that are provided, and the parts of the sweep that know no network.

#include "../../src/kad/provided.hpp"

#include <map>
#include <set>

#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>

#include "../../src/kad/allotment.hpp"
#include "../../src/kad/announcements.hpp"
#include "../../src/kad/exploration.hpp"
#include "../../src/kad/region.hpp"
#include "../support/peers.hpp"
#include "values.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using kad::Place;
using kad::Prefix;

namespace {

constexpr base::Instant kStart{std::chrono::hours{1}};
base::Instant at(int seconds) {
  return kStart + std::chrono::seconds{seconds};
}
base::Bytes numbered_key(std::size_t number) {
  return text("key " + std::to_string(number));
}
Place place(const base::Bytes& key) {
  return kad::place_of(kad::Key::of(key));
}

/// Peers by their places, of whom any knows the nearest to a point.
std::map<Place, kad::PeerRecord> numbered_peers(std::size_t count) {
  std::map<Place, kad::PeerRecord> peers;
  for (std::size_t i = 0; i < count; ++i) {
    const auto record = numbered_record(i);
    peers.emplace(kad::place_of(kad::Key::of(record.peer)), record);
  }
  return peers;
}
std::vector<kad::PeerRecord> nearest(const std::map<Place, kad::PeerRecord>& peers, Place target,
                                     std::size_t k) {
  std::map<Place, kad::PeerRecord> sorted;
  for (const auto& [place, peer] : peers) sorted.emplace(place ^ target, peer);
  std::vector<kad::PeerRecord> found;
  for (const auto& [distance, peer] : sorted) {
    if (found.size() < k) found.push_back(peer);
  }
  return found;
}
/// Explores by an all-knowing network.
void explore(kad::Exploration& exploration, const std::map<Place, kad::PeerRecord>& peers,
             std::size_t k) {
  base::Prng prng{5};
  while (const auto part = exploration.next()) {
    const auto id = kad::random_id_in(*part, prng);
    REQUIRE(id);
    const Place target = kad::place_of(kad::Key::of(*id));
    REQUIRE(part->contains(target));
    exploration.found(target, nearest(peers, target, k));
  }
}

}  // namespace

TEST_CASE("provided keys agree with a plain list of them, whatever is done") {
  struct Plain {
    base::Instant due;
    base::Instant next;
  };
  base::Prng prng{3};
  kad::Provided provided;
  std::map<base::Bytes, Plain> plain;
  for (int step = 0; step < 6000; ++step) {
    const base::Bytes key = numbered_key(prng.below(700));
    const auto known = plain.find(key);
    const base::Instant when = at(static_cast<int>(prng.below(1000)));
    switch (prng.below(6)) {
      case 0:
      case 1:
        provided.insert(key, when, when);
        plain.try_emplace(key, Plain{when, when});
        break;
      case 2:
        if (prng.below(3) > 0) break;
        provided.erase(key);
        plain.erase(key);
        break;
      case 3:
        provided.told(key, when);
        if (known != plain.end()) known->second = {when, when};
        break;
      case 4:
        provided.missed(key, at(100), when);
        if (known != plain.end()) known->second = {std::min(known->second.due, at(100)), when};
        break;
      default:
        const Prefix part = Prefix::of(place(key), static_cast<unsigned>(prng.below(4)));
        std::size_t due = 0;
        for (auto& [other, plainly] : plain) {
          if (part.contains(place(other)) && plainly.next <= when) ++due;
        }
        CHECK(provided.count(part, when, 1000) == due);
        CHECK(provided.count(part, when, 3) == std::min<std::size_t>(due, 3));
        provided.begin_telling(part, when);
        CHECK(provided.telling(part, 1000).size() == due);
        provided.end_telling(part, when);
        for (auto& [other, plainly] : plain) {
          if (part.contains(place(other)) && plainly.next <= when) plainly.next = when;
        }
    }
    CHECK(provided.size() == plain.size());
    CHECK(provided.contains(key) == plain.contains(key));
    std::optional<base::Instant> next;
    std::optional<base::Instant> owed;
    for (const auto& [other, plainly] : plain) {
      next = base::earlier(next, plainly.next);
      owed = base::earlier(owed, plainly.due);
    }
    CHECK(provided.next() == next);
    CHECK(provided.owed_since() == owed);
    if (!next) continue;
    CHECK(provided.due(*next - std::chrono::nanoseconds{1}) == nullptr);
    const base::Bytes* first = provided.due(*next);
    REQUIRE(first != nullptr);
    CHECK(plain.at(*first).next == *next);
  }
  std::size_t owed = 0;
  for (const auto& [key, plainly] : plain) owed += plainly.due < at(500) ? 1 : 0;
  CHECK(provided.owed(at(500)) == owed);
}

TEST_CASE("a prefix holds what begins with its bits") {
  const Prefix part = Prefix::of(0xabcd'0000'0000'0001, 8);
  CHECK(part.first == 0xab00'0000'0000'0000);
  CHECK(part.last() == 0xabff'ffff'ffff'ffff);
  CHECK(part.sibling() == Prefix::of(0xaa00'0000'0000'0000, 8));
  CHECK(part.parent().contains(part.sibling().first));
  CHECK(part.parent().bits == 7);
  CHECK_FALSE(part.contains(part.sibling().last()));
  CHECK(Prefix::of(1, 0).contains(~Place{0}));
}

TEST_CASE("an exploration finds all peers of a region by few lookups, and enough around it") {
  constexpr std::size_t kK = 20;
  const auto peers = numbered_peers(2000);
  for (const unsigned bits : {3U, 5U, 7U, 9U}) {
    CAPTURE(bits);
    const Prefix part = Prefix::of(0x5a5a'5a5a'0000'0000, bits);
    kad::Exploration exploration{part, kK};
    explore(exploration, peers, kK);
    const Prefix region = exploration.region();
    CHECK(region.contains(part.first));
    std::size_t within = 0;
    for (const auto& [place, peer] : peers) {
      if (!region.contains(place)) continue;
      ++within;
      CHECK(exploration.peers().contains(place));
    }
    CHECK(within >= kK);
    CHECK(exploration.lookups() <= 2 + 2 * within / kK);
  }
  const auto few = numbered_peers(7);
  kad::Exploration all{Prefix::of(0, 3), kK};
  explore(all, few, kK);
  CHECK(all.peers().size() == 7);
  CHECK(all.lookups() == 1);
}

TEST_CASE("each key is allotted to its nearest, and one that is crowded to nobody") {
  constexpr std::size_t kK = 20;
  auto peers = numbered_peers(300);
  std::vector<base::Bytes> keys;
  for (std::size_t i = 0; i < 50; ++i) keys.push_back(numbered_key(i));
  const base::Bytes crowded = keys[7];
  for (Place settler = 1; settler <= kK; ++settler) {
    peers.emplace(place(crowded) ^ settler, numbered_record(1000 + settler));
  }
  const auto allotment = kad::allot(keys, peers, kK, 320);
  // Who is near the settlers has them as neighbours too.
  CHECK(std::ranges::count(allotment.crowded, 7) == 1);
  for (const auto index : allotment.crowded) {
    CHECK(Prefix::of(place(crowded), 4).contains(place(keys[index])));
  }
  std::map<std::size_t, std::set<multiformats::PeerId>> takers;
  for (const auto& share : allotment.shares) {
    for (const auto index : share.keys) CHECK(takers[index].insert(share.peer.peer).second);
  }
  CHECK(takers.size() == 50 - allotment.crowded.size());
  CHECK(takers.size() > 45);
  for (const auto& [index, who] : takers) {
    CHECK(who.size() == kK);
    for (const auto& peer : nearest(peers, place(keys[index]), kK)) CHECK(who.contains(peer.peer));
  }
  CHECK(kad::allot(keys, {}, kK, 320).shares.empty());
}

namespace {

/// One batch of keys for one peer, whose stream is played by hand.
struct Played {
  explicit Played(std::size_t count) {
    state.addresses = {numbered_address(0)};
    kad::Announcements::Batch batch{{}, 3, numbered_record(1), {}};
    for (std::size_t i = 0; i < count; ++i) {
      batch.keys.push_back(numbered_key(i));
      state.provided.insert(batch.keys.back(), kStart, kStart);
    }
    announcements.begin(std::move(batch), kStart);
    token = take<connection::stream_output::Open>()->token;
  }

  template <class Input>
  void tell(Input input, base::Instant now = kStart) {
    connection::StreamInput in{std::move(input)};
    CHECK(announcements.handle(in, now));
  }
  /// The next output; it must be of this kind, or none.
  template <class Out>
  std::optional<Out> take() {
    auto output = state.outputs.pop();
    if (!output) return std::nullopt;
    return std::get<Out>(std::get<connection::StreamOutput>(*output));
  }
  void take_messages() {
    while (auto write = take<connection::stream_output::Write>()) {
      ++unanswered;
      most = std::max(most, write->data.size());
      while (!write->data.empty()) {
        const auto frame = decoder.take(write->data);
        REQUIRE((frame && *frame));
        const auto message = kad::decode_message((*frame)->view(), {});
        REQUIRE(message);
        CHECK(message->type == kad::MessageType::kAddProvider);
        CHECK(message->providers.size() == 1);
        CHECK(told.insert(message->key).second);
      }
    }
  }

  kad::State state{kad::Config{}, numbered_peer(0), base::Prng{1}, kWallAtZero};
  kad::Announcements announcements{state};
  connection::OpenToken token{};
  connection::StreamRef stream{{1, 1}, {7}};
  base::FrameDecoder decoder{64 * 1024};
  std::set<base::Bytes> told;
  std::size_t unanswered = 0;
  std::size_t most = 0;
};

namespace input = connection::stream_input;

}  // namespace

TEST_CASE("a batch goes over one stream at the pace of the peer") {
  Played played{1000};
  played.tell(input::Opening{played.token, played.stream});
  played.take_messages();
  CHECK(played.unanswered == 2);  // and no more before they are written
  CHECK(played.told.size() < 500);
  played.tell(input::Opened{played.stream, numbered_peer(1), connection::Direction::kOutbound, ""});
  for (; played.unanswered > 0; --played.unanswered) {
    CHECK_FALSE(played.announcements.poll());
    CHECK(played.unanswered <= 2);
    played.tell(input::Written{played.stream});
    if (played.told.size() < 1000) played.take_messages();
  }
  CHECK(played.told.size() == 1000);
  CHECK(played.most < 9 * 1024);
  REQUIRE(played.take<connection::stream_output::Finish>());
  played.tell(input::Finished{played.stream});
  const auto done = played.announcements.poll();
  REQUIRE(done);
  CHECK(done->taken);
  CHECK(done->share == 3);
  CHECK(done->keys == 1000);
  CHECK_FALSE(played.take<connection::stream_output::Reset>());
  CHECK_FALSE(played.announcements.next_deadline());
}

TEST_CASE("a batch that a peer refuses, or does not read, is not taken") {
  const auto until_sent = [](Played& played) {
    played.tell(input::Opening{played.token, played.stream});
    played.take_messages();
    played.tell(
        input::Opened{played.stream, numbered_peer(1), connection::Direction::kOutbound, ""});
  };
  SUBCASE("it cannot be reached") {
    Played played{3};
    played.tell(input::OpenFailed{played.token, connection::OpenFailure::kNotConnected});
    CHECK(played.announcements.poll()->error == kad::RequestError::kUnreachable);
  }
  SUBCASE("it speaks another protocol") {
    Played played{3};
    played.tell(input::Opening{played.token, played.stream});
    played.tell(input::Closed{played.stream, connection::StreamEnd::kProtocolRefused});
    CHECK(played.announcements.poll()->error == kad::RequestError::kUnsupported);
  }
  SUBCASE("it resets the stream") {
    Played played{3};
    until_sent(played);
    played.tell(input::Written{played.stream});
    played.tell(input::Closed{played.stream, connection::StreamEnd::kRemoteReset});
    const auto done = played.announcements.poll();
    CHECK_FALSE(done->taken);
    CHECK_FALSE(done->error);  // it is there all the same
  }
  SUBCASE("it does not read") {
    Played played{1000};
    until_sent(played);
    played.announcements.handle_timeout(kStart + std::chrono::seconds{10});
    const auto done = played.announcements.poll();
    CHECK_FALSE(done->taken);
    CHECK(done->error == kad::RequestError::kTimeout);
    CHECK(played.take<connection::stream_output::Reset>());
  }
  SUBCASE("it reads, and does not end the stream: that is its business") {
    Played played{3};
    until_sent(played);
    played.tell(input::Written{played.stream});
    CHECK(played.take<connection::stream_output::Finish>());
    played.announcements.handle_timeout(kStart + std::chrono::seconds{10});
    CHECK(played.announcements.poll()->taken);
  }
}

TEST_CASE("what is no longer provided is not told") {
  Played played{10};
  played.state.provided.erase(numbered_key(4));
  played.tell(input::Opening{played.token, played.stream});
  played.take_messages();
  CHECK(played.told.size() == 9);
  CHECK_FALSE(played.told.contains(numbered_key(4)));
}
