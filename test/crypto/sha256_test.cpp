#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

using namespace ggen::p2p;

TEST_CASE("sha256: the examples of FIPS 180-4, whole and in pieces") {
  const struct {
    std::string message;
    const char* digest;
  } examples[] = {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                  {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                  {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
                  {std::string(1'000'000, 'a'),
                   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}};
  crypto::Sha256 hash;
  for (const auto& example : examples) {
    CAPTURE(example.digest);
    const auto message = base::as_bytes(example.message);
    CHECK(base::to_hex(crypto::sha256(message)) == example.digest);
    for (std::size_t at = 0; at < message.size(); at += 997) {
      hash.update(message.subspan(at, std::min<std::size_t>(997, message.size() - at)));
    }
    CHECK(base::to_hex(hash.finish()) == example.digest);
  }
}

TEST_CASE("sha256: a moved hash goes on where it was") {
  crypto::Sha256 first;
  first.update(base::as_bytes("ab"));
  crypto::Sha256 second = std::move(first);
  second.update(base::as_bytes("c"));
  CHECK(second.finish() == crypto::sha256(base::as_bytes("abc")));
}
