#include "stream_state.hpp"

#include <chrono>
#include <utility>

#include <asio/error.hpp>

#include <ggen/p2p/host/error.hpp>

namespace ggen::p2p::host::detail {
namespace {

// For the remote to read what was written before the handle went, and to finish its side.
constexpr std::chrono::seconds kLinger{30};

base::BytesView view(asio::const_buffer buffer) {
  return {static_cast<const std::uint8_t*>(buffer.data()), buffer.size()};
}

std::error_code error_of(connection::StreamEnd end) {
  switch (end) {
    case connection::StreamEnd::kClosed:
      return asio::error::eof;
    case connection::StreamEnd::kLocalReset:
    case connection::StreamEnd::kRemoteReset:
      return Errc::kStreamReset;
    case connection::StreamEnd::kProtocolRefused:
      return Errc::kProtocolRefused;
    case connection::StreamEnd::kNegotiationFailed:
      return Errc::kNegotiationFailed;
    case connection::StreamEnd::kConnectionClosed:
      return Errc::kConnectionClosed;
  }
  return Errc::kConnectionClosed;
}

}  // namespace

StreamState::StreamState(std::shared_ptr<Driver> driver, connection::StreamRef ref,
                         multiformats::PeerId peer, std::string protocol)
    : driver_(std::move(driver)), ref_(ref), peer_(peer), protocol_(std::move(protocol)) {}

// ---- What the node says ----

void StreamState::on_data(base::Buffer data) {
  if (linger_) return;  // nobody will read it: what is not consumed is one window at most
  inbox_.push(std::move(data));
  if (!reading_) return;
  auto operation = std::move(*reading_);
  reading_.reset();
  try_read(operation.buffer, operation.done);
}

void StreamState::on_writable() {
  if (!writing_) return;
  auto operation = std::move(*writing_);
  writing_.reset();
  std::size_t size = 0;
  driver_->drive([&](node::Node& node, base::Instant now) {
    size = node.write(ref_, view(operation.buffer), now);
  });
  if (size > 0) {
    driver_->complete(std::move(operation.done), {}, size);
  } else {
    writing_ = std::move(operation);
  }
}

void StreamState::on_finished() {
  remote_finished_ = true;
  if (!reading_) return;
  auto operation = std::move(*reading_);
  reading_.reset();
  driver_->complete(std::move(operation.done), asio::error::eof, 0);
}

void StreamState::on_closed(connection::StreamEnd end) {
  fail_all(error_of(end));
}

void StreamState::abandon(std::error_code error) {
  fail_all(error);
}

void StreamState::fail_all(std::error_code error) {
  if (!ended_) ended_ = error;
  linger_.reset();
  if (auto reading = std::exchange(reading_, std::nullopt)) {
    driver_->complete(std::move(reading->done), *ended_, 0);
  }
  if (auto writing = std::exchange(writing_, std::nullopt)) {
    driver_->complete(std::move(writing->done), *ended_, 0);
  }
}

// ---- What the application wants ----

void StreamState::read(asio::mutable_buffer buffer, Completion done) {
  const std::uint64_t id = next_operation_++;
  if (reading_) {
    driver_->complete(std::move(done), asio::error::in_progress, 0);
  } else if (!try_read(buffer, done)) {
    reading_ = {id, buffer, std::move(done)};
  }
}

// Completes the read with what there is: bytes, the end, or an error. False when there is nothing
// yet.
bool StreamState::try_read(asio::mutable_buffer buffer, Completion& done) {
  if (buffer.size() == 0) {
    driver_->complete(std::move(done), {}, 0);
  } else if (!inbox_.empty()) {
    const std::size_t size =
        inbox_.read({static_cast<std::uint8_t*>(buffer.data()), buffer.size()});
    if (!ended_) driver_->consumed(ref_, size);
    driver_->complete(std::move(done), {}, size);
  } else if (remote_finished_) {
    driver_->complete(std::move(done), asio::error::eof, 0);
  } else if (ended_) {
    driver_->complete(std::move(done), *ended_, 0);
  } else {
    return false;
  }
  return true;
}

void StreamState::write(asio::const_buffer buffer, Completion done) {
  const std::uint64_t id = next_operation_++;
  if (buffer.size() == 0) return driver_->complete(std::move(done), {}, 0);
  if (writing_) return driver_->complete(std::move(done), asio::error::in_progress, 0);
  if (finished_) return driver_->complete(std::move(done), asio::error::shut_down, 0);
  if (ended_) return driver_->complete(std::move(done), *ended_, 0);
  std::size_t size = 0;
  driver_->drive(
      [&](node::Node& node, base::Instant now) { size = node.write(ref_, view(buffer), now); });
  if (size > 0) return driver_->complete(std::move(done), {}, size);
  if (ended_) return driver_->complete(std::move(done), *ended_, 0);
  writing_ = {id, buffer, std::move(done)};
}

void StreamState::cancel(std::uint64_t operation) {
  if (reading_ && reading_->id == operation) {
    auto cancelled = std::move(*reading_);
    reading_.reset();
    driver_->complete(std::move(cancelled.done), asio::error::operation_aborted, 0);
  } else if (writing_ && writing_->id == operation) {
    auto cancelled = std::move(*writing_);
    writing_.reset();
    driver_->complete(std::move(cancelled.done), asio::error::operation_aborted, 0);
  }
}

void StreamState::finish() {
  if (ended_ || std::exchange(finished_, true)) return;
  driver_->drive([&](node::Node& node, base::Instant now) { node.finish(ref_, now); });
  // A write that still waited for room is not part of what is finished.
  if (auto writing = std::exchange(writing_, std::nullopt)) {
    driver_->complete(std::move(writing->done), asio::error::shut_down, 0);
  }
}

void StreamState::reset() {
  if (ended_) return;
  driver_->drive([&](node::Node& node, base::Instant now) { node.reset(ref_, now); });
}

void StreamState::release() {
  if (ended_ || (finished_ && remote_finished_)) return;
  if (!finished_) return reset();
  inbox_.clear();
  linger_.emplace(driver_->executor(), kLinger);
  linger_->async_wait([self = shared_from_this()](std::error_code cancelled) {
    if (!cancelled) self->reset();
  });
}

}  // namespace ggen::p2p::host::detail
