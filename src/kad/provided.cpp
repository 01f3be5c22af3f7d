#include "provided.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ggen::p2p::kad {

Provided::Cells::const_iterator Provided::cell_of(Place place) const {
  auto after = cells_.upper_bound(place);
  return after == cells_.begin() ? cells_.end() : std::prev(after);
}

Provided::Cells::iterator Provided::cell_of(Place place) {
  auto after = cells_.upper_bound(place);
  return after == cells_.begin() ? cells_.end() : std::prev(after);
}

/// Where the key is; the size of the cell when it is not there.
std::size_t Provided::find(const Cell& cell, Place place, base::BytesView key) {
  auto at = std::ranges::lower_bound(cell, place, {}, &Record::place);
  while (at != cell.end() && at->place == place && !base::equal(at->key, key)) ++at;
  if (at == cell.end() || at->place != place) return cell.size();
  return static_cast<std::size_t>(at - cell.begin());
}

bool Provided::contains(base::BytesView key) const {
  const Place place = place_of(Key::of(key));
  const auto cell = cell_of(place);
  return cell != cells_.end() && find(cell->second, place, key) < cell->second.size();
}

void Provided::insert(base::BytesView key, base::Instant due, base::Instant next) {
  const Place place = place_of(Key::of(key));
  if (cells_.empty()) cells_.try_emplace(0);
  const auto cell = cell_of(place);
  Cell& records = cell->second;
  if (find(records, place, key) < records.size()) return;
  const auto at = std::ranges::upper_bound(records, place, {}, &Record::place);
  const auto index = at - records.begin();
  // Cells are many: they grow by a little.
  if (records.size() == records.capacity()) records.reserve(records.size() + kMaxCell / 8);
  records.insert(records.begin() + index, Record{place, due, next, base::to_bytes(key)});
  ++size_;
  update(*cell);
  if (records.size() > kMaxCell) split(cell);
}

void Provided::split(Cells::iterator cell) {
  Cell& records = cell->second;
  auto middle = records.begin() + static_cast<std::ptrdiff_t>(records.size() / 2);
  middle = std::ranges::lower_bound(records, middle->place, {}, &Record::place);
  if (middle == records.begin()) return;  // all are at one place
  const auto made = cells_.try_emplace(middle->place).first;
  made->second.assign(std::move_iterator{middle}, std::move_iterator{records.end()});
  records.erase(middle, records.end());
  records.shrink_to_fit();
  update(*cell);
  update(*made);
}

void Provided::erase(base::BytesView key) {
  const Place place = place_of(Key::of(key));
  const auto cell = cell_of(place);
  if (cell == cells_.end()) return;
  const std::size_t at = find(cell->second, place, key);
  if (at == cell->second.size()) return;
  cell->second.erase(cell->second.begin() + static_cast<std::ptrdiff_t>(at));
  --size_;
  update(*cell);
  // The first cell stays while there are others, so that every place has one.
  if (cell->second.empty() && (cell != cells_.begin() || cells_.size() == 1)) cells_.erase(cell);
}

void Provided::update(const Cells::value_type& cell) {
  std::optional<base::Instant> next;
  std::optional<base::Instant> due;
  for (const Record& record : cell.second) {
    if (record.next != kTelling) next = base::earlier(next, record.next);
    due = base::earlier(due, record.due);
  }
  next_.set(cell.first, next);
  due_.set(cell.first, due);
}

template <class Change>
void Provided::change(base::BytesView key, Change&& change) {
  const Place place = place_of(Key::of(key));
  const auto cell = cell_of(place);
  if (cell == cells_.end()) return;
  const std::size_t at = find(cell->second, place, key);
  if (at == cell->second.size()) return;
  change(cell->second[at]);
  update(*cell);
}

void Provided::begin(base::BytesView key, base::Instant again) {
  change(key, [&](Record& record) {
    record.due = std::min(record.due, again);
    record.next = again;
  });
}

void Provided::told(base::BytesView key, base::Instant again) {
  change(key, [&](Record& record) { record.due = record.next = again; });
}

void Provided::missed(base::BytesView key, base::Instant since, base::Instant next) {
  change(key, [&](Record& record) {
    record.due = std::min(record.due, since);
    record.next = next;
  });
}

const base::Bytes* Provided::due(base::Instant now) {
  const auto first = next_.pop_due(now);
  if (!first) return nullptr;
  const auto cell = cells_.find(*first);
  update(*cell);
  return &std::ranges::min_element(cell->second, {}, &Record::next)->key;
}

std::size_t Provided::owed(base::Instant now) const {
  std::size_t count = 0;
  visit(Prefix{}, [&](const Record& record) {
    count += record.due < now ? 1 : 0;
    return true;
  });
  return count;
}

/// Until `visit` gives false, which is then returned.
template <class Visit>
bool Provided::visit(const Prefix& part, Visit&& visit) const {
  for (auto cell = cell_of(part.first); cell != cells_.end() && cell->first <= part.last();
       ++cell) {
    auto record = std::ranges::lower_bound(cell->second, part.first, {}, &Record::place);
    for (; record != cell->second.end() && record->place <= part.last(); ++record) {
      if (!visit(*record)) return false;
    }
  }
  return true;
}

template <class Change>
void Provided::change_all(const Prefix& part, Change&& change) {
  for (auto cell = cell_of(part.first); cell != cells_.end() && cell->first <= part.last();
       ++cell) {
    for (Record& record : cell->second) {
      if (part.contains(record.place)) change(record);
    }
    update(*cell);
  }
}

std::size_t Provided::count(const Prefix& part, base::Instant until, std::size_t limit) const {
  std::size_t count = 0;
  visit(part, [&](const Record& record) {
    if (record.next <= until) ++count;
    return count < limit;
  });
  return count;
}

void Provided::begin_telling(const Prefix& part, base::Instant until) {
  change_all(part, [&](Record& record) {
    if (record.next <= until) record.next = kTelling;
  });
}

std::vector<base::Bytes> Provided::telling(const Prefix& part, std::size_t limit) const {
  std::vector<base::Bytes> keys;
  visit(part, [&](const Record& record) {
    if (record.next == kTelling) keys.push_back(record.key);
    return keys.size() < limit;
  });
  return keys;
}

void Provided::end_telling(const Prefix& part, base::Instant next) {
  change_all(part, [&](Record& record) {
    if (record.next == kTelling) record.next = next;
  });
}

const base::Bytes* Provided::any(const Prefix& part) const {
  const base::Bytes* found = nullptr;
  visit(part, [&](const Record& record) {
    found = &record.key;
    return false;
  });
  return found;
}

}  // namespace ggen::p2p::kad
