#include <utility>

#include <ggen/p2p/host/stream.hpp>

#include "stream_state.hpp"

namespace ggen::p2p::host {
namespace detail {

void StreamOperations::read(StreamState& state, asio::mutable_buffer buffer, Completion done) {
  state.read(buffer, std::move(done));
}

void StreamOperations::write(StreamState& state, asio::const_buffer buffer, Completion done) {
  state.write(buffer, std::move(done));
}

std::uint64_t StreamOperations::next_operation(StreamState& state) {
  return state.next_operation();
}

void StreamOperations::cancel(StreamState& state, std::uint64_t operation) {
  state.cancel(operation);
}

}  // namespace detail

Stream::Stream(std::shared_ptr<detail::StreamState> state) noexcept : state_(std::move(state)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Stream::~Stream() {
  if (state_) state_->release();
}

Stream::executor_type Stream::get_executor() const noexcept {
  return state_->driver()->executor();
}

void Stream::finish() {
  state_->finish();
}
void Stream::reset() {
  state_->reset();
}
const multiformats::PeerId& Stream::peer() const noexcept {
  return state_->peer();
}
const std::string& Stream::protocol() const noexcept {
  return state_->protocol();
}

}  // namespace ggen::p2p::host
