#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// Peer scores (libp2p/specs pubsub/gossipsub/gossipsub-v1.1.md, "Peer Scoring"): what each peer is
/// worth to this node, from what it was seen to do. A score is nobody else's business: it is not
/// shared.
///
/// Counters lose a part of themselves once a second, which their `decay` says: what is left.
namespace ggen::p2p::gossipsub {

/// What counts in one topic. A weight of 0 turns its term off.
struct TopicScoreParameters {
  double weight = 1;  ///< of the whole topic

  // P1: the time in the mesh, in units of its quantum. Small, and soon at its cap: who is there is
  // not pruned before a newcomer, but whoever does nothing else stays below
  // opportunistic_graft_threshold.
  double time_in_mesh_weight = 0.002;
  base::Duration time_in_mesh_quantum = std::chrono::seconds{1};
  double time_in_mesh_cap = 50;

  // P2: messages that it was the first to bring, and that were accepted.
  double first_deliveries_weight = 1;
  double first_deliveries_decay = 0.999;
  double first_deliveries_cap = 10;

  // P3: what a peer of the mesh brings, first or nearly so, if that is below the threshold;
  // squared. Off, for it needs a topic whose rate of messages is known: a quiet one would damn
  // everybody.
  double mesh_deliveries_weight = 0;
  double mesh_deliveries_decay = 0.97;
  double mesh_deliveries_cap = 20;
  double mesh_deliveries_threshold = 4;
  /// How long after a message was accepted another copy counts.
  base::Duration mesh_deliveries_window = std::chrono::milliseconds{50};
  /// How long a peer must have been in the mesh.
  base::Duration mesh_deliveries_activation = std::chrono::seconds{10};

  // P3b: what P3 was when the peer left the mesh, so that it does not come back at once.
  double mesh_failures_weight = 0;
  double mesh_failures_decay = 0.99;

  // P4: messages that were wrongly signed or rejected; squared. No honest peer sends one.
  double invalid_messages_weight = -20;
  double invalid_messages_decay = 0.99;
};

/// What counts in all topics, and where a score has consequences. Direct peers have none.
struct ScoreParameters {
  /// What topics can add at most. 0: without limit.
  double topic_cap = 20;

  // P5: what the owner thinks of the peer (Engine::set_application_score).
  double application_weight = 1;

  // P6: peers beyond so many that share an address (IPv4, or a /64 of IPv6); squared. Addresses of
  // the loopback and of private ranges are exempt.
  double colocation_weight = -10;
  std::size_t colocation_threshold = 10;

  // P7: offences that belong to no topic, beyond so many; squared. A GRAFT during a backoff and a
  // promise to send a message that is broken count one each, for both happen to honest peers whose
  // clock or memory differs from ours; a frame that is none counts four.
  double behaviour_weight = -10;
  double behaviour_threshold = 2;
  double behaviour_decay = 0.98;

  /// Counters below it are 0.
  double decay_to_zero = 0.01;
  /// A peer that leaves with a negative score and comes back within this time finds it as it was.
  base::Duration retain = std::chrono::minutes{30};

  // Below 0 a peer is in no mesh, and is not told of others.
  double gossip_threshold = -10;    ///< below it, gossip is neither sent nor heard
  double publish_threshold = -50;   ///< below it, it does not get our own messages
  double graylist_threshold = -80;  ///< below it, nothing it sends is read
  /// From here on the peers that it names when it prunes us are believed.
  double accept_exchange_threshold = 5;
  /// While half the mesh is below it, better peers are grafted besides. A peer above it may graft us
  /// though the mesh is full: the next heartbeat prunes the worst.
  double opportunistic_graft_threshold = 1;
};

/// One term of a score: what was counted, and what it adds.
struct ScoreTerm {
  double counted = 0;
  double points = 0;
};

struct TopicScore {
  std::string topic;
  bool in_mesh = false;
  ScoreTerm time_in_mesh;      ///< P1
  ScoreTerm first_deliveries;  ///< P2
  ScoreTerm mesh_deliveries;   ///< P3
  ScoreTerm mesh_failures;     ///< P3b
  ScoreTerm invalid_messages;  ///< P4
  double points = 0;           ///< of all these, times the topic's weight
};

/// A score, term by term. `score` is the sum of all points, those of the topics held to their cap.
struct PeerScore {
  multiformats::PeerId peer;
  double score = 0;
  std::vector<TopicScore> topics;  ///< in the order of their names
  ScoreTerm application;           ///< P5
  ScoreTerm colocation;            ///< P6: the peers that share its address, itself included
  ScoreTerm behaviour;             ///< P7
};

}  // namespace ggen::p2p::gossipsub
