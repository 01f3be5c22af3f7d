#include "responder.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::kad {
namespace {

using multiformats::PeerId;
using Answer = std::expected<std::optional<Message>, DropReason>;

/// Adds peers as long as they fit. Addresses of one that would take too much are left out.
void add_fitting(std::vector<PeerRecord>& to, std::vector<PeerRecord> peers, std::size_t budget,
                 std::size_t share) {
  for (PeerRecord& peer : peers) {
    while (encoded_size(peer) > share && !peer.addresses.empty()) peer.addresses.pop_back();
    const std::size_t size = encoded_size(peer);
    if (size > budget) return;
    budget -= size;
    to.push_back(std::move(peer));
  }
}

class Responder {
 public:
  Responder(State& state, const PeerId& from, base::Instant now)
      : state_(state), from_(from), now_(now) {}

  Answer answer(Message request) {
    switch (request.type) {
      case MessageType::kFindNode:
        return find_node(request);
      case MessageType::kGetValue:
        return get_value(request);
      case MessageType::kPutValue:
        return put_value(request);
      case MessageType::kGetProviders:
        return get_providers(request);
      case MessageType::kAddProvider:
        return add_provider(request);
      case MessageType::kPing:
        return Message{.type = MessageType::kPing};
    }
    return std::unexpected(DropReason::kMalformed);
  }

 private:
  [[nodiscard]] static bool good_key(const base::Bytes& key, std::size_t limit) {
    return !key.empty() && key.size() <= limit;
  }

  /// The nearest peers but the one that asks, which knows itself.
  [[nodiscard]] std::vector<PeerRecord> closer(const base::Bytes& key) const {
    const std::size_t k = state_.config.query.lookup.k;
    std::vector<PeerRecord> peers =
        state_.nearest(Key::of(key), k + 1, RoutingTable::Which::kHealthy);
    std::erase_if(peers, [this](const PeerRecord& peer) { return peer.peer == from_; });
    if (peers.size() > k) peers.resize(k, peers.front());
    return peers;
  }
  void add_closer(Message& message, std::vector<PeerRecord> peers, std::size_t budget) const {
    // Each gets a fair share, so that one with many addresses crowds out no other.
    const std::size_t share = budget / std::max<std::size_t>(state_.config.query.lookup.k, 1);
    add_fitting(message.closer, std::move(peers), budget, share);
  }
  [[nodiscard]] std::size_t size_limit() const { return state_.config.server.response_size; }

  Answer find_node(const Message& request) const {
    if (!good_key(request.key, state_.config.server.max_key)) {
      return std::unexpected(DropReason::kBadRequest);
    }
    Message answer{.type = MessageType::kFindNode};
    std::vector<PeerRecord> peers = closer(request.key);
    // The peer asked for is named also when it is no server, or this node itself.
    const auto wanted = PeerId::decode(request.key);
    if (wanted && *wanted != from_ && (peers.empty() || peers.front().peer != *wanted)) {
      if (auto record = state_.find_peer(*wanted); record && !record->addresses.empty()) {
        if (peers.size() >= state_.config.query.lookup.k) peers.pop_back();
        peers.insert(peers.begin(), std::move(*record));
      }
    }
    add_closer(answer, std::move(peers), size_limit());
    return answer;
  }

  Answer get_value(const Message& request) const {
    if (!good_key(request.key, state_.config.server.max_key)) {
      return std::unexpected(DropReason::kBadRequest);
    }
    Message answer{.type = MessageType::kGetValue, .key = request.key};
    std::size_t record_size = request.key.size();
    if (const auto value = state_.find_value(request.key, now_)) {
      const ValueStore::Value* held = state_.values.find(request.key, now_);
      answer.record =
          state_.make_record(request.key, *value, held != nullptr ? held->received : now_);
      record_size += request.key.size() + value->size();
    }
    add_closer(answer, closer(request.key), size_limit() - std::min(record_size, size_limit() / 2));
    return answer;
  }

  Answer put_value(Message& request) const {
    if (!request.record || request.record->key != request.key) {
      return std::unexpected(DropReason::kBadRequest);
    }
    const base::Bytes& value = request.record->value;
    // What this node has published itself counts too, when it was not stored for others.
    if (const auto known = state_.find_value(request.key, now_); known && *known != value) {
      const Validator* validator = state_.validators.find(request.key);
      if (validator == nullptr || !validator->valid(request.key, value) ||
          !validator->better(request.key, value, *known)) {
        return std::unexpected(DropReason::kRefusedValue);
      }
    }
    const Stored stored = state_.values.put(request.key, value, now_);
    if (stored != Stored::kStored && stored != Stored::kRenewed) {
      return std::unexpected(DropReason::kRefusedValue);
    }
    if (stored == Stored::kStored) {
      state_.outputs.push(ValueStored{from_, request.key, value});
    }
    // The echo carries nothing but the record: peers in a request were never checked.
    request.closer.clear();
    request.providers.clear();
    return std::move(request);
  }

  Answer get_providers(const Message& request) const {
    if (!good_key(request.key, state_.config.server.max_provider_key)) {
      return std::unexpected(DropReason::kBadRequest);
    }
    Message answer{.type = MessageType::kGetProviders, .key = request.key};
    const std::size_t count = state_.config.message.max_peers;
    std::vector<PeerRecord> providers;
    if (state_.provided.contains(request.key)) providers.push_back(state_.own_record());
    for (PeerRecord& record :
         state_.providers.find(Key::of(request.key), count - providers.size(), state_.prng, now_)) {
      if (state_.connected.contains(record.peer)) record.connection = Connectedness::kConnected;
      providers.push_back(std::move(record));
    }
    const std::size_t budget = size_limit() / 2;
    add_fitting(answer.providers, std::move(providers), budget,
                budget / std::max<std::size_t>(count, 1));
    add_closer(answer, closer(request.key), size_limit() / 2);
    return answer;
  }

  /// Peers may speak for themselves only.
  Answer add_provider(const Message& request) const {
    if (!good_key(request.key, state_.config.server.max_provider_key)) {
      return std::unexpected(DropReason::kBadRequest);
    }
    const auto own = std::ranges::find(request.providers, from_, &PeerRecord::peer);
    if (own == request.providers.end()) return std::unexpected(DropReason::kRefusedProvider);
    std::vector<multiformats::Multiaddr> addresses = own->addresses;
    if (addresses.empty()) {
      if (const ConnectedPeer* known = state_.connected.find(from_)) addresses = known->addresses;
    }
    if (addresses.empty()) return std::unexpected(DropReason::kRefusedProvider);
    const auto result = state_.providers.add(Key::of(request.key), from_, addresses, now_);
    if (result == ProviderStore::Result::kFull || result == ProviderStore::Result::kTooManyKeys) {
      return std::unexpected(DropReason::kRefusedProvider);
    }
    return std::nullopt;
  }

  State& state_;
  const PeerId& from_;
  base::Instant now_;
};

}  // namespace

std::expected<std::optional<Message>, DropReason> respond(State& state, const PeerId& from,
                                                          Message request, base::Instant now) {
  return Responder{state, from, now}.answer(std::move(request));
}

}  // namespace ggen::p2p::kad
