#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/key.hpp>
#include <ggen/p2p/kad/validator.hpp>

namespace ggen::p2p::kad {

struct ValueStoreConfig {
  std::size_t max_values = 4096;
  std::size_t max_total_size = 16 * 1024 * 1024;  ///< bytes of keys and values together
  std::size_t max_key = 256;                      ///< bytes
  std::size_t max_value = 60 * 1024;              ///< bytes; a request must fit its frame
  /// A value is forgotten so long after it was last put.
  base::Duration lifetime = std::chrono::hours{48};
};

/// What became of a put.
enum class Stored : std::uint8_t {
  kStored,
  kRenewed,   ///< the same value was there
  kBadKey,    ///< empty or too long
  kTooLarge,  ///< a value above the limit
  kNoValidator,
  kInvalid,
  kOld,   ///< a better value is there
  kFull,  ///< and everything there is nearer to us than this one
};
[[nodiscard]] std::string_view to_string(Stored result) noexcept;

/// Value records in memory. When it is full, what is farthest from the local node goes: others are
/// responsible for it.
class ValueStore {
 public:
  struct Value {
    base::Bytes key;
    base::Bytes value;
    base::Instant received;
    base::Instant expires;
  };

  /// `validators` outlives the store.
  ValueStore(const ValueStoreConfig& config, const Key& local, const Validators& validators)
      : config_(config), local_(local), validators_(validators) {}

  Stored put(base::BytesView key, base::BytesView value, base::Instant now);
  /// Null when there is none. The pointer is valid until the store changes.
  [[nodiscard]] const Value* find(base::BytesView key, base::Instant now) const;
  void expire(base::Instant now);

  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
  [[nodiscard]] std::size_t total_size() const noexcept { return total_size_; }

  /// Calls visit(value) for each, nearest first.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& entry : values_) visit(entry.second);
  }

 private:
  using Values = std::map<Distance, Value>;

  [[nodiscard]] bool make_room(const Distance& distance, std::size_t size);
  void erase(Values::iterator at);

  ValueStoreConfig config_;
  Key local_;
  const Validators& validators_;
  Values values_;  // by the distance of their key from ours
  std::size_t total_size_ = 0;
};

}  // namespace ggen::p2p::kad
