// A message channel whose remote is the input: raw bytes and frames that mean something, cut
// anywhere, mixed with what its owner does. Checks that the owner's view stays consistent and that
// what is held stays within the limits.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/base/varint.hpp>

#include "../../src/sim/message_channel.hpp"

namespace {

using namespace ggen::p2p;
using namespace ggen::p2p::sim;
using connection::Direction;
using connection::StreamId;
namespace event = connection::event;

void require(bool condition) {
  if (!condition) std::abort();
}

// Takes the script apart: what is not there reads as zero.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const base::BytesView taken = take(1);
    return taken.empty() ? 0 : taken[0];
  }
  std::size_t number() {
    const std::size_t high = byte();
    return high << 8 | byte();
  }
  base::BytesView take(std::size_t size) {
    const base::BytesView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  base::BytesView rest_;
};

struct Stream {
  bool open = false;
  bool finished = false;
  std::size_t unconsumed = 0;
};

class Fuzz {
 public:
  Fuzz(Direction direction, bool secured)
      : protocols_(spoken()), channel_(shared(), direction, std::nullopt, protocols_, now_) {
    if (!secured) return;
    if (direction == Direction::kInbound) receive(frame(FrameKind::kKnock, 0, {}));
    receive(frame(FrameKind::kHello, 0, shared().key));
    drain();
    require(secured_);
  }

  void act(Input& input) {
    switch (input.byte() % 11) {
      case 0:
        return receive(base::to_bytes(input.take(input.byte())));
      case 1:
      case 2:
      case 3:
      case 4:
        return receive(any_frame(input));
      case 5:
        return transmit(input.number());
      case 6: {
        const std::vector<std::string> wanted{"/a", "/b"};
        const auto stream = channel_.open(std::span{wanted}.first(1 + input.byte() % 2), now_);
        require(stream || !secured_ || closed_ || opened_here_ > 0);
        if (!stream) return;
        require(!std::exchange(streams_[*stream].open, true));
        ++opened_here_;
        return;
      }
      case 7: {
        const base::Bytes bytes(4 * input.number());
        require(channel_.write(any(input), bytes, now_) <= bytes.size());
        return;
      }
      case 8: {
        const StreamId id = any(input);
        const auto stream = streams_.find(id);
        if (stream == streams_.end()) return;
        const std::size_t size = std::min(input.number() * 4, stream->second.unconsumed);
        stream->second.unconsumed -= size;
        return channel_.consume(id, size, now_);
      }
      case 9: {
        const StreamId id = any(input);
        return input.byte() % 2 == 0 ? channel_.finish(id, now_) : channel_.reset(id, now_);
      }
      default:
        now_ += std::chrono::milliseconds{input.number()};
        if (channel_.next_deadline() <= now_) channel_.handle_timeout(now_);
        require(!channel_.next_deadline() || channel_.next_deadline() > now_);
    }
  }

  void drain() {
    while (auto event = channel_.poll()) {
      require(!closed_);
      std::visit(base::Overloaded{
                     [&](const event::Secured&) { require(!std::exchange(secured_, true)); },
                     [&](const event::StreamOpened& e) {
                       require(secured_);
                       if (e.direction == Direction::kOutbound) {
                         alive(e.stream);
                       } else {
                         require(!streams_.contains(e.stream));
                         streams_[e.stream].open = true;
                       }
                     },
                     [&](const event::StreamData& e) {
                       Stream& stream = alive(e.stream);
                       require(!e.data.empty() && !stream.finished);
                       stream.unconsumed += e.data.size();
                       require(stream.unconsumed <= kStreamWindow);
                     },
                     [&](const event::StreamWritable& e) { alive(e.stream); },
                     [&](const event::StreamFinished& e) {
                       require(!std::exchange(alive(e.stream).finished, true));
                     },
                     [&](const event::StreamClosed& e) { alive(e.stream).open = false; },
                     [&](const event::Closed&) { closed_ = true; },
                 },
                 *event);
    }
    if (!closed_) return;
    require(!channel_.next_deadline());
    for (const auto& [id, stream] : streams_) require(!stream.open);
  }

