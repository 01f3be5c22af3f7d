#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/telemetry/span_tracker.hpp>

#include "../node/marketplace.hpp"

namespace ggen::p2p::telemetry::test {

using namespace std::chrono_literals;
using node::Node;

inline constexpr base::WallTime kWall{std::chrono::hours{500'000}};

inline std::string text_of(const Span& span, std::string_view key) {
  const Attribute* found = find(span.attributes, key);
  REQUIRE_MESSAGE(found != nullptr, std::string(key));
  return std::get<std::string>(found->value);
}
inline std::int64_t number_of(const Span& span, std::string_view key) {
  const Attribute* found = find(span.attributes, key);
  REQUIRE_MESSAGE(found != nullptr, std::string(key));
  return std::get<std::int64_t>(found->value);
}
inline bool flag_of(const Span& span, std::string_view key) {
  const Attribute* found = find(span.attributes, key);
  REQUIRE_MESSAGE(found != nullptr, std::string(key));
  return std::get<bool>(found->value);
}

/// A network of marketplaces, each with a tracker that a driver would have.
class Watched {
 public:
  explicit Watched(const SpanLimits& limits = {}) : limits_(limits) {
    net.observer = [this](std::size_t index, const node::Output& output) {
      if (index < members_.size()) tracker(index).observe(output, net.now);
    };
  }

  std::size_t add(std::vector<multiformats::Multiaddr> bootstrap = {}) {
    node::Config config;
    config.kad.emplace();
    config.gossipsub.emplace();
    const std::size_t index = net.add(config);
    members_.push_back(
        std::make_unique<SpanTracker>(base::Prng{index}.child("telemetry"), kWall, limits_));
    net.drive(index, [&](Node& n) {
      n.open_registry({}, node::test::signer_of(index), net.now);
      tracker(index).joined(n.id(), bootstrap.size(), net.now);
      n.join(std::move(bootstrap), net.now);
    });
    return index;
  }
  /// `count` nodes, of which the others know the first one's address, after their heartbeats.
  void add_many(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      i == 0 ? add() : add({net[0].address});
    }
    net.run_until([&] {
      for (std::size_t i = 0; i < count; ++i) {
        if (net.node(i).kad()->table().size() != count - 1) return false;
      }
      return true;
    });
    net.run_for(3s);
  }

  [[nodiscard]] SpanTracker& tracker(std::size_t index) { return *members_[index]; }

  /// All spans that a node has finished, in the order of their ends.
  const std::vector<Span>& spans(std::size_t index) {
    taken_.resize(members_.size());
    while (auto span = tracker(index).poll()) taken_[index].push_back(std::move(*span));
    return taken_[index];
  }
  std::vector<Span> named(std::size_t index, std::string_view name) {
    std::vector<Span> found;
    std::ranges::copy_if(spans(index), std::back_inserter(found),
                         [&](const Span& span) { return span.name == name; });
    return found;
  }
  Span only(std::size_t index, std::string_view name) {
    const auto found = named(index, name);
    REQUIRE_MESSAGE(found.size() == 1, std::string(name));
    return found.front();
  }
  /// Where a span stands in the order of the ends.
  std::size_t position(std::size_t index, const Span& span) {
    const auto& all = spans(index);
    return static_cast<std::size_t>(std::ranges::find(all, span) - all.begin());
  }

  node::test::Network net;

 private:
  SpanLimits limits_;
  std::vector<std::unique_ptr<SpanTracker>> members_;
  std::vector<std::vector<Span>> taken_;
};

}  // namespace ggen::p2p::telemetry::test
