// Length-prefixed frames: a byte stream means the same however it is cut, and what is read encodes
// to the bytes it was read from.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <ggen/p2p/base/frame.hpp>

using namespace ggen::p2p;

namespace {

constexpr std::size_t kMaxFrame = 300;

struct Result {
  std::vector<base::Bytes> frames;
  std::optional<base::FrameError> error;
  bool between_frames = false;
  bool operator==(const Result&) const = default;
};

void require(bool holds) {
  if (!holds) std::abort();
}

Result read(base::BytesView input, std::size_t piece) {
  base::FrameDecoder decoder{kMaxFrame};
  Result result;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    base::Buffer data =
        base::Buffer::copy_of(input.subspan(at, std::min(piece, input.size() - at)));
    while (!data.empty()) {
      auto frame = decoder.take(data);
      if (!frame) {
        result.error = frame.error();
        return result;
      }
      if (!*frame) {
        require(data.empty());
      } else {
        require((*frame)->size() <= kMaxFrame);
        result.frames.push_back(base::to_bytes((*frame)->view()));
      }
    }
  }
  result.between_frames = decoder.between_frames();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::BytesView input{data, size};
  const Result whole = read(input, std::max<std::size_t>(size, 1));
  for (const std::size_t piece : {1, 2, 7, 100}) require(read(input, piece) == whole);
  base::Bytes again;
  for (const base::Bytes& frame : whole.frames) {
    base::append(again, base::encode_frame(frame).view());
  }
  require(again.size() <= size && base::equal(again, input.first(again.size())));
  if (!whole.error) require((again.size() == size) == whole.between_frames);
  return 0;
}