  /// All that it holds for the remote is bounded, and comes out.
  void flush() {
    std::size_t sent = 0;
    while (channel_.wants_transmit()) {
      const std::size_t size = transmit_some(65536);
      require(size > 0);
      sent += size;
      drain();
    }
    require(sent <= 17 * (shared().config.send_queue_limit + 1024));
  }

 private:
  static const MessageChannel::Shared& shared() {
    static const MessageChannel::Shared instance{config(), key()};
    return instance;
  }
  static MessageChannelConfig config() {
    MessageChannelConfig config;
    config.max_outbound_streams = 8;
    config.max_inbound_streams = 8;
    config.max_pending_refusals = 5;
    config.send_queue_limit = 100'000;
    return config;
  }
  static base::Bytes key() {
    std::array<std::uint8_t, 32> seed{1};
    return crypto::KeyPair::from_seed(seed).public_key().encode();
  }
  static connection::ProtocolSet spoken() {
    connection::ProtocolSet protocols;
    protocols.add("/b");
    return protocols;
  }

  static base::Bytes frame(FrameKind kind, std::uint64_t stream, base::BytesView payload) {
    base::Bytes bytes{static_cast<std::uint8_t>(kind)};
    base::append_varint(bytes, stream);
    base::append_varint(bytes, payload.size());
    base::append(bytes, payload);
    return bytes;
  }

  /// A frame that is well-formed, and mostly with values that mean something.
  static base::Bytes any_frame(Input& input) {
    const auto kind = static_cast<FrameKind>(input.byte() % kFrameKinds);
    const std::uint64_t stream = kind <= FrameKind::kGoodbye ? 0 : input.byte() % 32;
    base::Bytes payload;
    if (kind == FrameKind::kOpen) {
      payload = {2, '/', static_cast<std::uint8_t>(input.byte() % 2 == 0 ? 'b' : 'a'), 2, '/', 'b'};
    } else if (kind == FrameKind::kData) {
      payload.resize(4 * input.number());
    } else if (kind == FrameKind::kAccept) {
      base::append_varint(payload, input.byte() % 3);
    } else if (kind == FrameKind::kCredit) {
      base::append_varint(payload, std::uint64_t{input.byte()} << (input.byte() % 27));
    } else if (kind == FrameKind::kHello) {
      payload = shared().key;
    }
    return frame(kind, stream, payload);
  }

  static StreamId any(Input& input) { return {input.byte() % 32u}; }

  Stream& alive(StreamId id) {
    const auto it = streams_.find(id);
    require(it != streams_.end() && it->second.open);
    return it->second;
  }

  // In two pieces, cut where the bytes themselves say.
  void receive(base::Bytes bytes) {
    const std::size_t cut = bytes.empty() ? 0 : bytes.back() % bytes.size();
    channel_.receive(base::MutableBytes{bytes}.first(cut), now_);
    channel_.receive(base::MutableBytes{bytes}.subspan(cut), now_);
  }

  void transmit(std::size_t span) {
    const bool wanted = channel_.wants_transmit();
    const std::size_t size = transmit_some(span);
    require(wanted || size == 0);
    require(!wanted || size > 0 || span < connection::Channel::kMinTransmit);
  }
  std::size_t transmit_some(std::size_t span) {
    base::Bytes out(span);
    const std::size_t size = channel_.transmit(out, now_);
    require(size <= span);
    return size;
  }

  base::Instant now_;
  connection::ProtocolSet protocols_;
  MessageChannel channel_;
  std::map<StreamId, Stream> streams_;
  std::size_t opened_here_ = 0;
  bool secured_ = false;
  bool closed_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{data, size};
  const std::uint8_t start = input.byte();
  Fuzz fuzz{start % 2 == 0 ? Direction::kInbound : Direction::kOutbound, start / 2 % 4 != 0};
  while (!input.empty()) {
    fuzz.act(input);
    fuzz.drain();
  }
  fuzz.flush();
  return 0;
}
