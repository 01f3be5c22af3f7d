#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/kad/lookup.hpp>

#include "state.hpp"

namespace ggen::p2p::kad {

/// What a query does about peers that have settled around its key to be all that others find there.
/// Where the k nearest lie much closer together than in the rest of the network, it looks up other
/// keys of the region in which k peers would be expected; whom it finds there belong to the k
/// nearest as well: they are asked, and given what is put. So as many honest peers are among them
/// as without the settlers, who cannot be told apart.
///
/// How large the network is comes from lookups of random keys; where these are old, more are made
/// first. Settlers elsewhere make it look larger than it is, and so the region smaller: it grows
/// until the peers in it are spread as peers are. The lookups are made one after the other, each by
/// FIND_NODE.
class Widening {
 public:
  /// `lookup`, of the query's own key, has found the nearest. True when there is more to find:
  /// first by the lookups aside, then by `lookup` itself.
  bool begin_or_go_on(Lookup& lookup, State& state, base::Instant now);

  /// The lookup aside that is under way; null without one.
  [[nodiscard]] Lookup* aside() noexcept { return aside_ ? &aside_->lookup : nullptr; }
  [[nodiscard]] const Lookup* aside() const noexcept { return aside_ ? &aside_->lookup : nullptr; }
  [[nodiscard]] base::BytesView key() const noexcept { return aside_->key; }

  /// The key was found crowded, and the region around it searched.
  [[nodiscard]] bool searched_region() const noexcept { return stage_ == Stage::kDone; }
  // Of the lookups aside that are over.
  [[nodiscard]] std::size_t asked() const noexcept { return asked_; }
  [[nodiscard]] std::size_t answered() const noexcept { return answered_; }
  [[nodiscard]] std::size_t failed() const noexcept { return failed_; }

 private:
  enum class Stage : std::uint8_t {
    kIdle,       // nothing to be done so far, or not needed
    kMeasuring,  // how large the network is
    kSearching,  // the region
    kDone,
  };
  struct Aside {
    base::Bytes key;
    Lookup lookup;
  };

  bool measure(const Lookup& lookup, State& state);
  bool search(const Lookup& lookup, State& state, base::Instant now);
  bool search_region(const Lookup& lookup, double share, State& state);
  [[nodiscard]] bool lies_in_heaps(std::size_t k) const;
  bool next_aside(const Lookup& lookup, const State& state);
  void end_aside(Lookup& lookup, State& state, base::Instant now);

  Stage stage_ = Stage::kIdle;
  std::vector<base::Bytes> keys_;  // still to be looked up
  std::optional<Aside> aside_;
  double share_ = 0;  // of the key space, that the region takes up
  Distance radius_;
  std::set<Distance> found_;  // peers in it
  std::size_t enlargements_ = 0;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  std::size_t failed_ = 0;
};

/// The k nearest to a key hold this part of the key space, much less than where keys are random in
/// a network of `peers`.
[[nodiscard]] bool crowded(double peers, double part, std::size_t k);

/// Counts what a lookup of a random key has found.
void measure(NetworkSize& size, const Lookup& lookup, base::Instant now);

}  // namespace ggen::p2p::kad
