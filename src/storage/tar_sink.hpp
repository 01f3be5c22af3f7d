#pragma once

#include <cstdint>
#include <memory>

#include <zstd.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

#include "file.hpp"

namespace ggen::p2p::storage {

// Takes the bytes of a tar: hashes and compresses them into a file.
class TarSink {
 public:
  explicit TarSink(const File& out);

  [[nodiscard]] Outcome<> write(base::BytesView bytes);
  // Ends the compressed stream. Nothing may be written after it.
  [[nodiscard]] Outcome<> finish();

  [[nodiscard]] std::uint64_t tar_size() const noexcept { return tar_size_; }
  [[nodiscard]] std::uint64_t packed_size() const noexcept { return packed_size_; }
  // Once.
  [[nodiscard]] crypto::Sha256Digest tar_hash() { return hash_.finish(); }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  [[nodiscard]] Outcome<> compress(base::BytesView bytes, ZSTD_EndDirective how);

  const File& out_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  base::Bytes buffer_;
  crypto::Sha256 hash_;
  std::uint64_t tar_size_ = 0;
  std::uint64_t packed_size_ = 0;
};

}  // namespace ggen::p2p::storage
