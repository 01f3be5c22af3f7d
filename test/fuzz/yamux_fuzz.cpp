#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/yamux/session.hpp>

/// One session, told by the input what arrives from the remote (garbage and well-formed frames),
/// what its owner does and when. Checks that the owner's view stays consistent, that no more is
/// sent than the remote gave credit for, and that what is held stays within the limits.
namespace {

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;

void require(bool condition) {
  if (!condition) std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const base::BytesView taken = take(1);
    return taken.empty() ? 0 : taken[0];
  }
  std::uint32_t number() { return byte() * 256u + byte(); }
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
  explicit Fuzz(Role role) : session_(role, config(), now_) {}

  void act(Input& input) {
    switch (input.byte() % 12) {
      case 0:
        return receive(input.take(input.byte()));
      case 1:
      case 2:
      case 3:
        return receive(frame(input));
      case 4: {
        const base::Bytes bulk(input.number());
        return receive(bulk);
      }
      case 5:
        return transmit(input.number());
      case 6:
        if (const auto stream = session_.open(now_)) {
          require(!streams_.contains(stream->value));
          streams_[stream->value].open = true;
          ++opened_here_;
        }
        return;
      case 7: {
        const base::Bytes bytes(4 * input.number());
        const StreamId stream = any(input);
        const std::size_t room = session_.writable(stream);
        require(session_.write(stream, bytes) == std::min(room, bytes.size()));
        return;
      }
      case 8:
        return consume(any(input), input.number());
      case 9:
        return session_.finish(any(input));
      case 10:
        return session_.reset(any(input));
      default:
        now_ += std::chrono::milliseconds{input.number()};
        if (session_.next_deadline() <= now_) session_.handle_timeout(now_);
        require(!session_.next_deadline() || session_.next_deadline() > now_);
    }
  }

  void drain() {
    while (auto event = session_.poll()) {
      require(!closed_);
      std::visit(base::Overloaded{
                     [&](const event::StreamOpened& e) {
                       require(!streams_.contains(e.stream.value));
                       streams_[e.stream.value].open = true;
                     },
                     [&](const event::Data& e) {
                       Stream& stream = alive(e.stream);
                       require(!e.data.empty() && !stream.finished);
                       stream.unconsumed += e.data.size();
                       require(stream.unconsumed <= config().max_stream_window);
                     },
                     [&](const event::Writable& e) { alive(e.stream); },
                     [&](const event::Finished& e) {
                       require(!std::exchange(alive(e.stream).finished, true));
                     },
                     [&](const event::StreamClosed& e) { alive(e.stream).open = false; },
                     [&](const event::SessionClosed&) { closed_ = true; },
                 },
                 *event);
    }
    require(session_.stream_count() <= config().max_inbound_streams + opened_here_);
    if (closed_) {
      require(session_.stream_count() == 0 && !session_.next_deadline());
      for (const auto& [id, stream] : streams_) require(!stream.open);
    }
  }

  /// Everything waiting to be sent, at most: a frame for each stream, answers, and send queues.
  void flush() {
    const std::size_t streams = session_.stream_count();
    std::size_t sent = 0;
    while (session_.wants_transmit()) {
      const std::size_t size = transmit_some(65408);
      require(size > 0);
      sent += size;
      drain();
    }
    const std::size_t frames =
        2 * streams + config().max_pending_pongs + config().max_pending_refusals + sent / 200 + 4;
    require(sent <= streams * config().send_queue_limit + frames * kHeaderSize);
  }

 private:
  static Config config() {
    Config config;
    config.max_inbound_streams = 8;
    config.max_unacknowledged_inbound = 6;
    config.max_ack_backlog = 8;
    config.max_stream_window = 600'000;
    config.max_window_growth = 500'000;
    config.send_queue_limit = 100'000;
    config.max_pending_pongs = 4;
    config.max_pending_refusals = 5;
    return config;
  }

  /// A well-formed header, mostly with values that mean something.
  static std::array<std::uint8_t, kHeaderSize> frame(Input& input) {
    static constexpr std::array<std::uint32_t, 8> kLengths = {
        0, 1, 100, kInitialWindow, kInitialWindow + 1, 600'000, 0x7fffffff, 0xffffffff};
    Header header;
    const std::uint8_t kind = input.byte();
    header.type = static_cast<FrameType>(kind % 8 < 4 ? kind % 4 : kind % 2);
    header.flags = input.byte() % 16;
    const bool for_session = header.type == FrameType::kPing || header.type == FrameType::kGoAway;
    header.stream.value = for_session ? kind / 128 : input.byte() % 32;
    const std::uint8_t length = input.byte();
    header.length = length < 128 ? length : kLengths[length % kLengths.size()];
    std::array<std::uint8_t, kHeaderSize> bytes{};
    encode_header(header, bytes.data());
    return bytes;
  }

  static StreamId any(Input& input) { return {input.byte() % 32u}; }

  Stream& alive(StreamId id) {
    const auto it = streams_.find(id.value);
    require(it != streams_.end() && it->second.open);
    return it->second;
  }

  void receive(base::BytesView bytes) {
    count_credit(bytes);
    session_.receive(base::Buffer::copy_of(bytes), now_);
  }

  void consume(StreamId id, std::size_t size) {
    const auto it = streams_.find(id.value);
    if (it == streams_.end()) return;
    size = std::min(size, it->second.unconsumed);
    it->second.unconsumed -= size;
    session_.consume(id, size, now_);
  }

  void transmit(std::size_t span) {
    const bool wanted = session_.wants_transmit();
    const std::size_t size = transmit_some(span);
    require(wanted || size == 0);
    require(!wanted || size > 0 || span < Session::kMinTransmit);
  }

  /// Checks the frames that come out against the credit that went in.
  std::size_t transmit_some(std::size_t span) {
    base::Bytes out(span);
    const std::size_t size = session_.transmit(out, now_);
    require(size <= span);
    for (std::size_t at = 0; at < size;) {
      require(size - at >= kHeaderSize);
      const auto header = decode_header(out.data() + at);
      require(header.has_value());
      at += kHeaderSize;
      if (header->type != FrameType::kData) continue;
      require(header->length > 0 && header->length <= size - at);
      at += header->length;
      std::uint64_t& sent = sent_[header->stream.value];
      sent += header->length;
      require(sent <= kInitialWindow + credit_[header->stream.value]);
    }
    return size;
  }

  /// Reads what the session is given, as far as it is frames.
  void count_credit(base::BytesView bytes) {
    for (const std::uint8_t byte : bytes) {
      if (body_left_ > 0) {
        --body_left_;
        continue;
      }
      header_[header_size_++] = byte;
      if (header_size_ < kHeaderSize) continue;
      header_size_ = 0;
      const auto header = decode_header(header_.data());
      if (!header) continue;
      if (header->type == FrameType::kData) body_left_ = header->length;
      if (header->type == FrameType::kWindowUpdate) credit_[header->stream.value] += header->length;
    }
  }

  base::Instant now_;
  Session session_;
  std::map<std::uint32_t, Stream> streams_;
  std::size_t opened_here_ = 0;
  bool closed_ = false;
  std::map<std::uint32_t, std::uint64_t> credit_;
  std::map<std::uint32_t, std::uint64_t> sent_;
  std::array<std::uint8_t, kHeaderSize> header_{};
  std::size_t header_size_ = 0;
  std::uint32_t body_left_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{data, size};
  Fuzz fuzz{input.byte() % 2 == 0 ? Role::kClient : Role::kServer};
  while (!input.empty()) {
    fuzz.act(input);
    fuzz.drain();
  }
  fuzz.flush();
  return 0;
}
