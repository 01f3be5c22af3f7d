#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/local/stream_protocol.hpp>

#include <ggen/p2p/base/time.hpp>

#include "control_service.hpp"
#include "error.hpp"

namespace ggen::p2p::cli {

struct ControlLimits {
  std::size_t max_clients = 64;
  /// For a request to arrive as a whole.
  base::Duration request_timeout = std::chrono::seconds{10};
  /// For a client to take the last word.
  base::Duration answer_timeout = std::chrono::seconds{30};
};

/// Serves the control socket of a home: `control.sock`, mode 0600, for processes of this user only.
///
/// Lives on one executor, like the service; both outlive what close() lets run out on it. What
/// clients send is not trusted: a broken, slow or silent one costs its own connection.
class ControlServer {
 public:
  using Socket = asio::local::stream_protocol::socket;

  ControlServer(asio::any_io_executor executor, Service& service, ControlLimits limits = {});
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Begins to listen. The caller holds the home's lock: a socket that is there already is what a
  /// killed node left behind, and is replaced.
  [[nodiscard]] Result<void> open(const std::filesystem::path& home);
  /// Serves one connection that is there already.
  void serve(Socket socket);
  /// Takes nothing new, removes the socket's name, and cancels what is under way.
  void close();

  [[nodiscard]] std::size_t clients() const;
  /// The connections whose client asked the node to stop and waits for its end, which it sees when
  /// they close: keep them until nothing of the node is left.
  [[nodiscard]] std::vector<Socket> take_waiting_for_end();

 private:
  class Impl;
  class Session;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ggen::p2p::cli
