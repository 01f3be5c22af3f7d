#pragma once

#include <cstddef>
#include <cstdint>

#include "list.hpp"
#include "stream.hpp"

namespace ggen::p2p::yamux {

/// Says which stream sends next. Streams with something to say about themselves go first. Of those
/// with data, the ones that have little of it go before the ones with more than a quantum, so that
/// a short message does not wait behind bulk; among each other they take turns. Half of the bytes
/// are left to bulk, however many short messages there are.
class Scheduler {
 public:
  /// Bytes that a stream sends before it is another's turn.
  static constexpr std::uint32_t kQuantum = 16 * 1024;

  /// Brings the stream's places up to date with its state; call it after each change of that.
  void update(Stream& stream) noexcept;
  /// Forgets the stream.
  void remove(Stream& stream) noexcept;

  /// Whether no stream has anything to send.
  [[nodiscard]] bool empty() const noexcept {
    return control_.empty() && small_.empty() && bulk_.empty();
  }
  /// The next stream with something to say; it leaves this list when update() finds it said.
  [[nodiscard]] Stream* next_control() const noexcept { return control_.front(); }

  struct Turn {
    Stream* stream = nullptr;  ///< null when none has data that may be sent
    std::size_t limit = 0;     ///< bytes it may send now
  };
  [[nodiscard]] Turn next_data() const noexcept;
  /// The stream of next_data() has sent `size` bytes.
  void sent(Stream& stream, std::size_t size) noexcept;

 private:
  using DataList = List<Stream, &Stream::data_hook>;

  [[nodiscard]] DataList& list_of(const Stream& stream) noexcept {
    return stream.bulk ? bulk_ : small_;
  }
  void enter(Stream& stream, bool bulk) noexcept;
  void leave(Stream& stream) noexcept;

  List<Stream, &Stream::control_hook> control_;
  DataList small_;
  DataList bulk_;
  std::size_t small_run_ = 0;  // bytes of small streams since the last turn of a bulk one
};

}  // namespace ggen::p2p::yamux
