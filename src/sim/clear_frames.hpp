#pragma once

#include <algorithm>
#include <cstddef>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/varint.hpp>

namespace ggen::p2p::sim {

/// Cuts what passes on a stream into length-prefixed frames. It has a reader of its own: what is
/// checked on frames should not rest on the code that makes them. A frame that comes in one piece,
/// as nearly all do, is not copied.
class ClearFrames {
 public:
  /// From a frame of more than `max` bytes on nothing is read: nobody takes it.
  explicit ClearFrames(std::size_t max) : max_(max) {}

  /// Takes from the front of `bytes`, of which there are some, up to the end of a frame: without
  /// its prefix, and valid until the next call. Empty when there is none yet.
  base::BytesView take(base::BytesView& bytes) {
    if (complete_) forget();
    while (!broken_ && !bytes.empty()) {
      const bool whole = gathered_.empty();
      const std::size_t size = frame_size(whole ? bytes : base::BytesView{gathered_});
      if (whole && size != 0 && size <= bytes.size()) {
        const base::BytesView frame = bytes.subspan(prefix_, size - prefix_);
        bytes = bytes.subspan(size);
        return frame;
      }
      const std::size_t wanted = size == 0 ? 1 : size - gathered_.size();
      const std::size_t taken = std::min(wanted, bytes.size());
      base::append(gathered_, bytes.first(taken));
      bytes = bytes.subspan(taken);
      if (gathered_.size() != size) continue;
      complete_ = true;
      return base::BytesView{gathered_}.subspan(prefix_);
    }
    bytes = {};
    return {};
  }

  /// A frame was malformed: nothing is read any more.
  void give_up() noexcept { broken_ = true; }

 private:
  void forget() {
    gathered_ = {};
    complete_ = false;
  }
  // Of the frame that begins here, its prefix included; 0 while its length is not known.
  std::size_t frame_size(base::BytesView bytes) {
    const auto length = base::decode_varint(bytes);
    if (!length) {
      broken_ = broken_ || length.error() != base::VarintError::kTruncated;
      return 0;
    }
    prefix_ = length->size;
    broken_ = broken_ || length->value > max_;
    return broken_ ? 0 : prefix_ + static_cast<std::size_t>(length->value);
  }

  std::size_t max_;
  base::Bytes gathered_;
  std::size_t prefix_ = 0;
  bool complete_ = false;
  bool broken_ = false;
};

}  // namespace ggen::p2p::sim
