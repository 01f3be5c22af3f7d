#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/connection/channel.hpp>

#include "hostile_mind.hpp"

namespace ggen::p2p::sim {

/// A channel that answers in the DHT itself, and chooses what its node sends in publish/subscribe.
/// All else is the node's.
class HostileChannel final : public connection::Channel {
 public:
  /// `mind` outlives the channel.
  HostileChannel(std::unique_ptr<connection::Channel> inner, HostileMind& mind, base::Instant now)
      : inner_(std::move(inner)), mind_(&mind), now_(now) {}

  void receive(base::MutableBytes bytes, base::Instant now) override;
  void receive_end(bool clean, base::Instant now) override;
  [[nodiscard]] bool wants_transmit() const override;
  std::size_t transmit(base::MutableBytes out, base::Instant now) override;

  std::expected<connection::StreamId, connection::OpenError> open(
      std::span<const std::string> protocols, base::Instant now) override;
  std::size_t write(connection::StreamId stream, base::BytesView bytes, base::Instant now) override;
  void finish(connection::StreamId stream, base::Instant now) override;
  void reset(connection::StreamId stream, base::Instant now) override;
  void consume(connection::StreamId stream, std::size_t size, base::Instant now) override;
  void close(base::Instant now) override;

  void handle_timeout(base::Instant now) override;
  [[nodiscard]] std::optional<connection::ChannelEvent> poll() override;
  [[nodiscard]] std::optional<base::Instant> next_deadline() const override;

 private:
  enum class Use : std::uint8_t {
    kQuestions,  // of others, in the DHT: the node does not hear of it
    kGossip,     // of the node, in publish/subscribe
    kRefused,    // reset already: the node does not hear of it
    kSpoilt,     // of others, who ask the node for chunks
  };
  // Whether the node knows of such a stream.
  [[nodiscard]] static bool is_nodes(Use use) { return use == Use::kGossip || use == Use::kSpoilt; }
  struct Stream {
    Use use{};
    base::FrameDecoder decoder;
    base::ByteQueue out{};    // what the channel has not taken yet
    bool finishing = false;   // when all that is due has been written
    std::size_t waiting = 0;  // answers that are due later
  };
  struct Later {
    base::Instant when;
    connection::StreamId stream;
    base::Bytes answer;
  };

  [[nodiscard]] Stream* find(connection::StreamId stream);
  void watch(connection::StreamId stream, Use use);
  /// Whether the event is none of the node's business.
  bool takes(const connection::ChannelEvent& event);
  bool takes_opened(const connection::event::StreamOpened& opened);
  bool takes_closed(const connection::event::StreamClosed& closed);
  std::size_t spoil(connection::StreamId id, base::BytesView bytes);
  void question(connection::StreamId id, Stream& stream, base::Buffer data);
  void say(connection::StreamId id, Stream& stream, base::Buffer bytes);
  void flush(connection::StreamId id, Stream& stream);
  void spam();

  std::unique_ptr<connection::Channel> inner_;
  HostileMind* mind_;
  base::Instant now_;
  std::map<connection::StreamId, Stream> streams_;  // those that it meddles with
  std::deque<Later> later_;
  std::optional<base::Instant> next_spam_;
};

}  // namespace ggen::p2p::sim
