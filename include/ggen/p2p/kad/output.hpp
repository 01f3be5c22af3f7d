#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/kad/routing_table.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::kad {

struct QueryTag;
/// Names a query until its QueryDone, or until it is cancelled.
using QueryId = base::Id<QueryTag>;

/// Why a request to one peer came to nothing.
enum class RequestError : std::uint8_t {
  kUnreachable,  ///< no connection, or none that could be made
  kRefused,      ///< this node would not open a stream, or not in time
  kUnsupported,  ///< the peer is there, but does not serve the protocol
  kTimeout,
  kClosed,     ///< the stream ended before the answer
  kMalformed,  ///< not an answer to what was asked
};
[[nodiscard]] std::string_view to_string(RequestError error) noexcept;

/// One request of a query and what came of it: the trace of a lookup.
struct QueryHop {
  QueryId id;
  multiformats::PeerId peer;
  MessageType asked{};
  unsigned shared_bits = 0;  ///< of the peer's key with the target: more is nearer
  std::optional<RequestError> error{};
  std::size_t closer = 0;     ///< peers in the answer
  std::size_t providers = 0;  ///< providers in the answer
  bool value = false;         ///< a value came with the answer
  base::Duration took{};
};

/// Providers that were not reported before, as they are found.
struct ProvidersFound {
  QueryId id;
  std::vector<PeerRecord> providers;
};

/// How a query ended.
enum class QueryEnd : std::uint8_t {
  kConverged,  ///< the k peers nearest to the key have answered: as sure as it gets
  kEnough,     ///< what was asked for is there: quorum, limit, peer, takers
  kExhausted,  ///< everybody heard of was asked, fewer than k answered
  kTimeout,    ///< the time is over: the result is what was there by then
  kNoPeers,    ///< the routing table is empty, and no server is connected
};
[[nodiscard]] std::string_view to_string(QueryEnd end) noexcept;

/// How sure a result is.
struct QueryStats {
  QueryEnd end{};
  std::size_t asked = 0;
  std::size_t answered = 0;
  std::size_t failed = 0;
  /// Answers that led to the nearest peer that answered, one to the next, its own included; 0 when
  /// nobody did.
  unsigned hops = 0;
  /// The nearest peers lie much closer together than others do, as if somebody had settled around
  /// the key: the region around them was searched as well, and those of it count.
  bool crowded = false;
  base::Duration took{};
};

namespace result {

/// The peers nearest to the key that answered, nearest first, at most k.
struct Closest {
  std::vector<PeerRecord> peers;
};
struct FoundPeer {
  /// What is known of the peer; nothing when nobody has heard of it.
  std::optional<PeerRecord> peer;
  /// A connection proved that the peer is there. Otherwise its addresses are what others claim.
  bool reached = false;
};
struct FoundValue {
  std::optional<base::Bytes> value;  ///< the best one
  std::size_t same = 0;              ///< peers that had it
  std::size_t outdated = 0;          ///< peers that had a worse one
  std::size_t invalid = 0;           ///< peers that gave one that is not genuine
};
/// Of put_value and provide. Where the size of the network is known, provide() gives it as soon as
/// three quarters of k peers have taken the record (QueryEnd::kEnough); the rest of the k nearest
/// are told after that, and count no more.
struct Placed {
  std::size_t stored = 0;  ///< peers that took it
  std::size_t failed = 0;
};
struct FoundProviders {
  std::vector<PeerRecord> providers;
};

}  // namespace result

using QueryResult = std::variant<result::Closest, result::FoundPeer, result::FoundValue,
                                 result::Placed, result::FoundProviders>;

/// The last event of a query.
struct QueryDone {
  QueryId id;
  QueryResult result;
  QueryStats stats;
};

/// Where a peer is said to be that this engine is about to open a stream to, or has given in a
/// result. The owner adds it to its address book as an unverified claim.
struct AddressesLearned {
  multiformats::PeerId peer;
  std::vector<multiformats::Multiaddr> addresses;
};

/// The routing table gained or lost a peer.
using RoutingUpdated = TableChange;

/// A remote put a value here that is new or better than what was known.
struct ValueStored {
  multiformats::PeerId from;
  base::Bytes key;
  base::Bytes value;
};

/// Others have not been told again of what this node provides in time: they will forget it. Given
/// once, until it has caught up (ProvideStats::behind).
struct ReprovideBehind {
  std::size_t records = 0;  ///< keys that are overdue
  base::Duration by{};      ///< for how long that is so of the one that waits longest
};

enum class DropReason : std::uint8_t {
  kClientMode,  ///< this node does not answer
  kTooManyStreams,
  kIdle,
  kMalformed,        ///< not a frame, or not a message
  kFlooded,          ///< requests without end while answers are not read
  kBadRequest,       ///< a key that is empty or too long, a message without its record
  kRefusedValue,     ///< a value that is not genuine, outdated, or not accepted here
  kRefusedProvider,  ///< no provider record of the sender, or no room for it
};
[[nodiscard]] std::string_view to_string(DropReason reason) noexcept;

/// A stream on which a peer asked us was reset, and why.
struct InboundDropped {
  connection::StreamRef stream;
  multiformats::PeerId peer;
  DropReason reason{};
};

using Output =
    std::variant<connection::StreamOutput, QueryHop, ProvidersFound, QueryDone, AddressesLearned,
                 RoutingUpdated, ValueStored, ReprovideBehind, InboundDropped>;

}  // namespace ggen::p2p::kad
