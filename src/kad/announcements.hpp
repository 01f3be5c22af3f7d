#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/kad/output.hpp>

#include "state.hpp"

namespace ggen::p2p::kad {

struct RegionTag;
/// Names a region that is being swept.
using RegionId = base::Id<RegionTag>;

/// Tells peers of many keys that this node provides: one stream for each peer and batch, on which
/// one ADD_PROVIDER follows the other, as fast as the peer takes them. Every implementation reads
/// requests from a stream until it ends.
class Announcements {
 public:
  explicit Announcements(State& state) : state_(state) {}

  struct Batch {
    RegionId region;
    std::size_t share = 0;  ///< which one of the region's
    PeerRecord peer;
    std::vector<base::Bytes> keys;
  };
  /// Another batch may begin.
  [[nodiscard]] bool has_room() const;
  void begin(Batch batch, base::Instant now);

  struct Done {
    RegionId region;
    std::size_t share = 0;
    multiformats::PeerId peer;
    std::size_t keys = 0;
    /// The peer has read all to the end. It may have read some where it is false.
    bool taken = false;
    /// Why the peer did not even agree on the protocol.
    std::optional<RequestError> error;
    base::Duration took{};
  };
  [[nodiscard]] std::optional<Done> poll() { return done_.pop(); }

  /// False for what concerns none of these streams.
  bool handle(connection::StreamInput& in, base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return timers_.earliest(); }

 private:
  struct StreamTag;
  using Id = base::Id<StreamTag>;
  struct Stream {
    Batch batch;
    base::Instant started;
    std::optional<connection::StreamRef> ref;
    std::size_t written = 0;     // keys
    std::size_t unanswered = 0;  // Writes
    bool agreed = false;         // on the protocol
    bool finished = false;       // this side
    bool remote_finished = false;
  };

  [[nodiscard]] std::optional<Id> id_of(connection::OpenToken token) const;
  [[nodiscard]] std::optional<Id> id_of(connection::StreamRef ref) const;
  void write(Id id, base::Instant now);
  [[nodiscard]] base::Buffer next_messages(Stream& stream) const;
  void closed(Id id, connection::StreamEnd how, base::Instant now);
  void end(Id id, bool taken, std::optional<RequestError> error, base::Instant now);

  State& state_;
  base::SlotMap<Stream, StreamTag> streams_;
  base::HashMap<connection::StreamRef, Id> refs_;
  base::TimerHeap<Id> timers_;
  base::Fifo<Done> done_;
};

}  // namespace ggen::p2p::kad
