#include "hostile_mind.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>
#include <ggen/p2p/registry/engine.hpp>

namespace ggen::p2p::sim {
namespace {

using kad::MessageType;
using kad::PeerRecord;

// As many as an honest answer has.
constexpr std::size_t kNamed = 20;
constexpr std::size_t kIdSize = 32;  // of messages on the marketplace's topic

base::Bytes random_bytes(base::Prng& prng, std::size_t size) {
  base::Bytes bytes(size);
  prng.fill(bytes);
  return bytes;
}

PeerRecord stranger(base::Prng& prng) {
  base::Bytes id{0x12, 0x20};  // the multihash of a SHA-256
  base::append(id, random_bytes(prng, 32));
  const auto host = static_cast<std::uint8_t>(prng.below(256));
  const auto network = static_cast<std::uint8_t>(prng.below(256));
  // Public addresses outside of those that machines are given.
  const std::array<std::uint8_t, 4> address{150, network, host, 1};
  return {*multiformats::PeerId::decode(id), {multiformats::Multiaddr::tcp(address, 4001)}};
}

std::vector<PeerRecord> named(HostileMind& mind, const kad::Key& key) {
  switch (mind.hostility.dht) {
    case Hostility::Dht::kGang:
      return mind.gang->nearest(key, kNamed);
    case Hostility::Dht::kItself:
      return {mind.self};
    case Hostility::Dht::kStrangers: {
      std::vector<PeerRecord> peers;
      for (std::size_t i = 0; i < mind.hostility.strangers; ++i) {
        peers.push_back(stranger(mind.prng));
      }
      return peers;
    }
    case Hostility::Dht::kHonest:
    case Hostility::Dht::kNothing:
      break;
  }
  return {};
}

// What it grafts, prunes and subscribes, without its messages and what speaks of them.
base::Buffer without_messages(const gossipsub::Rpc& rpc) {
  base::Bytes subscriptions;
  base::Bytes control;
  for (const auto& of : rpc.subscriptions) {
    base::append(subscriptions, gossipsub::encode_subscription(of.subscribe, of.topic));
  }
  for (const auto topic : rpc.graft) base::append(control, gossipsub::encode_graft(topic));
  for (const auto& of : rpc.prune) {
    base::append(control, gossipsub::encode_prune(of.topic, of.backoff));
  }
  return gossipsub::control_frame(subscriptions, control);
}

}  // namespace

std::optional<base::Bytes> HostileMind::answer(base::BytesView question) {
  if (hostility.dht == Hostility::Dht::kNothing) return std::nullopt;
  const auto asked = kad::decode_message(question, {});
  if (!asked) return std::nullopt;
  kad::Message said{.type = asked->type, .key = asked->key};
  switch (asked->type) {
    case MessageType::kAddProvider:
      return std::nullopt;  // nobody answers that
    case MessageType::kPutValue:
      said.record = asked->record;  // "I have taken it"
      return kad::encode_message(said);
    case MessageType::kPing:
      return kad::encode_message(said);
    case MessageType::kGetValue:
      if (prng.chance(0.5)) said.record = {asked->key, random_bytes(prng, 64), {}};
      break;
    case MessageType::kGetProviders:
      said.providers = named(*this, kad::Key::of(asked->key));
      break;
    case MessageType::kFindNode:
      break;
  }
  said.closer = named(*this, kad::Key::of(asked->key));
  return kad::encode_message(said);
}

std::optional<base::Buffer> HostileMind::pass(const base::Buffer& frame, bool active) {
  const auto rpc = gossipsub::decode_rpc(frame.view(), {});
  if (!rpc) return base::encode_frame(frame.view());
  for (const auto& message : rpc->messages) {
    newest = registry::update_message_id(
        {message.topic.value_or(""), message.from.value_or(base::BytesView{}),
         message.seqno.value_or(base::BytesView{}), message.data.value_or(base::BytesView{})});
  }
  if (!active || !hostility.silent) return base::encode_frame(frame.view());
  if (rpc->subscriptions.empty() && rpc->graft.empty() && rpc->prune.empty()) return std::nullopt;
  return without_messages(*rpc);
}

std::optional<base::Buffer> HostileMind::spam() {
  base::Bytes control;
  for (std::size_t i = 0; i < hostility.grafts; ++i) {
    base::append(control, gossipsub::encode_graft(registry::kUpdatesTopic));
  }
  if (hostility.promises > 0) {
    std::vector<base::Bytes> ids;
    for (std::size_t i = 0; i < hostility.promises; ++i) ids.push_back(random_bytes(prng, kIdSize));
    base::append(control, gossipsub::encode_ihave(registry::kUpdatesTopic, ids));
  }
  if (newest) {
    const std::array wanted{*newest};
    for (std::size_t i = 0; i < hostility.begs; ++i) {
      base::append(control, gossipsub::encode_iwant(wanted));
    }
  }
  if (control.empty()) return std::nullopt;
  return gossipsub::control_frame({}, control);
}

}  // namespace ggen::p2p::sim
