#include <array>

#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/registry/sync.hpp>

#include "engine_impl.hpp"

namespace ggen::p2p::registry {

using multiformats::PeerId;

Engine::Engine(Config config, Below below, std::optional<Signer> signer, PeerId local,
               base::Prng prng, base::WallTime wall_at_zero)
    : impl_(std::make_unique<Impl>(std::move(config), below, std::move(signer), local, prng,
                                   wall_at_zero)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

std::span<const std::string_view> Engine::protocols() {
  static constexpr std::array kAll = {kSyncProtocol, kSearchProtocol, kFetchProtocol};
  return kAll;
}

void Engine::start(base::Instant now) {
  impl_->start(now);
}

void Engine::peer_supports(const PeerId& peer, std::span<const std::string> protocols,
                           base::Instant now) {
  impl_->peer_supports(peer, protocols, now);
}
void Engine::peer_gone(const PeerId& peer, base::Instant now) {
  impl_->peer_gone(peer, now);
}
void Engine::set_wall_at_zero(base::WallTime wall_at_zero) {
  impl_->set_wall_at_zero(wall_at_zero);
}
void Engine::network_changed(base::Instant now) {
  impl_->network_changed(now);
}

OperationId Engine::publish(Metadata metadata, const Archive& archive, base::Instant now) {
  return impl_->submit(Publish{std::move(metadata), archive}, now);
}
OperationId Engine::yank(Name name, Version version, std::string reason, base::Instant now) {
  return impl_->submit(Yank{std::move(name), std::move(version), std::move(reason)}, now);
}
OperationId Engine::unyank(Name name, Version version, base::Instant now) {
  return impl_->submit(Unyank{std::move(name), std::move(version)}, now);
}
OperationId Engine::deprecate(Name name, std::optional<Version> version, std::string reason,
                              base::Instant now) {
  return impl_->submit(Deprecate{std::move(name), std::move(version), std::move(reason)}, now);
}
OperationId Engine::search(SearchRequest request, base::Duration timeout, base::Instant now) {
  return impl_->search(std::move(request), timeout, now);
}
OperationId Engine::fetch(const Archive& archive, std::span<const PeerId> hints,
                          base::Instant now) {
  return impl_->fetch(archive, hints, now);
}
void Engine::cancel(OperationId id, base::Instant now) {
  impl_->cancel(id, now);
}
void Engine::adopt_archive(const Archive& archive, base::Instant now) {
  impl_->adopt_archive(archive, now);
}

void Engine::doubt_archive(const Archive& archive) {
  impl_->doubt_archive(archive);
}

const Catalog& Engine::catalog() const noexcept {
  return impl_->catalog();
}
Catalog& Engine::catalog() noexcept {
  return impl_->catalog();
}
std::optional<PeerId> Engine::publisher() const {
  return impl_->publisher();
}
bool Engine::is_loaded() const noexcept {
  return impl_->is_loaded();
}
Stats Engine::stats() const {
  return impl_->stats();
}
std::size_t Engine::fetches() const noexcept {
  return impl_->fetches();
}
std::size_t Engine::serving_bytes() const noexcept {
  return impl_->serving_bytes();
}
PeerStanding Engine::standing(const PeerId& peer, base::Instant now) const {
  return impl_->standing(peer, now);
}

void Engine::handle(StoreDone done, base::Instant now) {
  impl_->handle(std::move(done), now);
}
bool Engine::handle(gossipsub::Validate& message, base::Instant now) {
  return impl_->handle(message, now);
}
bool Engine::handle(reqresp::Response& response, base::Instant now) {
  return impl_->handle(response, now);
}
bool Engine::handle(reqresp::ResponseBody& body, base::Instant now) {
  return impl_->handle(body, now);
}
bool Engine::handle(const reqresp::RequestDone& done, base::Instant now) {
  return impl_->handle(done, now);
}
bool Engine::handle(reqresp::Request& request, base::Instant now) {
  return impl_->handle(request, now);
}
bool Engine::handle(const reqresp::BodyWritten& written, base::Instant now) {
  return impl_->handle(written, now);
}
bool Engine::handle(const reqresp::ServedLost& lost, base::Instant now) {
  return impl_->handle(lost, now);
}
bool Engine::handle(const kad::ProvidersFound& found, base::Instant now) {
  return impl_->handle(found, now);
}
bool Engine::handle(const kad::QueryDone& done, base::Instant now) {
  return impl_->handle(done, now);
}

void Engine::handle_timeout(base::Instant now) {
  impl_->handle_timeout(now);
}
std::optional<Output> Engine::poll() {
  return impl_->poll();
}
std::optional<base::Instant> Engine::next_deadline() const {
  return impl_->next_deadline();
}

}  // namespace ggen::p2p::registry
