#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/node/node.hpp>

namespace ggen::p2p::cli {

/// A node's events as sentences for its log. Sees every output, in order.
class EventText {
 public:
  /// Nothing for what is no news to a person.
  [[nodiscard]] std::optional<std::string> operator()(const node::Output& output);

 private:
  std::optional<std::string> describe(const swarm::Output& output);
  [[nodiscard]] static std::optional<std::string> describe(const registry::Output& output);
  std::string closed(const swarm::ConnectionRecord& record);

  // What the channel said of a connection that the swarm will report as closed.
  std::optional<node::output::ChannelClosed> ending_;
};

/// "12D3KooW... at /ip4/...", or the address alone of who has not proven an identity.
[[nodiscard]] std::string name_of(const swarm::ConnectionRecord& record);

}  // namespace ggen::p2p::cli
