#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/kad/config.hpp>
#include <ggen/p2p/kad/output.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::kad {

/// The asking side of streams: one request on a stream of its own, one answer. ADD_PROVIDER has no
/// answer; it counts as done when the peer has agreed on the protocol, as others do it too, since
/// what a peer does with the stream afterwards differs.
class Requests {
 public:
  Requests(const Config& config, base::Fifo<Output>& outputs)
      : config_(config), outputs_(outputs) {}

  /// Asks a peer on behalf of `query`; one with the id of no query is a request all the same.
  void send(QueryId query, const multiformats::PeerId& peer, const Message& message,
            base::Instant now);
  /// Gives up what is under way for a query; no Done comes for it.
  void cancel(QueryId query);
  /// The same for its questions alone; what it tells goes on.
  void cancel_questions(QueryId query);

  /// A request has taken longer than QueryConfig::slow_after.
  struct Slow {
    QueryId query;
    multiformats::PeerId peer;
  };
  struct Done {
    QueryId query;
    multiformats::PeerId peer;
    MessageType asked{};
    std::expected<Message, RequestError> answer;  ///< that to ADD_PROVIDER is empty
    base::Duration took{};
  };
  using Event = std::variant<Slow, Done>;
  [[nodiscard]] std::optional<Event> poll() { return events_.pop(); }

  // Inputs that concern no stream of ours do nothing.
  void handle(const connection::stream_input::Opening& in, base::Instant now);
  void handle(const connection::stream_input::OpenFailed& in, base::Instant now);
  void handle(const connection::stream_input::Opened& in, base::Instant now);
  void handle(connection::stream_input::Data& in, base::Instant now);
  void handle(const connection::stream_input::Finished& in, base::Instant now);
  void handle(const connection::stream_input::Closed& in, base::Instant now);
  [[nodiscard]] bool owns(connection::StreamRef stream) const { return streams_.contains(stream); }

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return timers_.earliest(); }

 private:
  struct RequestTag;
  using RequestId = base::Id<RequestTag>;
  struct Request {
    QueryId query;
    multiformats::PeerId peer;
    MessageType asked{};
    base::Buffer frame;  // until the stream is there
    base::FrameDecoder decoder;
    std::optional<connection::StreamRef> stream;
    base::Instant started;
    bool opened = false;  // it has its place among the streams to the peer
    bool waited = false;  // for such a place
    bool slow = false;
    bool done = false;  // only the stream is left, which the peer may close in good order
  };

  struct Streams {
    std::size_t count = 0;          // asked for, and not gone
    base::Fifo<RequestId> waiting;  // for one of them to go; some may be dead
  };

  template <class Which>
  void cancel_those(QueryId query, Which&& which);
  void open_next(const multiformats::PeerId& peer);
  [[nodiscard]] Request* request_of(connection::StreamRef stream);
  [[nodiscard]] RequestId id_of(connection::OpenToken token) const noexcept;
  void finish(RequestId id, std::expected<Message, RequestError> answer, base::Instant now);
  void drop(RequestId id);
  [[nodiscard]] std::expected<Message, RequestError> read_answer(const Request& request,
                                                                 base::BytesView frame) const;

  const Config& config_;
  base::Fifo<Output>& outputs_;
  base::SlotMap<Request, RequestTag> requests_;
  base::HashMap<connection::StreamRef, RequestId> streams_;
  base::HashMap<multiformats::PeerId, Streams> peers_;  // with streams
  base::TimerHeap<RequestId> timers_;
  base::Fifo<Event> events_;
};

}  // namespace ggen::p2p::kad
