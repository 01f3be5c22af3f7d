#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../src/gossipsub/score_card.hpp"
#include "../support/peers.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using gossipsub::ScoreCard;

namespace {

constexpr base::Instant kStart{};
constexpr std::string_view kTopic = "topic";

// Round numbers, so that each sum can be done by hand.
gossipsub::Config config() {
  gossipsub::Config config;
  auto& topic = config.topics["topic"].score;
  topic.weight = 0.5;
  topic.time_in_mesh_weight = 1;
  topic.time_in_mesh_quantum = 2s;
  topic.time_in_mesh_cap = 10;
  topic.first_deliveries_weight = 3;
  topic.first_deliveries_decay = 0.5;
  topic.first_deliveries_cap = 4;
  topic.mesh_deliveries_weight = -1;
  topic.mesh_deliveries_decay = 0.5;
  topic.mesh_deliveries_cap = 8;
  topic.mesh_deliveries_threshold = 6;
  topic.mesh_deliveries_activation = 10s;
  topic.mesh_failures_weight = -2;
  topic.mesh_failures_decay = 0.5;
  topic.invalid_messages_weight = -10;
  topic.invalid_messages_decay = 0.5;
  config.score.topic_cap = 100;
  config.score.application_weight = 2;
  config.score.colocation_weight = -3;
  config.score.colocation_threshold = 2;
  config.score.behaviour_weight = -5;
  config.score.behaviour_threshold = 1;
  config.score.behaviour_decay = 0.5;
  config.score.decay_to_zero = 0.1;
  return config;
}

struct Card {
  gossipsub::Config config = ::config();
  ScoreCard card;
  base::Instant now = kStart;

  const gossipsub::TopicScoreParameters& topic() const { return config.topic(kTopic).score; }
  double score(std::size_t neighbours = 0) const { return card.score(config, neighbours, now); }
  gossipsub::TopicScore terms() const {
    const auto all = card.explain(test::peer_id(1), config, 0, now).topics;
    REQUIRE(all.size() == 1);
    return all[0];
  }
};

}  // namespace

TEST_CASE_FIXTURE(Card, "score: P1 grows with the time in the mesh, up to its cap") {
  CHECK(score() == 0);
  card.joined_mesh(kTopic, now);
  now += 6s;
  CHECK(score() == 0.5 * 3);
  CHECK(terms().in_mesh);
  now += 3s;
  CHECK(terms().time_in_mesh.counted == 4.5);
  now += 1h;
  CHECK(terms().time_in_mesh.points == 10);
  card.left_mesh(kTopic, topic(), now);
  CHECK(terms().time_in_mesh.points == 0);
  CHECK_FALSE(terms().in_mesh);
}

TEST_CASE_FIXTURE(Card, "score: P2 counts first deliveries up to a cap, and fades") {
  for (int i = 0; i < 3; ++i) card.first_delivery(kTopic, topic());
  CHECK(score() == 0.5 * 3 * 3);
  for (int i = 0; i < 9; ++i) card.first_delivery(kTopic, topic());
  CHECK(score() == 0.5 * 3 * 4);
  card.decay(config);
  CHECK(score() == 0.5 * 3 * 2);
  for (int i = 0; i < 5; ++i) card.decay(config);
  CHECK(score() == 0);
  CHECK(card.explain(test::peer_id(1), config, 0, now).topics.empty());  // nothing is kept of it
}

TEST_CASE_FIXTURE(Card, "score: P3 is the squared deficit of those long enough in the mesh") {
  card.mesh_delivery(kTopic, topic());  // outside of the mesh it does not count
  card.joined_mesh(kTopic, now);
  for (int i = 0; i < 2; ++i) card.mesh_delivery(kTopic, topic());
  now += 9s;
  CHECK(terms().mesh_deliveries.points == 0);
  now += 1s;
  CHECK(terms().mesh_deliveries.counted == 2);
  CHECK(terms().mesh_deliveries.points == -(6 - 2) * (6 - 2));
  for (int i = 0; i < 20; ++i) card.mesh_delivery(kTopic, topic());
  CHECK(terms().mesh_deliveries.counted == 8);
  CHECK(terms().mesh_deliveries.points == 0);
  card.decay(config);
  CHECK(terms().mesh_deliveries.points == -(6 - 4) * (6 - 4));
}

TEST_CASE_FIXTURE(Card, "score: P3b remembers the deficit of a peer that leaves the mesh") {
  card.joined_mesh(kTopic, now);
  now += 5s;
  card.left_mesh(kTopic, topic(), now);  // too early to have failed
  CHECK(score() == 0);
  card.joined_mesh(kTopic, now);
  now += 10s;
  card.left_mesh(kTopic, topic(), now);
  CHECK(terms().mesh_deliveries.points == 0);
  CHECK(score() == 0.5 * -2 * 36);
  card.decay(config);
  CHECK(score() == 0.5 * -2 * 18);
  card.keep_what_is_held_against_it();
  CHECK(score() == 0.5 * -2 * 18);
}

TEST_CASE_FIXTURE(Card,
                  "score: P4 is the square of invalid messages, and outlives a reconnection") {
  card.invalid_message(kTopic);
  CHECK(score() == 0.5 * -10);
  card.invalid_message(kTopic);
  card.invalid_message(kTopic);
  CHECK(score() == 0.5 * -10 * 9);
  card.first_delivery(kTopic, topic());
  card.keep_what_is_held_against_it();
  CHECK(score() == 0.5 * -10 * 9);
}

TEST_CASE_FIXTURE(Card, "score: P5, P6 and P7 belong to no topic") {
  card.set_application(-7);
  CHECK(score() == -14);
  card.set_application(0);
  CHECK(score(2) == 0);
  CHECK(score(3) == -3);
  CHECK(score(5) == -27);
  card.misbehaved(1);
  CHECK(score() == 0);
  card.misbehaved(3);
  CHECK(score() == -5 * 9);
  card.decay(config);
  CHECK(score() == -5);
}

TEST_CASE_FIXTURE(Card, "score: what topics add is capped, what they take is not") {
  config.score.topic_cap = 5;
  for (int i = 0; i < 4; ++i) card.first_delivery(kTopic, topic());
  CHECK(score() == 5);
  card.set_application(1);
  CHECK(score() == 7);
  const auto all = card.explain(test::peer_id(1), config, 0, now);
  CHECK(all.score == 7);
  CHECK(all.topics[0].points == 6);
  for (int i = 0; i < 9; ++i) card.invalid_message(kTopic);
  CHECK(score() == 0.5 * (12 - 810) + 2);
}

TEST_CASE_FIXTURE(Card, "score: a weight of zero turns its term off") {
  auto& parameters = config.topics["topic"].score;
  parameters.mesh_deliveries_weight = 0;
  parameters.invalid_messages_weight = 0;
  parameters.time_in_mesh_weight = 0;
  card.joined_mesh(kTopic, now);
  card.invalid_message(kTopic);
  now += 1min;
  CHECK(score() == 0);
  card.left_mesh(kTopic, topic(), now);
  CHECK(terms().mesh_failures.counted == 0);
}
