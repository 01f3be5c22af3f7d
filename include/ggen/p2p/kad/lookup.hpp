#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/kad/key.hpp>
#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::kad {

struct LookupConfig {
  std::size_t k = 20;  ///< peers to find
  /// Requests under way at a time, until one of the k nearest heard of has answered: then all k are
  /// asked at once, since hardly anybody nearer will be heard of. Peers that were asked and are no
  /// longer among the k nearest hold up nobody.
  std::size_t alpha = 10;
  /// Peers that one lookup asks at most: liars could name new peers for ever.
  std::size_t max_asked = 256;
  /// Peers remembered of those heard of; the farthest are forgotten first.
  std::size_t max_candidates = 512;
  /// Addresses kept of one peer, whoever named them: what four answers may name
  /// (MessageLimits::max_addresses), since the first to name a peer may lie about where it is.
  std::size_t max_addresses = 128;
  /// Disjoint paths (S/Kademlia): the peers that a lookup starts from are dealt out to so many
  /// paths, and each peer heard of belongs to the path on which it was first named. The nearest k /
  /// paths of each path must answer too, so that a liar ends its own path alone. At most kMaxPaths.
  std::size_t paths = 1;
  static constexpr std::size_t kMaxPaths = 8;
};

/// The walk towards a key (libp2p/specs kad-dht, "Peer routing"): asks the nearest peers it has
/// heard of, hears of nearer ones, and has converged when the k nearest that did not fail have all
/// answered. Says whom to ask and is told what came of it; knows nothing of streams and time.
///
/// Nobody is asked twice, and only who answered is a result: a made-up peer costs one attempt.
class Lookup {
 public:
  Lookup(const LookupConfig& config, const Key& target, const multiformats::PeerId& local);

  /// Peers to start from. Returns how many were new.
  std::size_t hear(std::span<const PeerRecord> peers);

  /// The next peer to ask, which then counts as asked; nothing while enough requests are under way,
  /// at most alpha + k in all, or nobody is left. One of answered() and failed() must follow for
  /// each.
  [[nodiscard]] std::optional<PeerRecord> next();
  /// It has named `closer`. Nothing happens, here and in failed(), when no answer is waited for.
  void answered(const multiformats::PeerId& peer, std::span<const PeerRecord> closer);
  void failed(const multiformats::PeerId& peer);
  /// The peer takes its time: another may be asked meanwhile. answered() or failed() still follows.
  void slow(const multiformats::PeerId& peer);

  /// Whoever is not farther than `radius` is to be found too, beside the k nearest.
  void widen(const Distance& radius) { radius_ = radius; }
  /// What is under way will not be told of.
  void give_up_waiting();

  /// The k nearest have answered, all within the radius, and those nearest on each path.
  [[nodiscard]] bool converged() const;
  /// Converged, or nobody is left to ask and to wait for.
  [[nodiscard]] bool finished() const;

  /// The nearest peers that answered, nearest first: at most k, and all within the radius.
  [[nodiscard]] std::vector<PeerRecord> closest() const;
  /// Answers, one after the other, that it took to hear from the nearest of these; 0 without any.
  [[nodiscard]] unsigned hops() const;
  /// What is known of a peer's addresses.
  [[nodiscard]] const PeerRecord* find(const multiformats::PeerId& peer) const;
  [[nodiscard]] const Key& target() const noexcept { return target_; }
  [[nodiscard]] const LookupConfig& config() const noexcept { return config_; }

  [[nodiscard]] std::size_t asked_count() const noexcept { return asked_; }
  [[nodiscard]] std::size_t answered_count() const noexcept { return answered_; }
  [[nodiscard]] std::size_t failed_count() const noexcept { return failed_; }

 private:
  enum class State : std::uint8_t { kHeard, kAsked, kSlow, kAnswered, kFailed };
  struct Candidate {
    Distance distance;
    PeerRecord record;
    State state = State::kHeard;
    std::uint16_t hops = 0;  // answers that led to it; max_asked bounds them
    std::uint8_t path = 0;
  };
  class Wanted;

  [[nodiscard]] Candidate* candidate(const multiformats::PeerId& peer);
  [[nodiscard]] Candidate* waited_for(const multiformats::PeerId& peer);
  [[nodiscard]] Candidate* next_candidate();
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] bool has_asked_enough() const;
  bool hear_one(const PeerRecord& peer, unsigned hops, std::uint8_t path);
  void forget_farthest();

  LookupConfig config_;
  Key target_;
  multiformats::PeerId local_;
  Distance radius_;
  std::vector<Candidate> candidates_;  // nearest first
  std::uint8_t next_path_ = 0;         // of the next peer to start from
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace ggen::p2p::kad
