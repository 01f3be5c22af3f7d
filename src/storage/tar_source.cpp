#include "tar_source.hpp"

#include <string>

namespace ggen::p2p::storage {
namespace {

// The window is memory that a frame's header asks for: 8 MiB is more than pack() needs.
constexpr int kMaxWindowLog = 23;

std::unexpected<Failure> bad(const std::string& what) {
  return std::unexpected(
      Failure{Failure::Kind::kBadArchive,
              "the archive " + what + ": do not trust this release, and tell its publisher"});
}

}  // namespace

TarSource::TarSource(const PackedSource& packed, const registry::Archive& archive)
    : packed_(packed), archive_(archive), context_(ZSTD_createDCtx()), out_(ZSTD_DStreamOutSize()) {
  ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
}

std::expected<void, Failure> TarSource::refill() {
  auto piece = packed_();
  if (!piece) return std::unexpected(std::move(piece.error()));
  piece_ = std::move(*piece);
  in_ = {piece_.data(), piece_.size(), 0};
  no_more_ = piece_.empty();
  return {};
}

std::expected<base::BytesView, Failure> TarSource::next() {
  ZSTD_outBuffer out{out_.data(), out_.size(), 0};
  while (out.pos == 0) {
    if (in_.pos == in_.size && !no_more_) {
      if (auto more = refill(); !more) return std::unexpected(std::move(more.error()));
    }
    if (no_more_ && frame_ended_) return base::BytesView{};
    const std::size_t eaten = in_.pos;
    const std::size_t left = ZSTD_decompressStream(context_.get(), &out, &in_);
    if (ZSTD_isError(left)) {
      return bad(std::string("cannot be decompressed (") + ZSTD_getErrorName(left) + ")");
    }
    frame_ended_ = left == 0;
    if (no_more_ && !frame_ended_ && out.pos == 0 && in_.pos == eaten) return bad("ends too early");
  }
  if (out.pos > archive_.tar_size - size_) {
    return bad("has more than the " + std::to_string(archive_.tar_size) +
               " bytes that its entry says");
  }
  size_ += out.pos;
  const auto bytes = base::BytesView(out_).first(out.pos);
  hash_.update(bytes);
  return bytes;
}

std::expected<void, Failure> TarSource::finish() {
  while (true) {
    const auto bytes = next();
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) break;
  }
  if (size_ != archive_.tar_size) {
    return bad("has " + std::to_string(size_) + " bytes where its entry says " +
               std::to_string(archive_.tar_size));
  }
  if (hash_.finish() != archive_.tar_hash) return bad("has another hash than its entry says");
  return {};
}

}  // namespace ggen::p2p::storage
