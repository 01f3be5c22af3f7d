#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/prng.hpp>

using namespace ggen::p2p::base;

namespace {

Buffer buffer(std::initializer_list<std::uint8_t> bytes) {
  return Buffer::copy_of(std::vector<std::uint8_t>(bytes));
}

Bytes random_bytes(Prng& prng, std::size_t size) {
  Bytes bytes(size);
  prng.fill(bytes);
  return bytes;
}

}  // namespace

TEST_CASE("frame: whole frames, one after the other, also empty ones") {
  FrameDecoder decoder{10};
  Buffer data = buffer({3, 'a', 'b', 'c', 0, 1, 'd'});
  std::vector<std::string> frames;
  for (int i = 0; i < 3; ++i) {
    auto frame = decoder.take(data);
    REQUIRE(frame);
    REQUIRE(*frame);
    frames.emplace_back(as_text((*frame)->view()));
  }
  CHECK(frames == std::vector<std::string>{"abc", "", "d"});
  CHECK(decoder.between_frames());
  CHECK_FALSE(decoder.take(data)->has_value());
}

TEST_CASE("frame: what follows a frame stays with the caller") {
  FrameDecoder decoder{10};
  Buffer data = buffer({1, 'a', 'r', 'a', 'w'});
  CHECK(decoder.take(data)->has_value());
  CHECK(as_text(data.view()) == "raw");
}

TEST_CASE("frame: says whether the bytes may end here") {
  FrameDecoder decoder{1000};
  CHECK(decoder.between_frames());
  Buffer half_prefix = buffer({0x80});
  CHECK_FALSE(decoder.take(half_prefix)->has_value());
  CHECK_FALSE(decoder.between_frames());
  Buffer rest_of_prefix = buffer({0x01, 'x'});
  CHECK_FALSE(decoder.take(rest_of_prefix)->has_value());
  CHECK_FALSE(decoder.between_frames());
}

TEST_CASE("frame: refuses what is above the limit, and lengths that are no varint") {
  const auto error_of = [](Buffer data) {
    FrameDecoder decoder{300};
    auto frame = decoder.take(data);
    return frame ? std::nullopt : std::optional{frame.error()};
  };
  CHECK_FALSE(error_of(buffer({0xac, 0x02})));                                 // 300
  CHECK(error_of(buffer({0xad, 0x02})) == FrameError::kTooLarge);              // 301
  CHECK(error_of(buffer({0x80, 0x00})) == FrameError::kBadLength);             // not minimal
  CHECK(error_of(Buffer::copy_of(Bytes(9, 0x80))) == FrameError::kBadLength);  // endless
  CHECK_FALSE(error_of(Buffer::copy_of(Bytes(8, 0x80))));
}

TEST_CASE("frame: any fragmentation gives the same frames") {
  Prng prng{7};
  for (int round = 0; round < 200; ++round) {
    Bytes stream;
    std::vector<Bytes> sent;
    for (std::uint64_t i = prng.below(6); i-- > 0;) {
      sent.push_back(random_bytes(prng, prng.below(700)));
      append(stream, encode_frame(sent.back()).view());
    }
    FrameDecoder decoder{700};
    std::vector<Bytes> received;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(1 + prng.below(200), stream.size() - at);
      Buffer data = Buffer::copy_of(BytesView{stream}.subspan(at, size));
      at += size;
      do {
        auto frame = decoder.take(data);
        REQUIRE(frame);
        if (*frame) received.push_back(to_bytes((*frame)->view()));
      } while (!data.empty());
    }
    CHECK(decoder.between_frames());
    CHECK(received == sent);
  }
}

TEST_CASE("frame: a length is not believed before the bytes arrive") {
  // Reserving what the prefix announces would end the process.
  FrameDecoder decoder{std::size_t{1} << 60};
  Bytes bytes;
  append_varint(bytes, std::uint64_t{1} << 60);
  append(bytes, Bytes(100, 'x'));
  Buffer data = Buffer::copy_of(bytes);
  CHECK_FALSE(decoder.take(data)->has_value());
  CHECK(data.empty());
}
