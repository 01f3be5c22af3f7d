#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <malloc.h>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

#include "../src/gossipsub/id_set.hpp"
#include "allocations.hpp"
#include "gossip_messages.hpp"
#include "measure.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;
namespace input = connection::stream_input;
namespace output = connection::stream_output;

crypto::KeyPair numbered_key(std::size_t number) {
  std::array<std::uint8_t, 32> seed{};
  base::store_big_endian(seed.data(), static_cast<std::uint64_t>(number) + 1);
  return crypto::KeyPair::from_seed(seed);
}
multiformats::PeerId numbered_peer(std::size_t number) {
  return multiformats::PeerId::of(numbered_key(number).public_key());
}

/// Takes every signature for right, to tell what the router costs without verifying.
class Trusting : public crypto::Crypto {
 public:
  void random(base::MutableBytes out) override { system_->random(out); }
  std::array<std::uint8_t, 64> sign(const crypto::KeyPair& key, base::BytesView message) override {
    return system_->sign(key, message);
  }
  bool verify(const crypto::PublicKey&, base::BytesView, base::BytesView) override { return true; }

 private:
  std::unique_ptr<crypto::Crypto> system_ = crypto::make_system_crypto();
};

/// A router whose peers read all that it writes, and whose owner accepts every message.
class Router {
 public:
  explicit Router(crypto::Crypto& crypto, const gossipsub::Config& config = {})
      : engine_(config, crypto, key_, 1, base::Prng{1}) {}

  template <class Act>
  void call(Act&& act) {
    deadline_ = base::step(engine_, now_, std::forward<Act>(act),
                           [this](gossipsub::Output out) { outputs_.push_back(std::move(out)); });
    // What follows from an output is an input of its own.
    while (!outputs_.empty()) {
      std::vector<gossipsub::Output> outputs;
      outputs.swap(outputs_);
      for (gossipsub::Output& out : outputs) take(out);
    }
  }
  void join(const multiformats::PeerId& peer, connection::Direction direction) {
    const std::vector<std::string> protocols{"/meshsub/1.2.0"};
    call([&](auto& engine) { engine.peer_supports(peer, protocols, {direction}, now_); });
  }
  void send(const multiformats::PeerId& peer, std::uint32_t stream, const base::Buffer& frame) {
    const connection::StreamRef ref{{1, 1}, {stream}};
    if (opened_.insert(stream).second) {
      call([&](auto& engine) {
        engine.handle(input::Opened{ref, peer, connection::Direction::kInbound, "/meshsub/1.2.0"},
                      now_);
      });
    }
    call([&](auto& engine) { engine.handle(input::Data{ref, frame}, now_); });
  }
  /// Seconds that the next heartbeat takes.
  double beat() {
    now_ = *deadline_;
    const auto start = Clock::now();
    call([](auto&) {});
    return seconds_since(start);
  }

  [[nodiscard]] gossipsub::Engine& engine() { return engine_; }
  [[nodiscard]] base::Instant now() const { return now_; }
  [[nodiscard]] std::size_t delivered() const { return delivered_; }
  [[nodiscard]] std::size_t messages_written() const { return messages_written_; }

 private:
  void take(gossipsub::Output& out) {
    if (const auto* validate = std::get_if<gossipsub::Validate>(&out)) {
      call(
          [&](auto& engine) { engine.report(validate->token, gossipsub::Verdict::kAccept, now_); });
    } else if (std::holds_alternative<gossipsub::Delivered>(out)) {
      ++delivered_;
    } else if (auto* io = std::get_if<connection::StreamOutput>(&out)) {
      take_io(*io);
    }
  }
  void take_io(connection::StreamOutput& io) {
    if (const auto* write = std::get_if<output::Write>(&io)) {
      if (write->data.size() >= kGossipDataSize) ++messages_written_;  // not an IDONTWANT
      call([&](auto& engine) { engine.handle(input::Written{write->stream}, now_); });
    } else if (const auto* open = std::get_if<output::Open>(&io)) {
      const connection::StreamRef ref{{1, 1}, {next_stream_++}};
      call([&](auto& engine) { engine.handle(input::Opening{open->token, ref}, now_); });
    }
  }

  crypto::KeyPair key_ = numbered_key(0);
  gossipsub::Engine engine_;
  base::Instant now_{std::chrono::hours{1}};
  std::optional<base::Instant> deadline_;
  std::vector<gossipsub::Output> outputs_;
  std::set<std::uint32_t> opened_;
  std::uint32_t next_stream_ = 1'000'000;
  std::size_t delivered_ = 0;
  std::size_t messages_written_ = 0;
};

constexpr std::string_view kTopic = "bench";
constexpr std::size_t kMeshPeers = 8;
constexpr std::size_t kMessages = 20'000;

struct Forwarding {
  double per_second = 0;
  double allocations = 0;  // a message
};

