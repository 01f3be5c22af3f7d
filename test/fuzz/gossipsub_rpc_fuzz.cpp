// Gossipsub frames: what decodes points into what came and stays within the limits, what is signed
// survives encoding, and a router fed with the bytes holds no more than it may.

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

using namespace ggen::p2p;

namespace {

constexpr gossipsub::RpcLimits kLimits{.max_subscriptions = 16,
                                       .max_messages = 8,
                                       .max_controls = 16,
                                       .max_ids = 32,
                                       .max_topic = 64,
                                       .max_id = 64,
                                       .max_exchanged = 4,
                                       .max_record = 64};

void require(bool condition) {
  if (!condition) std::abort();
}

bool inside(base::BytesView part, base::BytesView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}
bool inside(std::string_view part, base::BytesView whole) {
  return inside(base::as_bytes(part), whole);
}

void check_ids(const std::vector<base::BytesView>& ids, base::BytesView whole) {
  require(ids.size() <= kLimits.max_ids);
  for (const base::BytesView id : ids) require(inside(id, whole) && id.size() <= kLimits.max_id);
}

void check_message(const gossipsub::MessageView& message, base::BytesView whole) {
  require(inside(message.raw, whole));
  const base::Bytes is_signed = gossipsub::signed_bytes(message);
  const base::Bytes again = gossipsub::encode_message(message);
  const auto copy = gossipsub::decode_message(again, kLimits);
  require(copy.has_value());
  require(copy->data.has_value() == message.data.has_value() && copy->topic == message.topic);
  // Encoding drops unknown fields, and those were signed last.
  const base::Bytes known = gossipsub::signed_bytes(*copy);
  require(known.size() <= is_signed.size());
  require(base::equal(known, base::BytesView{is_signed}.first(known.size())));
  base::Buffer frame = gossipsub::message_frame(message.raw);
  const auto contents = base::FrameDecoder{frame.size()}.take(frame);
  require(contents && *contents && frame.empty());
  const auto rpc = gossipsub::decode_rpc((*contents)->view(), kLimits);
  require(rpc && rpc->messages.size() == 1 && base::equal(rpc->messages[0].raw, message.raw));
}

void check_decode(base::BytesView input) {
  const auto rpc = gossipsub::decode_rpc(input, kLimits);
  if (!rpc) return;
  require(rpc->subscriptions.size() <= kLimits.max_subscriptions);
  require(rpc->messages.size() <= kLimits.max_messages);
  require(rpc->ihave.size() + rpc->graft.size() + rpc->prune.size() <= kLimits.max_controls);
  for (const auto& in : rpc->subscriptions) require(inside(in.topic, input));
  for (const auto& message : rpc->messages) check_message(message, input);
  std::size_t advertised = 0;
  for (const auto& in : rpc->ihave) {
    require(inside(in.topic, input) && in.topic.size() <= kLimits.max_topic);
    check_ids(in.ids, input);
    advertised += in.ids.size();
  }
  require(advertised <= kLimits.max_ids);
  check_ids(rpc->iwant, input);
  check_ids(rpc->idontwant, input);
  for (const std::string_view topic : rpc->graft) require(inside(topic, input));
  for (const auto& in : rpc->prune) {
    require(inside(in.topic, input) && in.peers.size() <= kLimits.max_exchanged);
    for (const auto& peer : in.peers) {
      require(inside(peer.id, input) && inside(peer.signed_record, input));
      require(peer.signed_record.size() <= kLimits.max_record);
    }
  }
}

const multiformats::PeerId& remote_peer() {
  static const auto peer = multiformats::PeerId::of(
      crypto::KeyPair::from_seed(std::array<std::uint8_t, 32>{2}).public_key());
  return peer;
}

// The router gets the bytes as frames, then heartbeats until a backoff of any length is over.
void check_router(crypto::Crypto& crypto, base::BytesView input) {
  static const auto key = crypto::KeyPair::from_seed(std::array<std::uint8_t, 32>{1});
  const multiformats::PeerId peer = remote_peer();
  gossipsub::Config config;
  config.heartbeat = std::chrono::minutes{6};
  config.limits.rpc = kLimits;
  config.limits.max_topics_per_peer = 8;
  gossipsub::Engine engine(config, crypto, key, 1, base::Prng{1});
  const connection::StreamRef inbound{{1, 1}, {1}};
  const connection::StreamRef outbound{{1, 1}, {2}};
  base::Instant now{};
  std::optional<connection::OpenToken> opened;
  std::vector<gossipsub::MessageToken> asked;
  const auto step = [&](auto&& mutate) {
    base::step(engine, now, mutate, [&](gossipsub::Output output) {
      if (auto* io = std::get_if<connection::StreamOutput>(&output)) {
        if (auto* open = std::get_if<connection::stream_output::Open>(io)) opened = open->token;
      } else if (auto* validate = std::get_if<gossipsub::Validate>(&output)) {
        asked.push_back(validate->token);
      }
    });
  };
  step([&](auto& e) { e.subscribe("t", now); });
  step([&](auto& e) {
    e.handle(connection::stream_input::Opened{inbound, peer, connection::Direction::kInbound,
                                              "/meshsub/1.2.0"},
             now);
  });
  require(opened.has_value());
  step([&](auto& e) { e.handle(connection::stream_input::Opening{*opened, outbound}, now); });
  for (const std::size_t cut : {input.size() / 3, input.size() - input.size() / 3}) {
    const base::BytesView part = cut < input.size() / 2 ? input.first(cut) : input.last(cut);
    if (part.empty()) continue;
    step([&](auto& e) {
      e.handle(connection::stream_input::Data{inbound, base::Buffer::copy_of(part)}, now);
    });
  }
  for (const auto token : asked) {
    step([&](auto& e) { e.report(token, gossipsub::Verdict::kAccept, now); });
  }
  for (int beat = 0; beat < 11; ++beat) {
    now += config.heartbeat;
    step([](auto&) {});
  }
  const gossipsub::Stats stats = engine.stats();
  require(stats.pending == 0 && stats.cached_bytes == 0 && stats.peers == 1);
  step([&](auto& e) { e.peer_gone(peer, now); });
  require(engine.stats().peers == 0 && engine.mesh("t").empty() && engine.subscribers("t").empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto crypto = crypto::make_system_crypto();
  const base::BytesView input(data, size);
  check_decode(input);
  if (size < 8192) {
    check_router(*crypto, input);
    // Framed, so that the fuzzer need not find the length that fits.
    check_router(*crypto, base::encode_frame(input).view());
  }
  return 0;
}
