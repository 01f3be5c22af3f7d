#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>

#include "prefix.hpp"

namespace ggen::p2p::kad {

/// The keys that this node provides, in the order of their places, and when each is to be told
/// again. They lie in cells of about a hundred neighbours, each cell with one timer: a key takes
/// about 130 bytes, and those of a region lie together.
class Provided {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool contains(base::BytesView key) const;

  /// Adds a key that is to be told at `next`, and is owed to others since or from `due`. One that
  /// is there stays as it is.
  void insert(base::BytesView key, base::Instant due, base::Instant next);
  void erase(base::BytesView key);

  // On keys that are not there, these do nothing.

  /// It is being told, and owed to others again from `again` if that succeeds.
  void begin(base::BytesView key, base::Instant again);
  /// Others have it; it is told again at `again`.
  void told(base::BytesView key, base::Instant again);
  /// Nobody took it: it is owed since `since` at the latest, and told again at `next`.
  void missed(base::BytesView key, base::Instant since, base::Instant next);

  /// A key that is to be told by now; the one that has waited longest.
  [[nodiscard]] const base::Bytes* due(base::Instant now);
  /// When one will be to be told.
  [[nodiscard]] std::optional<base::Instant> next() const { return next_.earliest(); }
  /// Since when (or from when) the one that is owed longest is owed.
  [[nodiscard]] std::optional<base::Instant> owed_since() const { return due_.earliest(); }
  /// Keys that are owed since before `now`.
  [[nodiscard]] std::size_t owed(base::Instant now) const;

  // Of a part of the key space.

  /// Keys that are to be told by `until`; stops counting at `limit`.
  [[nodiscard]] std::size_t count(const Prefix& part, base::Instant until, std::size_t limit) const;
  /// They are being told: none is to be told for itself until told(), missed() or end_telling().
  void begin_telling(const Prefix& part, base::Instant until);
  /// At most `limit` of those that are being told.
  [[nodiscard]] std::vector<base::Bytes> telling(const Prefix& part, std::size_t limit) const;
  /// What is still being told is to be told at `next`.
  void end_telling(const Prefix& part, base::Instant next);
  /// Any key of the part; null without one.
  [[nodiscard]] const base::Bytes* any(const Prefix& part) const;

 private:
  struct Record {
    Place place = 0;
    base::Instant due;
    base::Instant next;  // kTelling while it is being told
    base::Bytes key;
  };
  static constexpr base::Instant kTelling = base::Instant::max();
  static constexpr std::size_t kMaxCell = 128;

  using Cell = std::vector<Record>;  // in the order of places
  using Cells = std::map<Place, Cell>;

  [[nodiscard]] Cells::const_iterator cell_of(Place place) const;
  [[nodiscard]] Cells::iterator cell_of(Place place);
  [[nodiscard]] static std::size_t find(const Cell& cell, Place place, base::BytesView key);
  void update(const Cells::value_type& cell);
  void split(Cells::iterator cell);
  template <class Change>
  void change(base::BytesView key, Change&& change);
  template <class Visit>
  bool visit(const Prefix& part, Visit&& visit) const;
  template <class Change>
  void change_all(const Prefix& part, Change&& change);

  Cells cells_;  // by where each begins; each reaches to the next
  std::size_t size_ = 0;
  base::TimerHeap<Place> next_;  // of the cells
  base::TimerHeap<Place> due_;
};

}  // namespace ggen::p2p::kad
