#include <algorithm>

#include <ggen/p2p/base/frame.hpp>

namespace ggen::p2p::base {

std::string_view to_string(FrameError error) noexcept {
  switch (error) {
    case FrameError::kBadLength:
      return "a frame's length is not a valid varint";
    case FrameError::kTooLarge:
      return "a frame is larger than the limit";
  }
  return "unknown frame error";
}

std::expected<std::optional<Buffer>, FrameError> FrameDecoder::take(Buffer& data) {
  const auto prefix_complete = take_prefix(data);
  if (!prefix_complete) return std::unexpected(prefix_complete.error());
  if (!*prefix_complete) return std::nullopt;

  Buffer frame;
  if (gathered_.empty() && data.size() >= size_) {
    frame = data.slice(0, size_);
    data.remove_prefix(size_);
  } else {
    const std::size_t part = std::min(size_ - gathered_.size(), data.size());
    gather(data.view().first(part));
    data.remove_prefix(part);
    if (gathered_.size() < size_) return std::nullopt;
    frame = std::move(gathered_);
  }
  prefix_size_ = 0;
  prefix_complete_ = false;
  return frame;
}

std::expected<bool, FrameError> FrameDecoder::take_prefix(Buffer& data) {
  while (!prefix_complete_) {
    if (data.empty()) return false;
    prefix_[prefix_size_++] = data.data()[0];
    data.remove_prefix(1);
    const auto length = decode_varint(BytesView{prefix_}.first(prefix_size_));
    if (!length) {
      if (length.error() == VarintError::kTruncated) continue;
      return std::unexpected(FrameError::kBadLength);
    }
    if (length->value > max_size_) return std::unexpected(FrameError::kTooLarge);
    size_ = static_cast<std::size_t>(length->value);
    prefix_complete_ = true;
  }
  return true;
}

void FrameDecoder::gather(BytesView bytes) {
  if (gathered_.spare() < bytes.size()) {
    const std::size_t needed = gathered_.size() + bytes.size();
    Buffer larger = Buffer::allocate(std::min(size_, std::max(needed, 2 * gathered_.size())));
    larger.truncate(0);
    larger.append_in_place(gathered_.view());
    gathered_ = std::move(larger);
  }
  gathered_.append_in_place(bytes);
}

Buffer encode_frame(BytesView payload) {
  Buffer frame = Buffer::allocate(varint_size(payload.size()) + payload.size());
  const MutableBytes out = frame.writable();
  const std::size_t prefix = encode_varint(payload.size(), out.data());
  std::ranges::copy(payload, out.begin() + static_cast<std::ptrdiff_t>(prefix));
  return frame;
}

}  // namespace ggen::p2p::base
