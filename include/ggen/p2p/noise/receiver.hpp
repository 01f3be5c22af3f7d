#pragma once

#include <expected>
#include <optional>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/noise/cipher_state.hpp>
#include <ggen/p2p/noise/error.hpp>

namespace ggen::p2p::noise {

/// Opens the frames of the remote, which may arrive in any fragments. Not thread-safe.
///
/// A frame that lies whole in the input is opened straight into a pooled buffer of its size, so
/// that warm receiving allocates nothing. A frame in pieces is gathered in a pooled buffer that
/// grows with what has arrived, whatever length it announces: it takes at most four times those
/// bytes (256 bytes at least, 128 KiB at most). Between frames no buffer is held.
class Receiver {
 public:
  explicit Receiver(CipherState cipher) : cipher_(std::move(cipher)) {}

  /// Takes bytes from the front of `input` up to the end of one message and gives its plaintext,
  /// which is never empty (a message without plaintext is legal and passed over). Nothing when all
  /// of `input` has been taken and more is needed. After an error, that error for ever: what
  /// follows a message that cannot be opened must not be believed.
  std::expected<std::optional<base::Buffer>, Error> next(base::BytesView& input);

  /// True when the bytes so far end in the middle of a frame: a remote that closes there was cut
  /// off.
  [[nodiscard]] bool inside_frame() const noexcept { return !partial_.empty(); }

 private:
  std::expected<std::optional<base::Buffer>, Error> next_message(base::BytesView& input);
  std::expected<base::Buffer, Error> open_whole(base::BytesView frame);
  std::expected<base::Buffer, Error> open_partial();
  void gather(base::BytesView& input, std::size_t target);

  CipherState cipher_;
  base::Buffer partial_;  // the bytes of an unfinished frame, its length included
  std::optional<Error> failure_;
};

}  // namespace ggen::p2p::noise
