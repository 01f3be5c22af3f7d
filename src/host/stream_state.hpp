#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <asio/steady_timer.hpp>

#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/host/stream.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

#include "driver.hpp"

namespace ggen::p2p::host::detail {

/// One stream of the application: what has arrived and was not read yet (bounded by the stream's
/// receive window), and the outstanding read and write.
class StreamState : public std::enable_shared_from_this<StreamState> {
 public:
  StreamState(std::shared_ptr<Driver> driver, connection::StreamRef ref, multiformats::PeerId peer,
              std::string protocol);

  // What the node says.
  void on_data(base::Buffer data);
  void on_writable();
  void on_finished();
  void on_closed(connection::StreamEnd end);
  /// The host is going away: everything outstanding ends with `error`.
  void abandon(std::error_code error);

  // What the application wants.
  void read(asio::mutable_buffer buffer, Completion done);
  void write(asio::const_buffer buffer, Completion done);
  void cancel(std::uint64_t operation);
  void finish();
  void reset();
  /// The handle is gone: resets the stream, at once or, if this side has finished, when its bytes
  /// had time to arrive.
  void release();

  [[nodiscard]] std::uint64_t next_operation() const noexcept { return next_operation_; }
  [[nodiscard]] const multiformats::PeerId& peer() const noexcept { return peer_; }
  [[nodiscard]] const std::string& protocol() const noexcept { return protocol_; }
  void agreed_on(std::string protocol) { protocol_ = std::move(protocol); }
  [[nodiscard]] connection::StreamRef ref() const noexcept { return ref_; }
  [[nodiscard]] const std::shared_ptr<Driver>& driver() const noexcept { return driver_; }

 private:
  template <class Buffer>
  struct Operation {
    std::uint64_t id;
    Buffer buffer;
    Completion done;
  };

  bool try_read(asio::mutable_buffer buffer, Completion& done);
  void fail_all(std::error_code error);

  std::shared_ptr<Driver> driver_;
  connection::StreamRef ref_;
  multiformats::PeerId peer_;
  std::string protocol_;
  base::ByteQueue inbox_;
  bool remote_finished_ = false;
  bool finished_ = false;
  std::optional<asio::steady_timer>
      linger_;  // runs once the handle is gone and this side has finished
  std::optional<std::error_code> ended_;
  std::uint64_t next_operation_ = 1;
  std::optional<Operation<asio::mutable_buffer>> reading_;
  std::optional<Operation<asio::const_buffer>> writing_;
};

}  // namespace ggen::p2p::host::detail
