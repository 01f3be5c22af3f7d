#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include <ggen/p2p/kad/key.hpp>
#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/kad/output.hpp>

namespace ggen::p2p::kad {

/// Gives a record to peers while the lookup of its key is still under way ("optimistic provide"):
/// in a network of known size, how far a peer is from the key tells how likely it is one of the k
/// nearest. So a record that three quarters of k have taken need not wait for peers that are gone,
/// of which the lookup has to be sure.
class EarlyPlacement {
 public:
  EarlyPlacement(const Key& target, const multiformats::PeerId& local, std::size_t k,
                 double network_size);

  void hear(std::span<const PeerRecord> peers);
  /// The next peer to give it to; done() must follow.
  [[nodiscard]] std::optional<PeerRecord> next();
  void done(const multiformats::PeerId& peer, bool stored);

  /// Three quarters of k have it, who do not lie closer together than peers do.
  [[nodiscard]] bool enough() const;
  /// It has the record, or is being given it.
  [[nodiscard]] bool has(const multiformats::PeerId& peer) const;
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }
  [[nodiscard]] const result::Placed& result() const noexcept { return placed_; }

 private:
  enum class State : std::uint8_t { kHeard, kAsked, kStored, kFailed };
  struct Candidate {
    PeerRecord record;
    State state = State::kHeard;
  };

  Key target_;
  multiformats::PeerId local_;
  std::size_t k_;
  double network_size_;
  Distance radius_;
  std::map<Distance, Candidate> candidates_;  // within the radius
  std::size_t under_way_ = 0;
  result::Placed placed_;
};

}  // namespace ggen::p2p::kad
