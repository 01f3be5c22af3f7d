#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/secure_channel.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/host/error.hpp>
#include <ggen/p2p/host/pool.hpp>
#include <ggen/p2p/host/stream.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/node/node.hpp>

namespace ggen::p2p::host {

struct Config {
  node::Config node;
  connection::Config connection;
  /// Threads for work that would block the loop.
  std::size_t pool_threads = 2;
};

/// A fresh Ed25519 identity from the system's entropy.
[[nodiscard]] crypto::KeyPair generate_identity();

template <class T>
using Result = std::expected<T, Failure>;

/// A libp2p node on real sockets and real time: the driver that runs node::Node on Asio.
///
/// All of it lives on one executor, which must run one thing at a time: an io_context run by a
/// single thread, or a strand. Call it, its streams and its handlers there only. Destroying it
/// closes every connection at once; stop() says goodbye first.
class Host {
 public:
  /// Runs for each inbound stream of a protocol. What it throws is dropped, and the stream is
  /// reset.
  using StreamHandler = std::function<asio::awaitable<void>(Stream)>;
  /// Sees everything a node reports, as it happens: connections, refusals, identified peers. For
  /// logs and metrics; must not call back into the host.
  using Observer = std::function<void(const node::Output&)>;

  Host(asio::any_io_executor executor, crypto::KeyPair identity, Config config = {});
  ~Host();
  Host(Host&&) noexcept;
  Host& operator=(Host&&) noexcept;

  [[nodiscard]] const multiformats::PeerId& id() const;
  /// Where others can reach this node, each with /p2p/<id>.
  [[nodiscard]] std::vector<multiformats::Multiaddr> addresses() const;

  /// Listens at an /ip4 or /ip6 address with /tcp; port 0 takes a free one. Gives the addresses
  /// bound.
  [[nodiscard]] asio::awaitable<Result<std::vector<multiformats::Multiaddr>>> listen(
      multiformats::Multiaddr address);
  /// Connects to whoever is at an address; with /p2p, to nobody else. IP or DNS names with /tcp, or
  /// /dnsaddr.
  [[nodiscard]] asio::awaitable<Result<multiformats::PeerId>> connect(
      multiformats::Multiaddr address);
  /// Asks for a stream to a peer, connecting to it by its known addresses if need be. With one
  /// protocol it is ready at once: that the remote does not speak it shows on the first read. With
  /// several it is ready when one is agreed on.
  [[nodiscard]] asio::awaitable<Result<Stream>> open_stream(multiformats::PeerId peer,
                                                            std::vector<std::string> protocols);
  /// Answers a protocol on inbound streams, replacing the handler before. Throws
  /// std::invalid_argument when it is not a protocol id.
  void handle(const std::string& protocol, StreamHandler handler);
  void unhandle(const std::string& protocol);

  /// The round trip of one ping.
  [[nodiscard]] asio::awaitable<Result<base::Duration>> ping(multiformats::PeerId peer);
  /// Uploads, then downloads that many bytes over /perf/1.0.0.
  [[nodiscard]] asio::awaitable<Result<perf::Result>> measure(multiformats::PeerId peer,
                                                              std::uint64_t upload,
                                                              std::uint64_t download);
  /// What the peer has said of itself, waiting for it if the connection is new.
  [[nodiscard]] asio::awaitable<Result<identify::Info>> identify(multiformats::PeerId peer);

  void disconnect(const multiformats::PeerId& peer);
  void observe(Observer observer);

  /// Opens the marketplace on this node, once, before it listens or connects; its node::Config has
  /// kad and gossipsub. `storage` outlives the host and is used on the pool's threads; stop() waits
  /// for what is under way there.
  void open_registry(registry::Config config, std::optional<registry::Signer> signer,
                     registry::Storage& storage);
  /// Lets `act` call the node and its engines, then does what follows from it: for what no function
  /// here offers. What comes of it the observer sees. Does nothing after stop().
  void drive(const std::function<void(node::Node&, base::Instant)>& act);
  [[nodiscard]] const node::Node& node() const;
  /// The time as the node counts it.
  [[nodiscard]] static base::Instant now();

  /// Peers, connections, addresses and the history of why each connection opened, closed or was
  /// refused.
  [[nodiscard]] const swarm::Swarm& swarm() const;
  [[nodiscard]] Pool& pool();

  /// Says goodbye to every peer, stops listening, and ends what is waiting with Errc::kStopped.
  [[nodiscard]] asio::awaitable<void> stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ggen::p2p::host
