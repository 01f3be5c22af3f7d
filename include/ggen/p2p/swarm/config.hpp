#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/swarm/ip.hpp>

namespace ggen::p2p::swarm {

/// Who may connect and be connected to. A deny list always wins; an allow list that is not empty
/// admits only what it names. Addresses and peers are judged each by their own lists, and a
/// connection needs both.
struct AccessLists {
  std::set<multiformats::PeerId> deny_peers;
  std::set<multiformats::PeerId> allow_peers;
  std::vector<IpPrefix> deny_addresses;
  std::vector<IpPrefix> allow_addresses;
};

/// Every limit of the swarm and its default.
struct Config {
  struct Limits {
    /// Connections in all, both directions, from the transport's handshake on; attempts to connect
    /// count as well. At this and the next limit Trimming::visit says who makes place for whom.
    std::size_t max_connections = 200;
    /// Of these, inbound ones: the rest is kept for dialling out, so that nobody can cut this node
    /// off by filling it up.
    std::size_t max_inbound = 160;
    /// Inbound connections that have not proven an identity yet.
    std::size_t max_inbound_half_open = 32;
    std::size_t max_per_peer = 4;
    /// Inbound, for each IPv4 address or IPv6 /64.
    std::size_t max_inbound_per_address = 8;
    /// Inbound connections accepted in each rate_window from one IPv4 address or IPv6 /64...
    std::size_t max_inbound_rate = 20;
    base::Duration rate_window = std::chrono::seconds{10};
    /// ... and from how many such addresses; more are refused until the window ends.
    std::size_t max_rate_addresses = 1024;
    /// Whether the limits by address also apply to loopback and private ranges. Their users are
    /// several nodes on one machine or behind one router, not an attack from the internet.
    bool limit_private_addresses = false;

    /// Limits for a node of `max_connections`, in the proportions of the defaults.
    [[nodiscard]] static Limits for_connections(std::size_t max_connections);
  };

  struct Trimming {
    /// Secured connections above which the least recently used ones are closed...
    std::size_t high_water = 150;
    /// ... until this many are left. Half as many, the longest here, are never closed, nor are
    /// those of protected peers: however many come, they take no place from these.
    std::size_t low_water = 120;
    /// A connection younger than this is left alone.
    base::Duration grace = std::chrono::seconds{20};
    /// So is one that was used more recently than this.
    base::Duration idle = std::chrono::seconds{10};
    /// Time between two looks at all connections.
    base::Duration interval = std::chrono::seconds{10};
    /// A full node makes place for a newcomer, or for a dial of its own: it closes the connection
    /// that was used longest ago, but none younger than this, which is time for identify and for a
    /// question to the DHT...
    base::Duration visit = std::chrono::seconds{2};
    /// ... and none that was used more recently than this, unless a lookup of its own has had its
    /// answer on it.
    base::Duration in_use = std::chrono::seconds{1};

    [[nodiscard]] static Trimming for_connections(std::size_t max_connections);
  };

  struct Dialing {
    /// Time between the starts of two attempts of one dial while none has failed (RFC 8305).
    base::Duration stagger = std::chrono::milliseconds{250};
    /// The same between loopback and private addresses, which answer at once or not at all. They
    /// run beside the public ones.
    base::Duration private_stagger = std::chrono::milliseconds{30};
    /// For the transport to connect.
    base::Duration attempt_timeout = std::chrono::seconds{5};
    /// For a dial as a whole: names, attempts and handshakes.
    base::Duration deadline = std::chrono::seconds{15};
    /// Attempts and half-open connections of one dial at a time.
    std::size_t max_attempts_per_dial = 8;
    /// Attempts at a time in all.
    std::size_t max_attempts = 32;
    /// Dials at a time, those waiting for a free attempt included. More fail with kTooManyDials.
    std::size_t max_dials = 256;
    /// Requests that wait for one dial.
    std::size_t max_requests_per_dial = 64;
    /// Addresses that one dial considers: those of the request first, then the book's.
    std::size_t max_addresses = 32;
    /// Look-ups that the driver has not answered, in all. It must answer each.
    std::size_t max_resolves = 16;
    /// Look-ups of one dial, from first to last.
    std::size_t max_resolves_per_dial = 16;
    /// Answers of one look-up that are considered.
    std::size_t max_resolved = 32;
    /// How many /dnsaddr records may follow one another.
    unsigned max_dnsaddr_depth = 4;

    /// After the n-th failure in a row a peer or an address rests for backoff_base * 2^(n-1), at
    /// most backoff_max, times a random factor from 0.5 to 1.
    base::Duration backoff_base = std::chrono::seconds{5};
    base::Duration backoff_max = std::chrono::minutes{5};
    /// Peers, and again addresses, whose failures are remembered. Beyond, those whose rest ends
    /// first are forgotten.
    std::size_t max_backoffs = 2048;
  };

  struct Book {
    /// Peers whose addresses are kept. Beyond, the one that expires first is forgotten; connected
    /// peers never are.
    std::size_t max_peers = 2048;
    /// Addresses for each peer, certified ones included. Certified and proven ones are kept before
    /// others.
    std::size_t max_addresses_per_peer = 16;
    /// Larger addresses are not kept: a DNS name has at most 253 bytes.
    std::size_t max_address_bytes = 300;
    /// No address is kept longer than this without being heard of again.
    base::Duration max_ttl = std::chrono::hours{24};
    /// How long the addresses of a signed record are kept.
    base::Duration record_ttl = std::chrono::hours{1};
    /// How long the addresses of a peer are kept at least after it has gone.
    base::Duration disconnected_ttl = std::chrono::minutes{30};
    /// Signed records above this are refused.
    std::size_t max_record_bytes = 4096;
  };

  struct Observed {
    /// Distinct observers (IPv4 /16 or IPv6 /32; for loopback and private observers, peers) that
    /// must have named an external address before it is believed.
    std::size_t confirmations = 3;
    /// Addresses under observation. Beyond, the one with the fewest votes is forgotten.
    std::size_t max_addresses = 16;
    /// Votes that are counted for each.
    std::size_t max_votes = 16;
    /// How long a vote counts.
    base::Duration ttl = std::chrono::minutes{30};
  };

  struct HistoryLimits {
    std::size_t max_closed = 256;
    /// Refusals of the same address for the same reason in a row take one place.
    std::size_t max_refused = 128;
    std::size_t max_failed_dials = 128;
  };

  Limits limits;
  Trimming trimming;
  Dialing dialing;
  Book book;
  Observed observed;
  HistoryLimits history;
  /// Addresses to listen on at a time.
  std::size_t max_listeners = 16;
  AccessLists access;
};

}  // namespace ggen::p2p::swarm
