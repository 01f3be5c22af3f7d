#include <algorithm>
#include <limits>
#include <string_view>

#include <doctest/doctest.h>

#include <ggen/p2p/crypto/aead.hpp>

using namespace ggen::p2p;
using crypto::ChaChaPoly;

namespace {

ChaChaPoly cipher_of(std::string_view hex) {
  const base::Bytes key = base::from_hex(hex).value();
  return ChaChaPoly{std::span<const std::uint8_t, 32>{key}};
}

constexpr std::string_view kKey =
    "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0";

// RFC 8439, appendix A.5. Its nonce has four leading zero bytes, as all of Noise's have.
constexpr std::uint64_t kNonce = 0x0807060504030201;
constexpr std::string_view kAad = "f33388860000000000004e91";
constexpr std::string_view kPlaintext =
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, "
    "replaced, or obsoleted by other documents at any time. It is inappropriate to use "
    "Internet-Drafts as reference material or to cite them other than as "
    "/\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
constexpr std::string_view kSealed =
    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26"
    "b"
    "0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c"
    "8"
    "559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7"
    "a"
    "4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f54"
    "8"
    "271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77"
    "9"
    "87130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38";

}  // namespace

TEST_CASE("ChaChaPoly: seals and opens what RFC 8439 publishes") {
  ChaChaPoly cipher = cipher_of(kKey);
  const base::Bytes aad = base::from_hex(kAad).value();
  const base::Bytes expected = base::from_hex(kSealed).value();

  base::Bytes sealed(kPlaintext.size() + ChaChaPoly::kTagSize);
  cipher.seal(kNonce, aad, base::as_bytes(kPlaintext), sealed);
  CHECK(sealed == expected);

  base::Bytes opened(kPlaintext.size());
  REQUIRE(cipher.open(kNonce, aad, sealed, opened));
  CHECK(base::as_text(opened) == kPlaintext);
}

TEST_CASE("ChaChaPoly: works in place, in both directions, with one object") {
  ChaChaPoly cipher = cipher_of(kKey);
  const base::Bytes aad = base::from_hex(kAad).value();
  base::Bytes buffer = base::to_bytes(base::as_bytes(kPlaintext));
  buffer.resize(kPlaintext.size() + ChaChaPoly::kTagSize);
  const base::MutableBytes whole{buffer};
  const base::MutableBytes text = whole.first(kPlaintext.size());
  for (int round = 0; round < 3; ++round) {
    cipher.seal(kNonce, aad, text, whole);
    CHECK(buffer == base::from_hex(kSealed).value());
    REQUIRE(cipher.open(kNonce, aad, whole, text));
    CHECK(base::as_text(text) == kPlaintext);
  }
}

TEST_CASE("ChaChaPoly: any changed bit, other nonce, other data or cut is refused and wiped") {
  ChaChaPoly cipher = cipher_of(kKey);
  const base::Bytes aad = base::from_hex(kAad).value();
  const base::Bytes sealed = base::from_hex(kSealed).value();
  base::Bytes out(kPlaintext.size());
  const auto refused = [&](std::uint64_t nonce, base::BytesView data, base::BytesView bytes) {
    const base::MutableBytes room = base::MutableBytes{out}.first(bytes.size() - 16);
    const bool opened = cipher.open(nonce, data, bytes, room);
    return !opened && std::ranges::all_of(room, [](std::uint8_t byte) { return byte == 0; });
  };
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    base::Bytes changed = sealed;
    changed[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    CHECK(refused(kNonce, aad, changed));
  }
  CHECK(refused(kNonce + 1, aad, sealed));
  CHECK(refused(kNonce, {}, sealed));
  CHECK(refused(kNonce, aad, base::BytesView{sealed}.first(sealed.size() - 1)));
  for (std::size_t size = 0; size < 16; ++size) {
    CHECK_FALSE(cipher.open(kNonce, aad, base::BytesView{sealed}.first(size), {}));
  }
  // A refusal leaves no trace in the object.
  CHECK(cipher.open(kNonce, aad, sealed, out));
}

TEST_CASE("ChaChaPoly: an empty message has a tag, and every bit of the nonce counts") {
  ChaChaPoly cipher = cipher_of(kKey);
  base::Bytes first(16);
  base::Bytes second(16);
  cipher.seal(0, {}, {}, first);
  CHECK(cipher.open(0, {}, first, {}));
  for (int bit = 0; bit < 64; ++bit) {
    cipher.seal(std::uint64_t{1} << bit, {}, {}, second);
    CHECK(first != second);
  }
  cipher.seal(std::numeric_limits<std::uint64_t>::max(), {}, {}, second);
  CHECK(cipher.open(std::numeric_limits<std::uint64_t>::max(), {}, second, {}));
}