Forwarding forward(crypto::Crypto& crypto, const std::vector<base::Buffer>& frames) {
  Router router{crypto};
  router.call([&](auto& engine) { engine.subscribe(kTopic, router.now()); });
  const base::Buffer hello = gossipsub::control_frame(gossipsub::encode_subscription(true, kTopic),
                                                      gossipsub::encode_graft(kTopic));
  for (std::uint32_t peer = 1; peer <= kMeshPeers; ++peer) {
    router.join(numbered_peer(peer), connection::Direction::kInbound);
    router.send(numbered_peer(peer), peer, hello);
  }
  const multiformats::PeerId sender = numbered_peer(1);
  const std::size_t before = router.messages_written();
  const std::size_t allocated = allocations();
  const auto start = Clock::now();
  for (const base::Buffer& frame : frames) router.send(sender, 1, frame);
  const double seconds = seconds_since(start);
  const auto count = static_cast<double>(frames.size());
  const bool whole = router.delivered() == frames.size() &&
                     router.messages_written() - before == frames.size() * (kMeshPeers - 1);
  if (!whole) std::abort();  // a figure with a failure in it says nothing
  return {count / seconds, static_cast<double>(allocations() - allocated) / count};
}

void forwarding_rows(Table& table) {
  const auto frames = gossip_frames({.topic = kTopic, .count = kMessages});
  const auto system = crypto::make_system_crypto();
  Trusting trusting;
  std::vector<double> verified;
  std::vector<double> trusted;
  double allocated = 0;
  for (int round = 0; round < 5; ++round) {
    const Forwarding one = forward(*system, frames);
    verified.push_back(one.per_second);
    allocated = one.allocations;
    trusted.push_back(forward(trusting, frames).per_second);
  }
  const std::string how = "1 KiB, 8 peers in the mesh, pinned, median of 5";
  table.push_back({"gossipsub, messages validated and passed on, signatures verified",
                   fmt::format("{:.0f} /s", median(verified)), how});
  table.push_back({"gossipsub, the same without verifying",
                   fmt::format("{:.0f} /s", median(trusted)), how + ", in turn"});
  table.push_back({"gossipsub, allocations for a message passed on",
                   fmt::format("{:.1f}", allocated), "of the router and of what drives it here"});
}

void seen_row(Table& table) {
  constexpr std::size_t kIds = 1'000'000;
  const std::size_t before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  gossipsub::AgingIdSet seen{4, 1024 * 1024};
  base::Prng prng{1};
  for (std::size_t i = 0; i < kIds; ++i) {
    const std::uint64_t high = prng.next();
    seen.insert({high, prng.next()});
    if (i % (kIds / 5) == kIds / 5 - 1 && i + 1 < kIds) seen.age();
  }
  const std::size_t bytes = ::mallinfo2().uordblks + ::mallinfo2().hblkhd - before;
  table.push_back({fmt::format("gossipsub, {} ids of messages remembered as seen", seen.size()),
                   fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6), "heap"});
}

void heartbeat_row(Table& table) {
  constexpr std::size_t kTopics = 1000;
  constexpr std::uint32_t kPeers = 200;
  gossipsub::Config config;
  config.limits.max_topics_per_peer = kTopics;
  const auto crypto = crypto::make_system_crypto();
  Router router{*crypto, config};
  base::Bytes subscriptions;
  for (std::size_t i = 0; i < kTopics; ++i) {
    const std::string name = fmt::format("topic {}", i);
    router.call([&](auto& engine) { engine.subscribe(name, router.now()); });
    base::append(subscriptions, gossipsub::encode_subscription(true, name));
  }
  const base::Buffer hello = gossipsub::control_frame(subscriptions, {});
  for (std::uint32_t peer = 1; peer <= kPeers; ++peer) {
    router.join(numbered_peer(peer),
                peer % 2 == 0 ? connection::Direction::kInbound : connection::Direction::kOutbound);
    router.send(numbered_peer(peer), peer, hello);
  }
  std::size_t mesh = 0;
  std::vector<double> beats;
  for (int i = 0; i < 60; ++i) {
    const double seconds = router.beat();
    if (i >= 20) beats.push_back(seconds);
  }
  for (const std::string& topic : router.engine().subscriptions()) {
    mesh += router.engine().mesh(topic).size();
  }
  table.push_back(
      {"gossipsub, a heartbeat with 1,000 topics and 200 peers",
       fmt::format("{:.2f} ms", median(beats) * 1e3),
       fmt::format("pinned, median of {}; the slowest took {:.2f} ms; {} peers in meshes",
                   beats.size(), quantile(beats, 1) * 1e3, mesh)});
}

}  // namespace

void gossip_rows(Table& table) {
  pin(0);
  forwarding_rows(table);
  seen_row(table);
  heartbeat_row(table);
  pin(-1);
}

}  // namespace bench
