#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/kad/output.hpp>
#include <ggen/p2p/kad/validator.hpp>

namespace ggen::p2p::kad {

/// Collects the values that peers hold under one key, and knows who holds which.
class ValueSearch {
 public:
  /// `validator` answers for the key and outlives the search. A quorum of 0 is never reached.
  ValueSearch(base::Bytes key, std::size_t quorum, const Validator& validator)
      : key_(std::move(key)), quorum_(quorum), validator_(&validator) {}

  [[nodiscard]] const base::Bytes& key() const noexcept { return key_; }
  /// A value held here: genuine, and one towards the quorum.
  void add_local(base::Bytes value);
  /// What a peer answered. True when it gave a genuine value.
  bool add(const multiformats::PeerId& peer, const std::optional<Record>& record);
  [[nodiscard]] bool enough() const noexcept { return quorum_ > 0 && genuine_ >= quorum_; }

  [[nodiscard]] result::FoundValue result() const;
  [[nodiscard]] const std::optional<base::Bytes>& best() const noexcept { return best_; }
  /// Those that should be given the best value: who has a worse one, and those of `closest` that
  /// have none.
  [[nodiscard]] std::vector<multiformats::PeerId> to_correct(
      std::span<const PeerRecord> closest) const;

 private:
  enum class Holds : std::uint8_t { kNothing, kBest, kWorse, kInvalid };

  Holds judge(const std::optional<Record>& record);
  [[nodiscard]] std::size_t count(Holds holds) const;

  base::Bytes key_;
  std::size_t quorum_;
  const Validator* validator_;
  std::optional<base::Bytes> best_;
  std::size_t genuine_ = 0;
  std::map<multiformats::PeerId, Holds> peers_;  // bounded by LookupConfig::max_asked
};

}  // namespace ggen::p2p::kad
