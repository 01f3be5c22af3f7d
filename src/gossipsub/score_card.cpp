#include "score_card.hpp"

#include <algorithm>
#include <iterator>

namespace ggen::p2p::gossipsub {
namespace {

double squared(double value) {
  return value * value;
}

void decay(double& counter, double left, double to_zero) {
  counter *= left;
  if (counter < to_zero) counter = 0;
}

ScoreTerm term(double counted, double weight, double value) {
  return {counted, weight == 0 ? 0 : weight * value};
}

}  // namespace

ScoreCard::Counters& ScoreCard::counters(std::string_view topic) {
  const auto found = topics_.find(topic);
  return found != topics_.end() ? found->second : topics_[std::string{topic}];
}

void ScoreCard::joined_mesh(std::string_view topic, base::Instant now) {
  Counters& of = counters(topic);
  of.in_mesh_since = now;
  of.mesh_deliveries = 0;
}

void ScoreCard::left_mesh(std::string_view topic, const TopicScoreParameters& parameters,
                          base::Instant now) {
  Counters& of = counters(topic);
  of.mesh_failures += deficit(of, parameters, now);
  of.in_mesh_since.reset();
}

void ScoreCard::first_delivery(std::string_view topic, const TopicScoreParameters& parameters) {
  Counters& of = counters(topic);
  of.first_deliveries = std::min(of.first_deliveries + 1, parameters.first_deliveries_cap);
}

void ScoreCard::mesh_delivery(std::string_view topic, const TopicScoreParameters& parameters) {
  const auto found = topics_.find(topic);
  if (found == topics_.end() || !found->second.in_mesh_since) return;
  double& counter = found->second.mesh_deliveries;
  counter = std::min(counter + 1, parameters.mesh_deliveries_cap);
}

void ScoreCard::invalid_message(std::string_view topic) {
  ++counters(topic).invalid_messages;
}

void ScoreCard::decay(const Config& config) {
  const double zero = config.score.decay_to_zero;
  for (auto entry = topics_.begin(); entry != topics_.end();) {
    const TopicScoreParameters& parameters = config.topic(entry->first).score;
    Counters& of = entry->second;
    gossipsub::decay(of.first_deliveries, parameters.first_deliveries_decay, zero);
    gossipsub::decay(of.mesh_deliveries, parameters.mesh_deliveries_decay, zero);
    gossipsub::decay(of.mesh_failures, parameters.mesh_failures_decay, zero);
    gossipsub::decay(of.invalid_messages, parameters.invalid_messages_decay, zero);
    entry = of.nothing() ? topics_.erase(entry) : std::next(entry);
  }
  gossipsub::decay(behaviour_, config.score.behaviour_decay, zero);
}

void ScoreCard::keep_what_is_held_against_it() {
  for (auto& [topic, of] : topics_) {
    of.in_mesh_since.reset();
    of.first_deliveries = 0;
    of.mesh_deliveries = 0;
  }
  application_ = std::min(application_, 0.0);
}

double ScoreCard::deficit(const Counters& counters, const TopicScoreParameters& parameters,
                          base::Instant now) {
  if (parameters.mesh_deliveries_weight == 0 || !counters.in_mesh_since) return 0;
  if (now - *counters.in_mesh_since < parameters.mesh_deliveries_activation) return 0;
  return squared(std::max(0.0, parameters.mesh_deliveries_threshold - counters.mesh_deliveries));
}

TopicScore ScoreCard::explain(const Counters& counters, const TopicScoreParameters& parameters,
                              base::Instant now) {
  TopicScore out;
  out.in_mesh = counters.in_mesh_since.has_value();
  if (out.in_mesh && parameters.time_in_mesh_quantum > base::Duration::zero()) {
    const auto quanta = static_cast<double>((now - *counters.in_mesh_since).count()) /
                        static_cast<double>(parameters.time_in_mesh_quantum.count());
    out.time_in_mesh =
        term(quanta, parameters.time_in_mesh_weight, std::min(quanta, parameters.time_in_mesh_cap));
  }
  out.first_deliveries = term(counters.first_deliveries, parameters.first_deliveries_weight,
                              counters.first_deliveries);
  out.mesh_deliveries = term(counters.mesh_deliveries, parameters.mesh_deliveries_weight,
                             deficit(counters, parameters, now));
  out.mesh_failures =
      term(counters.mesh_failures, parameters.mesh_failures_weight, counters.mesh_failures);
  out.invalid_messages = term(counters.invalid_messages, parameters.invalid_messages_weight,
                              squared(counters.invalid_messages));
  out.points = parameters.weight *
               (out.time_in_mesh.points + out.first_deliveries.points + out.mesh_deliveries.points +
                out.mesh_failures.points + out.invalid_messages.points);
  return out;
}

ScoreCard::Rest ScoreCard::rest(const ScoreParameters& parameters, std::size_t neighbours) const {
  const auto surplus = neighbours > parameters.colocation_threshold
                           ? static_cast<double>(neighbours - parameters.colocation_threshold)
                           : 0.0;
  const double offences = std::max(0.0, behaviour_ - parameters.behaviour_threshold);
  return {term(application_, parameters.application_weight, application_),
          term(static_cast<double>(neighbours), parameters.colocation_weight, squared(surplus)),
          term(behaviour_, parameters.behaviour_weight, squared(offences))};
}

double ScoreCard::sum(double topics, const Rest& rest, const ScoreParameters& parameters) {
  if (parameters.topic_cap > 0) topics = std::min(topics, parameters.topic_cap);
  return topics + rest.application.points + rest.colocation.points + rest.behaviour.points;
}

double ScoreCard::score(const Config& config, std::size_t neighbours, base::Instant now) const {
  double topics = 0;
  for (const auto& [topic, counters] : topics_) {
    topics += explain(counters, config.topic(topic).score, now).points;
  }
  return sum(topics, rest(config.score, neighbours), config.score);
}

PeerScore ScoreCard::explain(const multiformats::PeerId& peer, const Config& config,
                             std::size_t neighbours, base::Instant now) const {
  const Rest rest = this->rest(config.score, neighbours);
  PeerScore out{peer, 0, {}, rest.application, rest.colocation, rest.behaviour};
  double topics = 0;
  for (const auto& [topic, counters] : topics_) {
    out.topics.push_back(explain(counters, config.topic(topic).score, now));
    out.topics.back().topic = topic;
    topics += out.topics.back().points;
  }
  out.score = sum(topics, rest, config.score);
  return out;
}

}  // namespace ggen::p2p::gossipsub
