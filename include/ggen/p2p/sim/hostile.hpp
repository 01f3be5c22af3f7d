#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/key.hpp>
#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/node/channel_factory.hpp>

/// Nodes that mean harm. A hostile machine runs the node that all others run, and so joins, is
/// identified, enters tables and meshes as they do; between that node and its connections stands a
/// channel that lies.
namespace ggen::p2p::sim {

/// What a hostile node does; by default it is a Sybil. All of its sort know each other, and name
/// each other.
struct Hostility {
  /// How it answers in the DHT. Values and provider records that it is given are forgotten.
  enum class Dht : std::uint8_t {
    kHonest,
    kGang,       ///< its own sort are the nearest to every key, and provide it; values are forged,
                 ///< or missing
    kItself,     ///< knows nobody but itself
    kStrangers,  ///< names peers that do not exist, at addresses where nobody is
    kNothing,    ///< takes the question, and does not answer
  };
  Dht dht = Dht::kGang;
  std::size_t strangers = 20;      ///< in each answer: 10,000 make it an oversized one
  base::Duration answers_after{};  ///< this long after the question

  /// In its meshes it keeps its place, passes nothing on and advertises nothing.
  bool silent = true;
  // Sent each second to every peer, about the marketplace's topic.
  std::size_t promises = 0;  ///< ids that it advertises of messages that there are not
  std::size_t grafts = 0;    ///< GRAFTs, wanted or not
  std::size_t begs = 0;      ///< IWANTs for the newest message that its node sent

  /// Resets the streams on which others ask for news, searches and archives.
  bool withholds = true;

  /// Changes a byte of each chunk that it serves.
  bool spoils = false;

  /// Until then it is a node like any other, and earns what that earns.
  base::Instant begins{};
};

/// All hostile nodes of a simulation: whom they name.
class Gang {
 public:
  void add(kad::PeerRecord member);
  [[nodiscard]] std::vector<kad::PeerRecord> nearest(const kad::Key& key, std::size_t count) const;

 private:
  std::vector<std::pair<kad::Key, kad::PeerRecord>> members_;
};

/// Channels of a hostile node, around those that it would have otherwise. `gang` outlives them;
/// `self` is what the node says of itself in answers.
[[nodiscard]] std::unique_ptr<node::ChannelFactory> make_hostile(
    std::unique_ptr<node::ChannelFactory> inner, const Hostility& hostility, const Gang& gang,
    kad::PeerRecord self, base::Prng prng);

/// What an identity is made of: crypto::KeyPair::from_seed.
using IdentitySeed = std::array<std::uint8_t, 32>;

/// An identity whose place in the DHT shares at least `bits` leading bits with `key`. Tries about
/// 2^bits of them, some 20,000 a second.
[[nodiscard]] IdentitySeed identity_near(const kad::Key& key, unsigned bits, base::Prng& prng);

}  // namespace ggen::p2p::sim
