#include <utility>

#include "impl.hpp"

namespace ggen::p2p::marketplace {

Registry::Registry(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}
Registry::~Registry() {
  if (impl_) impl_->close();
}

asio::awaitable<Result<Published>> Registry::publish(std::filesystem::path directory,
                                                     ProgressHandler progress) {
  return Impl::publish(impl_, std::move(directory), std::move(progress));
}

asio::awaitable<Result<Found>> Registry::search(Query query) {
  return Impl::search(impl_, std::move(query));
}

asio::awaitable<Result<Got>> Registry::get(registry::Reference reference,
                                           std::optional<std::filesystem::path> output,
                                           ProgressHandler progress) {
  return Impl::get(impl_, std::move(reference), std::move(output), std::move(progress));
}

asio::awaitable<Result<dht::Answer>> Registry::ask_dht(dht::Query query) {
  return Impl::ask_dht(impl_, std::move(query));
}

Result<pubsub::Subscription> Registry::subscribe_to(const std::string& topic) {
  return impl_->subscribe_to(topic);
}

Result<pubsub::Published> Registry::publish_to(const std::string& topic, base::BytesView data) {
  return impl_->publish_to(topic, data);
}

Subscription Registry::subscribe() {
  return impl_->subscribe();
}

registry::Stats Registry::stats() const {
  return impl_->engine().stats();
}

const multiformats::PeerId& Registry::id() const {
  return impl_->host().id();
}

const multiformats::PeerId& Registry::publisher() const {
  return impl_->publisher();
}

std::vector<multiformats::Multiaddr> Registry::addresses() const {
  return impl_->host().addresses();
}

const registry::Catalog& Registry::catalog() const {
  return impl_->engine().catalog();
}

registry::PeerStanding Registry::standing(const multiformats::PeerId& peer) const {
  return impl_->engine().standing(peer, host::Host::now());
}

std::size_t Registry::journal_damage() const {
  return impl_->journal_damage();
}

host::Host& Registry::host() {
  return impl_->host();
}

asio::awaitable<void> Registry::stop() {
  return Impl::stop(impl_);
}

}  // namespace ggen::p2p::marketplace
