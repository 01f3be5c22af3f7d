#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/channel.hpp>
#include <ggen/p2p/connection/protocol_set.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/multistream/dialer.hpp>
#include <ggen/p2p/multistream/listener.hpp>
#include <ggen/p2p/noise/handshake.hpp>
#include <ggen/p2p/noise/static_key.hpp>
#include <ggen/p2p/yamux/session.hpp>

namespace ggen::p2p::connection {

inline constexpr std::string_view kNoiseProtocol = "/noise";
inline constexpr std::string_view kYamuxProtocol = "/yamux/1.0.0";

struct Config {
  /// From the transport's connect until streams can be opened.
  base::Duration handshake_timeout = std::chrono::seconds{10};
  /// From a stream's opening until its protocol is agreed on.
  base::Duration stream_negotiation_timeout = std::chrono::seconds{10};
  /// Streams that this side opened and that exist at once. rust-yamux ends a connection on which
  /// there are more than 512 in both directions.
  std::size_t max_outbound_streams = 256;
  yamux::Config yamux;
};

/// The Channel over a byte stream: multistream, Noise, early or negotiated multiplexer, yamux, and
/// multistream again for each stream (libp2p/specs connections/README.md). Costs about 5 KiB at
/// rest.
class SecureChannel final : public Channel {
 public:
  /// What all channels of one node share. Outlives them.
  struct Shared {
    Config config;
    const noise::StaticKey& static_key;
    crypto::Crypto& crypto;
  };

  /// `expected_peer`: who must be at the other end; anybody when not given. `protocols`: what to
  /// answer on inbound streams; outlives the channel.
  SecureChannel(const Shared& shared, Direction direction,
                std::optional<multiformats::PeerId> expected_peer, const ProtocolSet& protocols,
                base::Instant now);

  void receive(base::MutableBytes bytes, base::Instant now) override;
  void receive_end(bool clean, base::Instant now) override;
  [[nodiscard]] bool wants_transmit() const override;
  std::size_t transmit(base::MutableBytes out, base::Instant now) override;

  std::expected<StreamId, OpenError> open(std::span<const std::string> protocols,
                                          base::Instant now) override;
  std::size_t write(StreamId stream, base::BytesView bytes, base::Instant now) override;
  void finish(StreamId stream, base::Instant now) override;
  void reset(StreamId stream, base::Instant now) override;
  void consume(StreamId stream, std::size_t size, base::Instant now) override;
  void close(base::Instant now) override;

  void handle_timeout(base::Instant now) override;
  [[nodiscard]] std::optional<ChannelEvent> poll() override;
  [[nodiscard]] std::optional<base::Instant> next_deadline() const override;

 private:
  enum class Phase : std::uint8_t {
    kSecurity,   // multistream agrees on Noise
    kHandshake,  // Noise
    kMuxer,      // multistream agrees on yamux, unless Noise already carried the agreement
    kOpen,
    kClosed,
  };
  using Negotiation = std::variant<multistream::Dialer, multistream::Listener>;

  struct Stream {
    Direction direction{};
    bool lazy = false;                         // bytes may follow the proposal at once
    bool finish_wanted = false;                // finish() came before the protocol was agreed on
    bool refused = false;                      // inbound, for a protocol that is not spoken here
    bool write_refused = false;                // write() came too early: Writable is owed
    std::unique_ptr<Negotiation> negotiation;  // gone once the protocol is agreed on
  };

  // Setting up.
  bool negotiate_security(base::BytesView& bytes);
  bool shake_hands(base::BytesView& bytes, base::Instant now);
  bool open_message(base::BytesView& bytes, base::Instant now);
  bool negotiate_muxer(base::Buffer& plaintext, base::Instant now);
  void start_session(base::Instant now);

  // Transmitting.
  std::size_t transmit_setup(base::MutableBytes out);
  std::size_t fill_plaintext(base::MutableBytes out, base::Instant now);

  // Streams.
  void drain_session(base::Instant now);
  void on_session_event(yamux::Event& event, base::Instant now);
  void on_stream_opened(yamux::StreamId id, base::Instant now);
  void on_stream_data(StreamId id, base::Buffer data, base::Instant now);
  void on_stream_finished(StreamId id);
  void negotiate_stream(StreamId id, Stream& stream, base::Buffer& data, base::Instant now);
  void send_negotiation(StreamId id, Negotiation& negotiation);
  void give_up_stream(StreamId id, StreamEnd end);
  void close_stream(StreamId id, StreamEnd end);

  void end(CloseReason reason, std::string_view detail, yamux::GoAwayCode code);

  const Shared* shared_;
  const ProtocolSet* protocols_;
  Direction direction_;
  Phase phase_ = Phase::kSecurity;
  base::Instant handshake_deadline_;

  std::unique_ptr<Negotiation> negotiation_;        // of Noise
  std::unique_ptr<Negotiation> muxer_negotiation_;  // of yamux, inside Noise
  std::unique_ptr<noise::Handshake> handshake_;     // until its last message is transmitted
  std::optional<crypto::PublicKey> remote_key_;     // from the handshake until Secured
  std::optional<multiformats::PeerId> remote_peer_;
  std::unique_ptr<noise::Sender> sender_;
  std::unique_ptr<noise::Receiver> receiver_;
  std::optional<yamux::Session> session_;

  base::HashMap<StreamId, Stream> streams_;
  std::size_t outbound_streams_ = 0;
  base::TimerHeap<StreamId> negotiation_deadlines_;
  base::Fifo<ChannelEvent> events_;
};

}  // namespace ggen::p2p::connection
