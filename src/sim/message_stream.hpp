#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/channel.hpp>

#include "message_frame.hpp"

namespace ggen::p2p::sim {

/// Bytes waiting to be sent, in one block of the pool that doubles when it must: it holds nothing
/// while empty, and a short message costs no allocation once the pool is warm.
class SendQueue {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] base::BytesView view() const noexcept { return bytes_.view(); }

  void push(base::BytesView bytes) {
    if (bytes_.empty()) {
      bytes_ = base::Buffer::copy_of(bytes);
      return;
    }
    if (bytes_.spare() < bytes.size()) {
      base::Buffer larger =
          base::Buffer::allocate(std::max(bytes_.size() * 2, bytes_.size() + bytes.size()));
      larger.truncate(0);
      larger.append_in_place(bytes_.view());
      bytes_ = std::move(larger);
    }
    bytes_.append_in_place(bytes);
  }
  void pop(std::size_t size) noexcept {
    bytes_.remove_prefix(size);
    if (bytes_.empty()) bytes_ = {};
  }

 private:
  base::Buffer bytes_;
};

/// An Open that this side has made and the remote has not answered.
struct Request {
  std::vector<std::string> protocols;
  base::Instant deadline;

  /// Bytes may be written before the answer.
  [[nodiscard]] bool lazy() const noexcept { return protocols.size() == 1; }
};

/// One stream. What it has to send follows from these fields, so that no behaviour of the remote
/// can make it hold more than they do.
struct MessageStream {
  connection::StreamId id;
  std::uint32_t send_window = kStreamWindow;
  std::uint32_t receive_credit = kStreamWindow;  ///< the remote may still send so much
  std::uint32_t charged = 0;                     ///< received, and not consumed
  std::uint8_t accepted = 0;  ///< inbound: which of the protocols asked for it is
  bool inbound = false;
  bool greeted = false;    ///< its Open (outbound) or Accept (inbound) has been sent
  bool ready = false;      ///< waits in the ReadyList
  bool finishing = false;  ///< finish() was called
  bool finish_sent = false;
  bool remote_finished = false;
  bool write_refused = false;  ///< the owner waits for StreamWritable
  bool credit_due = false;
  std::unique_ptr<Request> request;  ///< outbound, until it is answered
  SendQueue queue;
  MessageStream* next_ready = nullptr;

  [[nodiscard]] bool sendable() const noexcept { return send_window > 0 && !queue.empty(); }
  [[nodiscard]] bool finish_due() const noexcept {
    return finishing && !finish_sent && queue.empty() && request == nullptr;
  }
  [[nodiscard]] bool has_output() const noexcept {
    return !greeted || credit_due || sendable() || finish_due();
  }
  /// What has been consumed and is not yet returned to the remote.
  [[nodiscard]] std::uint32_t owed() const noexcept {
    return kStreamWindow - receive_credit - charged;
  }
};

/// The streams that have something to send, first come first served.
class ReadyList {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  /// Does nothing when it is there.
  void push(MessageStream& stream) noexcept {
    if (stream.ready) return;
    stream.ready = true;
    (first_ == nullptr ? first_ : last_->next_ready) = &stream;
    last_ = &stream;
  }
  /// Only while not empty.
  MessageStream& pop() noexcept {
    MessageStream& stream = *first_;
    remove(stream);
    return stream;
  }
  /// Does nothing when it is not there.
  void remove(MessageStream& stream) noexcept {
    if (!stream.ready) return;
    stream.ready = false;
    MessageStream* previous = nullptr;
    for (MessageStream* at = first_; at != &stream; at = at->next_ready) previous = at;
    (previous == nullptr ? first_ : previous->next_ready) = stream.next_ready;
    if (last_ == &stream) last_ = previous;
    stream.next_ready = nullptr;
  }

 private:
  MessageStream* first_ = nullptr;
  MessageStream* last_ = nullptr;
};

}  // namespace ggen::p2p::sim
