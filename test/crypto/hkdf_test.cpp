#include <array>
#include <numeric>
#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/crypto/hkdf.hpp>

using namespace ggen::p2p;
using crypto::Secret;

TEST_CASE("hkdf_sha256: agrees with RFC 5869") {
  // Appendix A.3: no salt, which HMAC takes for zeros, and no info. It publishes 42 bytes.
  const base::Bytes input(22, 0x0b);
  std::array<Secret<32>, 2> outputs;
  crypto::hkdf_sha256(Secret<32>{}, input, outputs);
  const std::string all = base::to_hex(outputs[0].view()) + base::to_hex(outputs[1].view());
  CHECK(all.substr(0, 84) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("hkdf_sha256: gives two or three outputs, the first two alike") {
  Secret<32> chaining_key;
  const auto key = chaining_key.writable();
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  const auto input = base::as_bytes("input keying material");
  std::array<Secret<32>, 3> three;
  crypto::hkdf_sha256(chaining_key, input, three);
  // Computed with Python's hmac and hashlib.
  CHECK(base::to_hex(three[0].view()) ==
        "233f5a00572f5f3664abae5157dbb73ded3b55634416b0e8bb88a153f2bba627");
  CHECK(base::to_hex(three[1].view()) ==
        "bf2f26470aba1963b718e5341b5754d703380473c651f4041c3ed4ce54877529");
  CHECK(base::to_hex(three[2].view()) ==
        "f11e39230485463e8c6a2ed024300e4e6a78d98fb367b5aa42fda6225f5f40e8");

  std::array<Secret<32>, 2> two;
  crypto::hkdf_sha256(chaining_key, input, two);
  CHECK(base::equal(two[0].view(), three[0].view()));
  CHECK(base::equal(two[1].view(), three[1].view()));
}
