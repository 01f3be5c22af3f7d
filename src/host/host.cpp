#include <utility>

#include <ggen/p2p/host/host.hpp>

#include "impl.hpp"

namespace ggen::p2p::host {

using multiformats::Multiaddr;
using multiformats::PeerId;

crypto::KeyPair generate_identity() {
  const auto crypto = crypto::make_system_crypto();
  std::array<std::uint8_t, 32> seed{};
  crypto->random(seed);
  crypto::KeyPair pair = crypto::KeyPair::from_seed(seed);
  crypto::wipe(seed);
  return pair;
}

Host::Host(asio::any_io_executor executor, crypto::KeyPair identity, Config config)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(identity), std::move(config))) {}
Host::~Host() = default;
Host::Host(Host&&) noexcept = default;
Host& Host::operator=(Host&&) noexcept = default;

const PeerId& Host::id() const {
  return impl_->node().id();
}

std::vector<Multiaddr> Host::addresses() const {
  std::vector<Multiaddr> addresses = impl_->node().swarm().own_addresses();
  for (Multiaddr& address : addresses) address = address.with_peer_id(id());
  return addresses;
}

asio::awaitable<Result<std::vector<Multiaddr>>> Host::listen(Multiaddr address) {
  return promised<Result<std::vector<Multiaddr>>>(
      [impl = impl_.get(), address = std::move(address)](auto promise) mutable {
        impl->listen(std::move(address), std::move(promise));
      });
}

asio::awaitable<Result<PeerId>> Host::connect(Multiaddr address) {
  return promised<Result<PeerId>>(
      [impl = impl_.get(), address = std::move(address)](auto promise) mutable {
        impl->dial(std::move(address), std::move(promise));
      });
}

asio::awaitable<Result<Stream>> Host::open_stream(PeerId peer, std::vector<std::string> protocols) {
  // Now: what is written first leaves with the request for the stream.
  return promised<Result<Stream>, Resume::kNow>(
      [impl = impl_.get(), peer, protocols = std::move(protocols)](auto promise) mutable {
        impl->open_stream(peer, std::move(protocols), std::move(promise));
      });
}

asio::awaitable<Result<base::Duration>> Host::ping(PeerId peer) {
  return promised<Result<base::Duration>>(
      [impl = impl_.get(), peer](auto promise) { impl->ping(peer, std::move(promise)); });
}

asio::awaitable<Result<perf::Result>> Host::measure(PeerId peer, std::uint64_t upload,
                                                    std::uint64_t download) {
  return promised<Result<perf::Result>>([impl = impl_.get(), peer, upload, download](auto promise) {
    impl->measure(peer, upload, download, std::move(promise));
  });
}

asio::awaitable<Result<identify::Info>> Host::identify(PeerId peer) {
  return promised<Result<identify::Info>>(
      [impl = impl_.get(), peer](auto promise) { impl->identify(peer, std::move(promise)); });
}

asio::awaitable<void> Host::stop() {
  auto start = [impl = impl_.get()](Promise<int> promise) { impl->stop(std::move(promise)); };
  co_await promised<int>(std::move(start));
}

void Host::handle(const std::string& protocol, StreamHandler handler) {
  impl_->handle(protocol, std::move(handler));
}

void Host::unhandle(const std::string& protocol) {
  impl_->unhandle(protocol);
}

void Host::disconnect(const PeerId& peer) {
  impl_->driver().drive(
      [&](node::Node& node, base::Instant now) { node.swarm(now).disconnect(peer, now); });
}

void Host::observe(Observer observer) {
  impl_->observe(std::move(observer));
}

void Host::open_registry(registry::Config config, std::optional<registry::Signer> signer,
                         registry::Storage& storage) {
  impl_->open_registry(std::move(config), std::move(signer), storage);
}

void Host::drive(const std::function<void(node::Node&, base::Instant)>& act) {
  impl_->driver().drive(act);
}

const node::Node& Host::node() const {
  return impl_->node();
}

base::Instant Host::now() {
  return Driver::now();
}

const swarm::Swarm& Host::swarm() const {
  return impl_->node().swarm();
}

Pool& Host::pool() {
  return impl_->pool();
}

}  // namespace ggen::p2p::host
