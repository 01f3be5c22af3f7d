#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/buffer.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>

#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::host {

namespace detail {

/// A completion handler without its type, which keeps its executor busy until it is called. The
/// driver calls it when it has nothing else under way: what a handler does, such as destroying its
/// host, must not happen under the driver's feet.
using Completion = std::move_only_function<void(std::error_code, std::size_t)>;

class StreamState;  // defined with the driver

struct StreamOperations {
  static void read(StreamState& state, asio::mutable_buffer buffer, Completion done);
  static void write(StreamState& state, asio::const_buffer buffer, Completion done);
  /// Names the operation that read() or write() will start next, for cancel().
  static std::uint64_t next_operation(StreamState& state);
  static void cancel(StreamState& state, std::uint64_t operation);
};

template <class Handler>
Completion make_completion(Handler handler, const asio::any_io_executor& fallback) {
  auto executor = asio::get_associated_executor(handler, fallback);
  return [handler = std::move(handler), work = asio::make_work_guard(executor)](
             std::error_code error, std::size_t size) mutable {
    const auto target = work.get_executor();
    auto call = [handler = std::move(handler), error, size]() mutable {
      std::move(handler)(error, size);
    };
    work.reset();
    // At once when the handler belongs where the driver runs.
    asio::dispatch(target, std::move(call));
  };
}

/// The first buffer of a sequence that is not empty: reading or writing "some" may stop there.
template <class Buffer, class Sequence>
Buffer first_buffer(const Sequence& buffers) {
  for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers);
       ++it) {
    if (const Buffer buffer{*it}; buffer.size() > 0) return buffer;
  }
  return {};
}

template <class Handler>
void bind_cancellation(const Handler& handler, const std::shared_ptr<StreamState>& state) {
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
    slot.assign([weak = std::weak_ptr{state},
                 operation = StreamOperations::next_operation(*state)](asio::cancellation_type) {
      if (const auto alive = weak.lock()) StreamOperations::cancel(*alive, operation);
    });
  }
}

}  // namespace detail

/// One libp2p stream. Models Asio's AsyncReadStream and AsyncWriteStream, so that every composed
/// operation (asio::async_read_until, asio::async_write, ...) runs on it.
///
/// At most one read and one write may be outstanding at a time. Buffers must live until their
/// operation completes. Operations honour cancellation slots: a cancelled operation ends with
/// operation_aborted and loses no bytes. Use it only on the executor of its host. The last
/// reference resets the stream unless both sides have finished.
class Stream {
 public:
  using executor_type = asio::any_io_executor;

  explicit Stream(std::shared_ptr<detail::StreamState> state) noexcept;
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  [[nodiscard]] executor_type get_executor() const noexcept;

  /// Signature void(std::error_code, std::size_t). Ends with asio::error::eof once the remote has
  /// finished.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(
        [](auto handler, std::shared_ptr<detail::StreamState> state, asio::mutable_buffer buffer,
           const asio::any_io_executor& executor) {
          detail::bind_cancellation(handler, state);
          detail::StreamOperations::read(*state, buffer,
                                         detail::make_completion(std::move(handler), executor));
        },
        token, state_, detail::first_buffer<asio::mutable_buffer>(buffers), get_executor());
  }

  /// Signature void(std::error_code, std::size_t). Completes when at least one byte has entered the
  /// stream's bounded send queue, hence at the pace at which the remote reads.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(
        [](auto handler, std::shared_ptr<detail::StreamState> state, asio::const_buffer buffer,
           const asio::any_io_executor& executor) {
          detail::bind_cancellation(handler, state);
          detail::StreamOperations::write(*state, buffer,
                                          detail::make_completion(std::move(handler), executor));
        },
        token, state_, detail::first_buffer<asio::const_buffer>(buffers), get_executor());
  }

  /// Finishes this side: the remote reads its end after what was written. Reading goes on.
  void finish();
  /// Drops the stream both ways; outstanding operations end with Errc::kStreamReset.
  void reset();

  [[nodiscard]] const multiformats::PeerId& peer() const noexcept;
  /// The protocol agreed on; for a stream with lazy negotiation, the one asked for.
  [[nodiscard]] const std::string& protocol() const noexcept;

 private:
  std::shared_ptr<detail::StreamState> state_;
};

}  // namespace ggen::p2p::host
