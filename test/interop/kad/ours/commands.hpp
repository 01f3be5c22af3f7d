#pragma once

#include <optional>
#include <string>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <ggen/p2p/host/host.hpp>

#include "../../report.hpp"

namespace interop {

/// Runs the commands of README.md on a node, one at a time.
class Commands {
 public:
  /// Observes the host, whose kad is on.
  explicit Commands(ggen::p2p::host::Host& host);

  /// The fields of the answer; throws std::runtime_error with the reason when the command fails.
  [[nodiscard]] asio::awaitable<Json> run(std::vector<std::string> words);

 private:
  using Words = const std::vector<std::string>&;
  using Started = std::expected<ggen::p2p::kad::QueryId, ggen::p2p::kad::InputError>;
  using Start = std::function<Started(ggen::p2p::kad::Engine&, ggen::p2p::base::Instant)>;

  template <class Result>
  asio::awaitable<Result> query(Start start);
  asio::awaitable<void> place(Start start);
  asio::awaitable<Json> connect(Words words);
  asio::awaitable<Json> refresh(Words words);
  asio::awaitable<Json> table(Words words);
  asio::awaitable<Json> find_peer(Words words);
  asio::awaitable<Json> provide(Words words);
  asio::awaitable<Json> find_providers(Words words);
  asio::awaitable<Json> put(Words words);
  asio::awaitable<Json> get(Words words);

  ggen::p2p::host::Host& host_;
  ggen::p2p::kad::QueryId waiting_;  // for this query
  std::optional<ggen::p2p::kad::QueryDone> done_;
  asio::steady_timer* wake_ = nullptr;  // whoever waits
};

}  // namespace interop
