#pragma once

#include <cstdint>
#include <expected>
#include <memory>

#include <zstd.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/storage/unpack.hpp>

namespace ggen::p2p::storage {

// Gives the bytes of a tar from packed ones: decompresses, hashes, and stops at the size that the
// entry says.
class TarSource {
 public:
  TarSource(const PackedSource& packed, const registry::Archive& archive);

  // More of the tar, valid until the next call; nothing at the end.
  [[nodiscard]] std::expected<base::BytesView, Failure> next();
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // Reads what is left, and checks that size and hash are what the entry says.
  [[nodiscard]] std::expected<void, Failure> finish();

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
  };
  [[nodiscard]] std::expected<void, Failure> refill();

  const PackedSource& packed_;
  const registry::Archive& archive_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  base::Buffer piece_;
  ZSTD_inBuffer in_{};
  bool no_more_ = false;     // of the packed bytes
  bool frame_ended_ = true;  // no compressed frame is half-read
  base::Bytes out_;
  crypto::Sha256 hash_;
  std::uint64_t size_ = 0;
};

}  // namespace ggen::p2p::storage
