#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/noise/sender.hpp>

namespace ggen::p2p::noise {

std::expected<std::size_t, Error> Sender::seal(base::MutableBytes frame,
                                               std::size_t plaintext_size) {
  GGEN_INVARIANT(plaintext_size <= kMaxPlaintext && frame.size() >= plaintext_size + kOverhead);
  const std::size_t sealed_size = plaintext_size + CipherState::kTagSize;
  const base::MutableBytes sealed = frame.subspan(kLengthSize, sealed_size);
  if (const auto done = cipher_.seal({}, sealed.first(plaintext_size), sealed); !done) {
    return std::unexpected(done.error());
  }
  base::store_big_endian(frame.data(), static_cast<std::uint16_t>(sealed_size));
  return kLengthSize + sealed_size;
}

}  // namespace ggen::p2p::noise
