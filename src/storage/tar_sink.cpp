#include "tar_sink.hpp"

namespace ggen::p2p::storage {
namespace {

// zstd's own default: higher levels take several times as long for a few percent.
constexpr int kLevel = 3;

}  // namespace

TarSink::TarSink(const File& out)
    : out_(out), context_(ZSTD_createCCtx()), buffer_(ZSTD_CStreamOutSize()) {
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
}

Outcome<> TarSink::write(base::BytesView bytes) {
  hash_.update(bytes);
  tar_size_ += bytes.size();
  return compress(bytes, ZSTD_e_continue);
}

Outcome<> TarSink::finish() {
  return compress({}, ZSTD_e_end);
}

Outcome<> TarSink::compress(base::BytesView bytes, ZSTD_EndDirective how) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
    const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, how);
    if (ZSTD_isError(left)) {
      return std::unexpected(
          registry::StoreError{registry::StoreError::Kind::kIo,
                               std::string("cannot compress: ") + ZSTD_getErrorName(left)});
    }
    auto written = out_.write(packed_size_, base::BytesView(buffer_).first(out.pos));
    if (!written) return written;
    packed_size_ += out.pos;
    if (how == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
  }
}

}  // namespace ggen::p2p::storage
