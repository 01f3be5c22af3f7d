#include <algorithm>
#include <utility>

#include <ggen/p2p/noise/receiver.hpp>
#include <ggen/p2p/noise/sender.hpp>

namespace ggen::p2p::noise {
namespace {

// The size of the frame that starts with these kLengthSize bytes.
std::expected<std::size_t, Error> frame_size(const std::uint8_t* start) {
  const std::size_t size = kLengthSize + base::load_big_endian<std::uint16_t>(start);
  if (size < kOverhead) return std::unexpected(Error::kMalformedFrame);
  return size;
}

}  // namespace

std::expected<std::optional<base::Buffer>, Error> Receiver::next(base::BytesView& input) {
  if (failure_) return std::unexpected(*failure_);
  while (!input.empty()) {
    auto message = next_message(input);
    if (!message) {
      failure_ = message.error();
      partial_ = {};
      return message;
    }
    const bool without_plaintext = *message && (*message)->empty();
    if (!without_plaintext) return message;
  }
  return std::nullopt;
}

std::expected<std::optional<base::Buffer>, Error> Receiver::next_message(base::BytesView& input) {
  if (partial_.empty() && input.size() >= kLengthSize) {
    const auto size = frame_size(input.data());
    if (!size) return std::unexpected(size.error());
    if (input.size() >= *size) {
      const base::BytesView frame = input.first(*size);
      input = input.subspan(*size);
      return open_whole(frame);
    }
  }
  gather(input, kLengthSize);
  if (partial_.size() < kLengthSize) return std::nullopt;
  const auto size = frame_size(partial_.data());
  if (!size) return std::unexpected(size.error());
  gather(input, *size);
  if (partial_.size() < *size) return std::nullopt;
  return open_partial();
}

std::expected<base::Buffer, Error> Receiver::open_whole(base::BytesView frame) {
  base::Buffer plaintext = base::Buffer::allocate(frame.size() - kOverhead);
  const auto opened = cipher_.open({}, frame.subspan(kLengthSize), plaintext.writable());
  if (!opened) return std::unexpected(opened.error());
  return plaintext;
}

std::expected<base::Buffer, Error> Receiver::open_partial() {
  base::Buffer frame = std::exchange(partial_, {});
  const std::size_t size = frame.size() - kOverhead;
  frame.remove_prefix(kLengthSize);
  const auto opened = cipher_.open({}, frame.view(), frame.writable().first(size));
  if (!opened) return std::unexpected(opened.error());
  frame.truncate(size);
  return frame;
}

// Takes bytes until `target` bytes of the frame are there, or the input is used up.
void Receiver::gather(base::BytesView& input, std::size_t target) {
  const std::size_t missing = target - std::min(target, partial_.size());
  const base::BytesView taken = input.first(std::min(missing, input.size()));
  if (taken.empty()) return;
  if (partial_.spare() < taken.size()) {
    const std::size_t arrived = partial_.size() + taken.size();
    base::Buffer larger = base::Buffer::allocate(std::min(target, 2 * arrived));
    larger.truncate(0);
    larger.append_in_place(partial_.view());
    partial_ = std::move(larger);
  }
  partial_.append_in_place(taken);
  input = input.subspan(taken.size());
}

}  // namespace ggen::p2p::noise
