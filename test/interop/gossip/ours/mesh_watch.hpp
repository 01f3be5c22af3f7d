#pragma once

#include <map>
#include <set>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <ggen/p2p/host/host.hpp>

namespace interop {

/// Writes an event for each peer that enters or leaves the mesh of a topic. The node tells nobody
/// of that, so this looks at the meshes time and again.
class MeshWatch {
 public:
  explicit MeshWatch(const ggen::p2p::host::Host& host) : host_(host) {}

  /// Looks until the loop ends; both outlive it.
  void start(asio::io_context& loop);
  void look();

 private:
  using Mesh = std::set<std::string>;  // peer ids

  asio::awaitable<void> look_again();

  const ggen::p2p::host::Host& host_;
  std::map<std::string, Mesh> seen_;  // by topic
};

}  // namespace interop
