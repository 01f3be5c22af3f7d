#include <limits>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ggen/p2p/base/assert.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::noise;
using test::cipher;
using test::frame_of;

namespace {

struct Opened {
  std::vector<base::Bytes> messages;
  std::optional<Error> error;
};

// Gives `bytes` to the receiver in pieces whose sizes `cut` chooses.
Opened open(Receiver& receiver, base::BytesView bytes, const std::function<std::size_t()>& cut) {
  Opened opened;
  while (!bytes.empty()) {
    base::BytesView piece = bytes.first(std::min(cut(), bytes.size()));
    bytes = bytes.subspan(piece.size());
    for (;;) {
      const auto message = receiver.next(piece);
      if (!message) {
        opened.error = message.error();
        return opened;
      }
      if (!*message) break;
      opened.messages.push_back(base::to_bytes((*message)->view()));
    }
    GGEN_INVARIANT(piece.empty());
  }
  return opened;
}

Opened open_at_once(Receiver& receiver, base::BytesView bytes) {
  return open(receiver, bytes, [] { return SIZE_MAX; });
}

base::Bytes message_of(std::size_t size, std::uint64_t seed) {
  base::Bytes bytes(size);
  base::Prng{seed}.fill(bytes);
  return bytes;
}

}  // namespace

TEST_CASE("Sender: the layout of a frame") {
  Sender sender{cipher()};
  const base::Bytes frame = frame_of(sender, base::as_bytes("abc"));
  REQUIRE(frame.size() == 3 + kOverhead);
  CHECK(base::load_big_endian<std::uint16_t>(frame.data()) == 3 + 16);
  base::Bytes expected(3 + 16);
  REQUIRE(cipher().seal({}, base::as_bytes("abc"), expected));
  CHECK(base::equal(base::BytesView{frame}.subspan(kLengthSize), expected));
  static_assert(kMaxPlaintext == 65519 && kOverhead == 18 && kBestPlaintext % 128 == 0);
}

TEST_CASE("Sender: leaves the rest of a larger span alone") {
  Sender sender{cipher()};
  base::Bytes out(1000, 0xee);
  const auto size = sender.seal(out, 100);
  REQUIRE(size == 118);
  CHECK(std::ranges::all_of(base::BytesView{out}.subspan(118), [](auto b) { return b == 0xee; }));
}

TEST_CASE("Receiver: gives what was sealed, for any sizes in any fragments") {
  CHECK(rc::check([] {
    const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::oneOf(
        rc::gen::inRange<std::size_t>(0, 300),
        rc::gen::element<std::size_t>(0, 1, 16, 4096, kBestPlaintext, kMaxPlaintext)));
    const auto largest_piece = *rc::gen::element<std::size_t>(40, 1000, 70'000, 1'000'000);
    base::Prng prng{*rc::gen::arbitrary<std::uint64_t>()};
    Sender sender{cipher()};
    Receiver receiver{cipher()};
    base::Bytes stream;
    std::vector<base::Bytes> sent;
    for (const std::size_t size : sizes) {
      const base::Bytes message = message_of(size, size);
      base::append(stream, frame_of(sender, message));
      if (size > 0) sent.push_back(message);
    }
    const Opened opened = open(
        receiver, stream, [&] { return static_cast<std::size_t>(1 + prng.below(largest_piece)); });
    RC_ASSERT(!opened.error);
    RC_ASSERT(opened.messages == sent);
    RC_ASSERT(!receiver.inside_frame());
  }));
}

TEST_CASE("Receiver: says whether the bytes end inside a frame") {
  Sender sender{cipher()};
  Receiver receiver{cipher()};
  const base::Bytes frame = frame_of(sender, base::as_bytes("x"));
  CHECK_FALSE(receiver.inside_frame());
  for (std::size_t i = 0; i + 1 < frame.size(); ++i) {
    CHECK(open_at_once(receiver, base::BytesView{frame}.subspan(i, 1)).messages.empty());
    CHECK(receiver.inside_frame());
  }
  CHECK(open_at_once(receiver, base::BytesView{frame}.last(1)).messages.size() == 1);
  CHECK_FALSE(receiver.inside_frame());
}

TEST_CASE("Receiver: any changed byte of a frame is fatal, whole or in pieces") {
  for (const std::size_t piece : {SIZE_MAX, std::size_t{5}}) {
    Sender sender{cipher()};
    const base::Bytes good = frame_of(sender, message_of(40, 1));
    for (std::size_t i = 0; i < good.size(); ++i) {
      CAPTURE(i);
      base::Bytes bad = good;
      bad[i] ^= 0x10;
      Receiver receiver{cipher()};
      const Opened opened = open(receiver, bad, [&] { return piece; });
      CHECK(opened.messages.empty());
      // A length that grew waits for bytes that never come.
      if (i >= kLengthSize) CHECK(opened.error == Error::kDecryptionFailed);
    }
  }
}

TEST_CASE("Receiver: a replayed, skipped or reordered frame is fatal, for ever") {
  Sender sender{cipher()};
  const base::Bytes first = frame_of(sender, base::as_bytes("one"));
  const base::Bytes second = frame_of(sender, base::as_bytes("two"));
  const base::Bytes third = frame_of(sender, base::as_bytes("three"));
  {
    Receiver receiver{cipher()};
    CHECK(open_at_once(receiver, first).messages.size() == 1);
    CHECK(open_at_once(receiver, first).error == Error::kDecryptionFailed);
    // The right frame comes too late.
    CHECK(open_at_once(receiver, second).error == Error::kDecryptionFailed);
  }
  {
    Receiver receiver{cipher()};
    CHECK(open_at_once(receiver, second).error == Error::kDecryptionFailed);
    CHECK(open_at_once(receiver, first).error == Error::kDecryptionFailed);
  }
  {
    Receiver receiver{cipher()};
    CHECK(open_at_once(receiver, first).messages.size() == 1);
    CHECK(open_at_once(receiver, third).error == Error::kDecryptionFailed);
  }
}

TEST_CASE("Receiver: a frame too short for its tag is refused as soon as its length has come") {
  for (std::uint8_t size = 0; size < 16; ++size) {
    for (const bool in_pieces : {false, true}) {
      Receiver receiver{cipher()};
      const base::Bytes length = {0, size};
      const Opened opened =
          open(receiver, length, [&] { return in_pieces ? std::size_t{1} : SIZE_MAX; });
      CHECK(opened.error == Error::kMalformedFrame);
    }
  }
}

TEST_CASE("nonces: the last one is never used, on either side") {
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max() - 1;
  Sender sender{cipher(kLast)};
  const base::Bytes frame = frame_of(sender, base::as_bytes("last"));
  base::Bytes room(100);
  for (int i = 0; i < 2; ++i) {
    const auto refused = sender.seal(room, 10);
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == Error::kNonceExhausted);
  }
  Receiver receiver{cipher(kLast)};
  CHECK(open_at_once(receiver, frame).messages.size() == 1);
  CHECK(open_at_once(receiver, frame).error == Error::kNonceExhausted);
}
