#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/connection/channel.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/node/channel_factory.hpp>

namespace ggen::p2p::sim {

/// Sees what passes in the clear on one stream. Called in the midst of a channel's work, so it must
/// touch neither the channel nor its node. The views die when the call returns, and are never
/// empty.
class StreamWatch {
 public:
  virtual ~StreamWatch() = default;
  /// The channel took these bytes to be sent.
  virtual void sent(base::BytesView bytes) = 0;
  /// The remote's bytes, as the owner of the channel gets them.
  virtual void received(base::BytesView bytes) = 0;
};

/// Is told of the streams of one node's connections: what the simulator's invariants are checked
/// on. Called as a StreamWatch is.
class StreamObserver {
 public:
  virtual ~StreamObserver() = default;

  /// Comes first. A stream that this side opens for a single protocol is taken to be of that as
  /// soon as it is opened, since bytes may be written at once; the remote may still refuse it. Any
  /// other has its protocol agreed on. What is returned is shown the stream's bytes and goes with
  /// the stream; the bytes of a stream for which nothing is returned cost nothing.
  [[nodiscard]] virtual std::unique_ptr<StreamWatch> opened(connection::StreamRef stream,
                                                            connection::Direction direction,
                                                            std::string_view protocol) = 0;
  /// Comes last, once for each stream that was opened(), unless the channel was destroyed before.
  virtual void closed(connection::StreamRef stream, connection::StreamEnd end) = 0;
};

/// A channel that reports to an observer and else does what the one inside does. It keeps 16 bytes
/// for each stream that is watched, 4 for each that asks for several protocols and has got none
/// yet, and nothing else.
class ObservedChannel final : public connection::Channel {
 public:
  /// `observer` outlives the channel.
  ObservedChannel(connection::ConnectionId id, std::unique_ptr<connection::Channel> inner,
                  StreamObserver& observer);

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
  void report(const connection::ChannelEvent& event);
  void report_opened(const connection::event::StreamOpened& opened);
  void report_opened(connection::StreamId stream, connection::Direction direction,
                     std::string_view protocol);
  void report_closed(const connection::event::StreamClosed& closed);
  [[nodiscard]] StreamWatch* watch(connection::StreamId stream) const;

  struct Watched {
    connection::StreamId stream;
    std::unique_ptr<StreamWatch> watch;
  };

  connection::ConnectionId id_;
  std::unique_ptr<connection::Channel> inner_;
  StreamObserver* observer_;
  std::vector<Watched> watched_;                // few: quicker to look through than a table
  std::vector<connection::StreamId> unagreed_;  // the observer has not heard of them
};

/// Has the channels of `inner` observed. `observer` outlives them all.
[[nodiscard]] std::unique_ptr<node::ChannelFactory> observe(
    std::unique_ptr<node::ChannelFactory> inner, StreamObserver& observer);

}  // namespace ggen::p2p::sim
