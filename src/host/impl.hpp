#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/host/host.hpp>
#include <ggen/p2p/host/promise.hpp>

#include "driver.hpp"
#include "stream_state.hpp"

namespace ggen::p2p::host {

/// Matches what the application waits for with what the node reports.
class Host::Impl {
 public:
  Impl(asio::any_io_executor executor, crypto::KeyPair identity, Config config);
  ~Impl();

  void dial(multiformats::Multiaddr address, Promise<Result<multiformats::PeerId>> promise);
  void listen(multiformats::Multiaddr address,
              Promise<Result<std::vector<multiformats::Multiaddr>>> promise);
  void open_stream(multiformats::PeerId peer, std::vector<std::string> protocols,
                   Promise<Result<Stream>> promise);
  void ping(multiformats::PeerId peer, Promise<Result<base::Duration>> promise);
  void measure(multiformats::PeerId peer, std::uint64_t upload, std::uint64_t download,
               Promise<Result<perf::Result>> promise);
  void identify(multiformats::PeerId peer, Promise<Result<identify::Info>> promise);
  void stop(Promise<int> promise);

  void handle(const std::string& protocol, StreamHandler handler);
  void unhandle(const std::string& protocol);
  void open_registry(registry::Config config, std::optional<registry::Signer> signer,
                     registry::Storage& storage);
  void observe(Observer observer) { observer_ = std::move(observer); }

  [[nodiscard]] Driver& driver() noexcept { return *driver_; }
  [[nodiscard]] const node::Node& node() const noexcept { return driver_->node(); }
  [[nodiscard]] Pool& pool() noexcept { return pool_; }

 private:
  using StreamPtr = std::shared_ptr<detail::StreamState>;
  struct Opening {
    multiformats::PeerId peer;
    std::vector<std::string> protocols;
    Promise<Result<Stream>> promise;
  };
  template <class T, class Act>
  void ask(Promise<Result<T>>& promise, Act&& act);

  void on_output(node::Output output);
  void on_output(swarm::Output& output);

  void on_input(connection::stream_input::Opening& input);
  void on_input(connection::stream_input::OpenFailed& input);
  void on_input(connection::stream_input::Opened& input);
  void on_input(connection::stream_input::Data& input);
  void on_input(connection::stream_input::Written&) {}
  void on_input(connection::stream_input::Finished& input);
  void on_input(connection::stream_input::Closed& input);

  void opened(Promise<Result<Stream>> promise, Result<Stream> outcome);
  void accept(const StreamPtr& stream);
  void dial_done(const swarm::event::DialDone& done);
  void identified(const multiformats::PeerId& peer, const Result<identify::Info>& outcome);
  void forget(const multiformats::PeerId& peer);
  void satisfy_curious(const multiformats::PeerId& peer, const Result<identify::Info>& outcome);
  void fail_everything();
  template <class Waiting, class Id, class Outcome>
  static void complete(Waiting& waiting, Id id, const Outcome& outcome);
  void check_stopped();
  [[nodiscard]] StreamPtr stream(connection::StreamRef ref);

  std::unique_ptr<crypto::Crypto> crypto_;
  Pool pool_;
  std::shared_ptr<Driver> driver_;
  Observer observer_;

  std::map<std::string, StreamHandler> handlers_;
  base::HashMap<connection::StreamRef, StreamPtr> streams_;
  base::HashMap<connection::OpenToken, Opening> opening_;
  base::HashMap<connection::StreamRef, Opening> negotiating_;
  base::HashMap<swarm::DialId, Promise<Result<multiformats::PeerId>>> dials_;
  base::HashMap<swarm::ListenId, Promise<Result<std::vector<multiformats::Multiaddr>>>> listens_;
  base::HashMap<ping::PingId, Promise<Result<base::Duration>>> pings_;
  base::HashMap<perf::PerfId, Promise<Result<perf::Result>>> measurements_;
  base::HashMap<multiformats::PeerId, Result<identify::Info>> identities_;  // of connected peers
  base::HashMap<multiformats::PeerId, std::vector<Promise<Result<identify::Info>>>> curious_;
  std::vector<Promise<int>> stopped_;  // all who asked for the end
};

}  // namespace ggen::p2p::host
