#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/gossipsub/config.hpp>
#include <ggen/p2p/gossipsub/score.hpp>

namespace ggen::p2p::gossipsub {

/// What is counted of one peer towards its score. It outlives the peer's connection, so that nobody
/// is rid of a bad score by coming back.
class ScoreCard {
 public:
  void joined_mesh(std::string_view topic, base::Instant now);
  void left_mesh(std::string_view topic, const TopicScoreParameters& parameters, base::Instant now);

  void first_delivery(std::string_view topic, const TopicScoreParameters& parameters);
  /// The first copy of a message, or one nearly as early. Counts while the peer is in the mesh.
  void mesh_delivery(std::string_view topic, const TopicScoreParameters& parameters);
  void invalid_message(std::string_view topic);
  void misbehaved(double weight) { behaviour_ += weight; }
  void set_application(double score) { application_ = score; }

  /// A second has passed.
  void decay(const Config& config);
  /// What a peer that is gone keeps: nothing that speaks for it.
  void keep_what_is_held_against_it();

  /// `neighbours`: the peers at its address, itself included; 0 when that does not count.
  [[nodiscard]] double score(const Config& config, std::size_t neighbours, base::Instant now) const;
  /// The same in all its terms.
  [[nodiscard]] PeerScore explain(const multiformats::PeerId& peer, const Config& config,
                                  std::size_t neighbours, base::Instant now) const;

 private:
  struct Counters {
    std::optional<base::Instant> in_mesh_since;
    double first_deliveries = 0;
    double mesh_deliveries = 0;
    double mesh_failures = 0;
    double invalid_messages = 0;

    [[nodiscard]] bool nothing() const noexcept {
      return !in_mesh_since && first_deliveries == 0 && mesh_deliveries == 0 &&
             mesh_failures == 0 && invalid_messages == 0;
    }
  };

  /// The terms of no topic.
  struct Rest {
    ScoreTerm application;
    ScoreTerm colocation;
    ScoreTerm behaviour;
  };

  [[nodiscard]] Counters& counters(std::string_view topic);
  /// P3, which P3b remembers.
  [[nodiscard]] static double deficit(const Counters& counters,
                                      const TopicScoreParameters& parameters, base::Instant now);
  [[nodiscard]] static TopicScore explain(const Counters& counters,
                                          const TopicScoreParameters& parameters,
                                          base::Instant now);

  [[nodiscard]] Rest rest(const ScoreParameters& parameters, std::size_t neighbours) const;
  [[nodiscard]] static double sum(double topics, const Rest& rest,
                                  const ScoreParameters& parameters);

  std::map<std::string, Counters, std::less<>> topics_;
  double application_ = 0;
  double behaviour_ = 0;
};

}  // namespace ggen::p2p::gossipsub
