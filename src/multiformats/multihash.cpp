#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/multiformats/multihash.hpp>

namespace ggen::p2p::multiformats {
namespace {

MultihashError error_of(base::VarintError error) {
  return error == base::VarintError::kTruncated ? MultihashError::kTruncated
                                                : MultihashError::kMalformed;
}

}  // namespace

std::string_view to_string(MultihashError error) noexcept {
  switch (error) {
    case MultihashError::kTruncated:
      return "the bytes end inside a multihash";
    case MultihashError::kMalformed:
      return "a multihash has a malformed code or length";
    case MultihashError::kTooLong:
      return "a multihash has a digest above 128 bytes";
    case MultihashError::kTrailing:
      return "bytes follow a multihash";
  }
  return "unknown multihash error";
}

std::expected<Multihash, MultihashError> Multihash::identity(base::BytesView bytes) {
  if (bytes.size() > kMaxDigestBytes) return std::unexpected(MultihashError::kTooLong);
  return Multihash{kIdentity, base::to_bytes(bytes)};
}

Multihash Multihash::sha2_256(base::BytesView bytes) {
  return {kSha2_256, base::to_bytes(crypto::sha256(bytes))};
}

std::expected<Multihash, MultihashError> Multihash::decode(base::BytesView bytes) {
  const auto code = base::decode_varint(bytes);
  if (!code) return std::unexpected(error_of(code.error()));
  bytes = bytes.subspan(code->size);

  const auto length = base::decode_varint(bytes);
  if (!length) return std::unexpected(error_of(length.error()));
  bytes = bytes.subspan(length->size);

  if (length->value > kMaxDigestBytes) return std::unexpected(MultihashError::kTooLong);
  if (bytes.size() < length->value) return std::unexpected(MultihashError::kTruncated);
  if (bytes.size() > length->value) return std::unexpected(MultihashError::kTrailing);
  return Multihash{code->value, base::to_bytes(bytes)};
}

base::Bytes Multihash::encode() const {
  base::Bytes bytes;
  bytes.reserve(2 * base::kMaxVarintBytes + digest_.size());
  base::append_varint(bytes, code_);
  base::append_varint(bytes, digest_.size());
  base::append(bytes, digest_);
  return bytes;
}

}  // namespace ggen::p2p::multiformats
