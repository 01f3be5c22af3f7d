#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <ggen/p2p/sim/distribution.hpp>
#include <ggen/p2p/sim/oracle.hpp>

#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kTopic = "news";

struct Batch {
  std::string_view name;
  std::string_view what;
  std::size_t messages = 0;
  std::size_t size = 0;  // bytes of one
  base::Duration pause{};
};
constexpr Batch kSmall{"small", "messages of 1 KiB", 100, 1024, 200ms};
constexpr Batch kLarge{"large", "messages of 128 KiB", 10, 128 * 1024, 6s};

// Aims for a thousand nodes.
constexpr base::Duration kSoon = 300ms;
constexpr double kShareSoon = 0.999;
constexpr double kCopiesOfLarge = 2.5;

double milliseconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

std::uint64_t count(base::Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}

struct Outcome {
  std::size_t awaited = 0;
  std::size_t soon = 0;
  Distribution took;   // until a node has a message
  Distribution bound;  // the same by flooding
  double copies = 0;   // for each message delivered

  [[nodiscard]] double share_soon() const {
    return static_cast<double>(soon) / static_cast<double>(std::max<std::size_t>(awaited, 1));
  }
};

// All nodes subscribe to the topic, and accept what comes.
class Audience final : public Observer {
 public:
  explicit Audience(World& world) : world_(world) {
    world_.simulation().observe(*this);
    for (const NodeIndex node : world_.up()) {
      drive(node, [&](gossipsub::Engine& gossip) { gossip.subscribe(kTopic, world_.now()); });
    }
  }
  ~Audience() override { world_.simulation().ignore(*this); }
  Audience(const Audience&) = delete;
  Audience& operator=(const Audience&) = delete;

  [[nodiscard]] bool meshed() {
    return std::ranges::all_of(world_.up(), [&](NodeIndex node) {
      const auto* gossip = world_.simulation().node(node).gossipsub();
      return gossip->mesh(kTopic).size() >= std::min<std::size_t>(5, world_.nodes() - 1);
    });
  }

  Outcome hear(const Batch& batch) {
    outcome_ = {};
    began_.clear();
    const auto before = copies();
    for (std::size_t i = 0; i < batch.messages; ++i) {
      publish(static_cast<NodeIndex>(world_.prng().below(world_.nodes())), batch.size);
      world_.run_for(batch.pause);
    }
    world_.wait([&] { return outcome_.took.count() == outcome_.awaited; }, 10s);
    const auto after = copies();
    outcome_.copies =
        static_cast<double>(after.received - before.received) /
        static_cast<double>(std::max<std::uint64_t>(after.delivered - before.delivered, 1));
    return std::move(outcome_);
  }

  void output(NodeIndex node, const node::Output& output, base::Instant now) override {
    if (const auto* asked = std::get_if<gossipsub::Validate>(&output)) {
      if (asked->message.topic == kTopic) accept(node, asked->token);
    } else if (const auto* delivered = std::get_if<gossipsub::Delivered>(&output)) {
      const auto began = began_.find(delivered->message.id);
      if (began == began_.end()) return;
      outcome_.took.add(count(now - began->second));
      if (now - began->second <= kSoon) ++outcome_.soon;
    }
  }
  void stopped(NodeIndex, base::Instant) override {}

 private:
  struct Copies {
    std::uint64_t received = 0;
    std::uint64_t delivered = 0;
  };

  template <class Act>
  void drive(NodeIndex node, Act&& act) {
    world_.simulation().drive(node, [&](node::Node& n) { act(n.gossipsub(world_.now())); });
  }

  // An observer must not call a node.
  void accept(NodeIndex node, gossipsub::MessageToken token) {
    world_.simulation().at(world_.now(), [this, node, token] {
      drive(node, [&](gossipsub::Engine& gossip) {
        gossip.report(token, gossipsub::Verdict::kAccept, world_.now());
      });
    });
  }

  void publish(NodeIndex node, std::size_t size) {
    base::Bytes data(size);
    world_.prng().fill(data);
    for (const auto& took : Oracle{world_.simulation()}.flood(node)) {
      if (took) outcome_.bound.add(count(*took));
    }
    outcome_.awaited += world_.nodes() - 1;
    drive(node, [&](gossipsub::Engine& gossip) {
      if (const auto id = gossip.publish(kTopic, data, world_.now())) began_[*id] = world_.now();
    });
  }

  [[nodiscard]] Copies copies() const {
    Copies copies;
    for (const NodeIndex node : world_.up()) {
      const gossipsub::Stats stats = world_.simulation().node(node).gossipsub()->stats();
      copies.received += stats.received;
      copies.delivered += stats.delivered;
    }
    return copies;
  }

  World& world_;
  std::map<gossipsub::MessageId, base::Instant> began_;  // of each message
  Outcome outcome_;
};

void tell(World& world, const Batch& batch, const Outcome& outcome) {
  const auto number = [&](std::string_view name, std::string title, std::string unit,
                          double value) {
    world.metrics().add_number(
        {fmt::format("{}-{}", batch.name, name), fmt::format("{}: {}", batch.what, title), "",
         std::move(unit), Better::kLower},
        value);
  };
  number("p50", "half of all deliveries within", "ms", milliseconds(outcome.took.quantile(0.5)));
  number("p99", "99 % within", "ms", milliseconds(outcome.took.quantile(0.99)));
  number("p999", "99.9 % within", "ms", milliseconds(outcome.took.quantile(0.999)));
  number("flooded", "flooding the same connections, without limits of speed, 99.9 % within", "ms",
         milliseconds(outcome.bound.quantile(0.999)));
  number("copies", "copies that a node gets", "", outcome.copies);
}

}  // namespace

void gossip(World& world) {
  NodeSpec spec = World::member();
  spec.link = kHome;
  world.populate(world.nodes(), spec);
  world.step("everybody subscribes");
  Audience audience{world};
  world.check("every node has a mesh", world.wait([&] { return audience.meshed(); }, 1min), "");
  for (const Batch& batch : {kSmall, kLarge}) {
    world.step(batch.what);
    const Outcome outcome = audience.hear(batch);
    tell(world, batch, outcome);
    world.check(fmt::format("all {} reach every node once", batch.what),
                outcome.took.count() == outcome.awaited,
                fmt::format("{} of {}", outcome.took.count(), outcome.awaited));
    if (batch.name == kSmall.name) {
      world.check("99.9 % of them within 300 ms", outcome.share_soon() >= kShareSoon,
                  fmt::format("{:.3f} %; the last after {:.0f} ms", outcome.share_soon() * 100,
                              milliseconds(outcome.took.max())));
    } else {
      world.check(fmt::format("in at most {} copies", kCopiesOfLarge),
                  outcome.copies <= kCopiesOfLarge, fmt::format("{:.2f}", outcome.copies));
    }
  }
}

}  // namespace ggen::p2p::sim::play
