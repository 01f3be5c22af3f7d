#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/connection/channel.hpp>
#include <ggen/p2p/connection/protocol_set.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/sim/message_channel.hpp>

#include "message_events.hpp"
#include "message_frame.hpp"
#include "message_stream.hpp"

namespace ggen::p2p::sim {

/// The Channel by plain ordered delivery: see make_message_channels(). message_channel.cpp holds
/// what its owner asks of it, message_receive.cpp what frames of the remote do to it,
/// message_transmit.cpp how frames are made of it.
class MessageChannel final : public connection::Channel {
 public:
  /// What all channels of one node share. Outlives them.
  struct Shared {
    MessageChannelConfig config;
    base::Bytes key;  ///< the node's public key, encoded
  };

  MessageChannel(const Shared& shared, connection::Direction direction,
                 std::optional<multiformats::PeerId> expected_peer,
                 const connection::ProtocolSet& protocols, base::Instant now);

  void receive(base::MutableBytes bytes, base::Instant now) override;
  void receive_end(bool clean, base::Instant now) override;
  [[nodiscard]] bool wants_transmit() const override;
  std::size_t transmit(base::MutableBytes out, base::Instant now) override;

  std::expected<connection::StreamId, connection::OpenError> open(
      std::span<const std::string> protocols, base::Instant now) override;
  std::size_t write(connection::StreamId id, base::BytesView bytes, base::Instant now) override;
  void finish(connection::StreamId id, base::Instant now) override;
  void reset(connection::StreamId id, base::Instant now) override;
  void consume(connection::StreamId id, std::size_t size, base::Instant now) override;
  void close(base::Instant now) override;

  void handle_timeout(base::Instant now) override;
  [[nodiscard]] std::optional<connection::ChannelEvent> poll() override { return events_.pop(); }
  [[nodiscard]] std::optional<base::Instant> next_deadline() const override;

 private:
  /// What is known until the remote has said who it is.
  struct Setup {
    std::optional<multiformats::PeerId> expected_peer;
    base::Instant deadline;
    bool knocked = false;
  };
  enum class Phase : std::uint8_t { kHandshake, kOpen, kClosed };
  /// A frame without payload that belongs to no stream of the table.
  struct Answer {
    connection::StreamId stream;
    FrameKind kind{};
  };
  using Checked = std::expected<void, FrameError>;

  // Receiving.
  [[nodiscard]] Checked take_frame(base::BytesView& bytes);
  [[nodiscard]] Checked take_rest_of_frame(base::BytesView& bytes);
  void take_body(base::BytesView& bytes);
  [[nodiscard]] Checked on_data(const FrameHeader& frame);
  [[nodiscard]] Checked on_frame(const FrameHeader& frame, base::BytesView payload);
  [[nodiscard]] Checked on_handshake(FrameKind kind, base::BytesView payload);
  void on_hello(base::BytesView key_message);
  [[nodiscard]] Checked on_open(connection::StreamId id, base::BytesView payload);
  void accept(connection::StreamId id, std::size_t index, std::string_view protocol);
  [[nodiscard]] Checked on_stream_frame(MessageStream& stream, FrameKind kind,
                                        base::BytesView payload);
  void on_accept(MessageStream& stream, std::uint32_t index);
  [[nodiscard]] Checked on_credit(MessageStream& stream, std::uint32_t credit);
  void on_finish(MessageStream& stream);

  // Transmitting.
  void write_setup(FrameWriter& out);
  void write_answers(FrameWriter& out);
  void write_stream(FrameWriter& out, MessageStream& stream);
  void write_data(FrameWriter& out, MessageStream& stream);

  // Streams.
  [[nodiscard]] bool opened_by_remote(connection::StreamId id) const noexcept;
  [[nodiscard]] MessageStream* find(connection::StreamId id) noexcept;
  [[nodiscard]] MessageStream* oldest_request() const noexcept;
  MessageStream& add_stream(connection::StreamId id, bool inbound);
  void answered(MessageStream& stream) noexcept;
  /// Tells the remote, when it knows of the stream, and forgets it.
  void drop(MessageStream& stream, connection::StreamEnd end);
  void close_if_done(MessageStream& stream);
  void close_stream(MessageStream& stream, connection::StreamEnd end);

  void end(connection::CloseReason reason, std::string_view detail);

  const Shared* shared_;
  const connection::ProtocolSet* protocols_;
  std::unique_ptr<Setup> setup_;                         // during the handshake
  std::vector<std::unique_ptr<MessageStream>> streams_;  // by ascending id
  ReadyList ready_;
  MessageEvents events_;
  std::vector<Answer> answers_;
  base::Bytes partial_;  // of a frame: what came of its header, or of it when it is not Data
  base::Buffer unsent_;  // the end of a frame that did not fit the last span

  // Of the Data frame being received: its bytes are handed on as they come.
  connection::StreamId body_stream_;
  std::uint32_t body_left_ = 0;

  std::uint64_t next_id_;
  connection::StreamId last_remote_id_;
  std::uint32_t inbound_streams_ = 0;
  std::uint32_t outbound_streams_ = 0;
  std::uint32_t requests_ = 0;  // streams without an answer to their Open
  connection::Direction direction_;
  Phase phase_ = Phase::kHandshake;
  bool knock_due_;
  bool hello_due_ = false;
  bool goodbye_due_ = false;
};

}  // namespace ggen::p2p::sim
