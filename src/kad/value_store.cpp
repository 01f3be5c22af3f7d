#include <iterator>

#include <ggen/p2p/kad/value_store.hpp>

namespace ggen::p2p::kad {

std::string_view to_string(Stored result) noexcept {
  switch (result) {
    case Stored::kStored:
      return "stored";
    case Stored::kRenewed:
      return "the same value was there";
    case Stored::kBadKey:
      return "the key is empty or too long";
    case Stored::kTooLarge:
      return "the value is too large";
    case Stored::kNoValidator:
      return "nobody can tell whether values of this key are genuine";
    case Stored::kInvalid:
      return "the value is not genuine";
    case Stored::kOld:
      return "a better value is known";
    case Stored::kFull:
      return "the store is full of nearer values";
  }
  return "unknown result";
}

Stored ValueStore::put(base::BytesView key, base::BytesView value, base::Instant now) {
  if (key.empty() || key.size() > config_.max_key) return Stored::kBadKey;
  if (value.size() > config_.max_value) return Stored::kTooLarge;
  const Validator* validator = validators_.find(key);
  if (validator == nullptr) return Stored::kNoValidator;
  if (!validator->valid(key, value)) return Stored::kInvalid;

  const Distance distance = Key::of(key).distance(local_);
  if (const auto at = values_.find(distance); at != values_.end()) {
    const bool same = base::equal(at->second.value, value);
    if (same) {
      at->second.received = now;
      at->second.expires = now + config_.lifetime;
      return Stored::kRenewed;
    }
    if (at->second.expires > now && !validator->better(key, value, at->second.value)) {
      return Stored::kOld;
    }
    erase(at);
  }
  const std::size_t size = key.size() + value.size();
  if (!make_room(distance, size)) return Stored::kFull;
  total_size_ += size;
  values_.emplace(distance,
                  Value{base::to_bytes(key), base::to_bytes(value), now, now + config_.lifetime});
  return Stored::kStored;
}

const ValueStore::Value* ValueStore::find(base::BytesView key, base::Instant now) const {
  const auto at = values_.find(Key::of(key).distance(local_));
  return at == values_.end() || at->second.expires <= now ? nullptr : &at->second;
}

void ValueStore::expire(base::Instant now) {
  for (auto at = values_.begin(); at != values_.end();) {
    const auto next = std::next(at);
    if (at->second.expires <= now) erase(at);
    at = next;
  }
}

/// Drops what is farther than `distance`, as far as needed.
bool ValueStore::make_room(const Distance& distance, std::size_t size) {
  while (!values_.empty() &&
         (values_.size() >= config_.max_values || total_size_ + size > config_.max_total_size)) {
    const auto farthest = std::prev(values_.end());
    if (farthest->first < distance) return false;
    erase(farthest);
  }
  return config_.max_values > 0 && size <= config_.max_total_size;
}

void ValueStore::erase(Values::iterator at) {
  total_size_ -= at->second.key.size() + at->second.value.size();
  values_.erase(at);
}

}  // namespace ggen::p2p::kad
