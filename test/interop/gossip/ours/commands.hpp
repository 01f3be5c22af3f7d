#pragma once

#include <string>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <ggen/p2p/host/host.hpp>

#include "../../report.hpp"
#include "mesh_watch.hpp"

namespace interop {

/// Runs the commands of README.md on a node, one at a time, accepts all messages, and writes the
/// events.
class Commands {
 public:
  /// Observes the host, whose gossipsub is on; both outlive this.
  Commands(asio::io_context& loop, ggen::p2p::host::Host& host);

  /// The fields of the answer; throws std::runtime_error with the reason when the command fails.
  [[nodiscard]] asio::awaitable<Json> run(std::vector<std::string> words);

 private:
  using Words = const std::vector<std::string>&;

  void observe(const ggen::p2p::node::Output& output);
  void accept_all();
  asio::awaitable<Json> connect(Words words);
  asio::awaitable<Json> subscribe(Words words);
  asio::awaitable<Json> unsubscribe(Words words);
  asio::awaitable<Json> publish(Words words);
  asio::awaitable<Json> counts(Words words);

  asio::io_context& loop_;
  ggen::p2p::host::Host& host_;
  MeshWatch watch_;
  std::vector<ggen::p2p::gossipsub::MessageToken> waiting_;  // for a verdict
};

}  // namespace interop
