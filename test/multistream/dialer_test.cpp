#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/multistream/dialer.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::multistream;

namespace {

using Protocols = std::vector<std::string>;

}  // namespace

TEST_CASE("dialer: a single protocol goes out with the header, and data may follow at once") {
  Dialer dialer(Protocols{"/ipfs/ping/1.0.0"});
  CHECK(dialer.lazy());
  CHECK(drain(dialer) == "\x13/multistream/1.0.0\n\x11/ipfs/ping/1.0.0\n");
  CHECK(dialer.pending().empty());
  CHECK_FALSE(dialer.negotiated());
  CHECK(dialer.receive(messages({kHeader, "/ipfs/ping/1.0.0"})) == 38);
  CHECK(dialer.negotiated() == "/ipfs/ping/1.0.0");
}

TEST_CASE("dialer: the next protocol goes out only when the one before is refused") {
  Dialer dialer(Protocols{"/a", "/b", "/c"});
  CHECK_FALSE(dialer.lazy());
  CHECK(drain(dialer) == text_of(messages({kHeader, "/a"})));
  REQUIRE(dialer.receive(messages({kHeader})));
  CHECK(drain(dialer).empty());
  REQUIRE(dialer.receive(messages({"na"})));
  CHECK(drain(dialer) == text_of(messages({"/b"})));
  CHECK_FALSE(dialer.negotiated());
  REQUIRE(dialer.receive(messages({"/b"})));
  CHECK(dialer.negotiated() == "/b");
  CHECK(drain(dialer).empty());
}

TEST_CASE("dialer: refused everything") {
  Dialer dialer(Protocols{"/a", "/b"});
  drain(dialer);
  CHECK(dialer.receive(messages({kHeader, "na"})));
  drain(dialer);
  CHECK(dialer.receive(messages({"na"})) == std::unexpected(Error::kRefused));
  CHECK_FALSE(dialer.negotiated());
  CHECK(dialer.receive(messages({"/b"})) == std::unexpected(Error::kRefused));
}

TEST_CASE("dialer: what follows the agreement is not its own") {
  Dialer dialer(Protocols{"/a"});
  auto bytes = messages({kHeader, "/a"});
  const auto size = bytes.size();
  base::append(bytes, base::as_bytes("data"));
  CHECK(dialer.receive(bytes) == size);
  CHECK(dialer.receive(base::as_bytes("data")) == 0);
}

TEST_CASE("dialer: an answer given before the question still lets the question out first") {
  Dialer dialer(Protocols{"/a", "/b"});
  CHECK(dialer.receive(messages({kHeader, "na", "/b"})));
  CHECK(dialer.negotiated() == "/b");
  CHECK(drain(dialer) == text_of(messages({kHeader, "/a", "/b"})));
}

TEST_CASE("dialer: the output can be taken in pieces") {
  Dialer dialer(Protocols{"/a/long/protocol"});
  std::string text;
  while (!dialer.pending().empty()) {
    text += base::as_text(dialer.pending().first(1));
    dialer.sent(1);
  }
  CHECK(text == text_of(messages({kHeader, "/a/long/protocol"})));
}

TEST_CASE("dialer: protocols whose length takes one byte and two") {
  for (const std::size_t size : {1U, 2U, 125U, 126U, 127U, 128U, 129U, 1022U, 1023U}) {
    CAPTURE(size);
    const Protocols protocols{std::string(size, 'p')};
    Dialer dialer(protocols);
    CHECK(drain(dialer) == text_of(messages({kHeader, protocols[0]})));
    REQUIRE(dialer.receive(messages({kHeader, protocols[0]})));
    CHECK(dialer.negotiated() == protocols[0]);
  }
}

TEST_CASE("dialer: a protocol that begins like a refusal") {
  for (const char* protocol : {"n", "nb", "nab", "a"}) {
    CAPTURE(protocol);
    Dialer accepted(Protocols{protocol});
    REQUIRE(accepted.receive(messages({kHeader, protocol})));
    CHECK(accepted.negotiated() == protocol);
    Dialer refused(Protocols{protocol});
    CHECK(refused.receive(messages({kHeader, "na"})) == std::unexpected(Error::kRefused));
  }
}

TEST_CASE("dialer: a remote that speaks something else") {
  const auto error_of = [](base::BytesView bytes) {
    Dialer dialer(Protocols{"/a"});
    return dialer.receive(bytes);
  };
  CHECK(error_of(base::as_bytes("HTTP/1.1 400")) == std::unexpected(Error::kNotMultistream));
  CHECK(error_of(messages({"/multistream/1.0.1"})) == std::unexpected(Error::kNotMultistream));
  CHECK(error_of(messages({"na"})) == std::unexpected(Error::kNotMultistream));
  CHECK(error_of(messages({kHeader, "/b"})) == std::unexpected(Error::kUnexpectedReply));
  CHECK(error_of(messages({kHeader, kHeader})) == std::unexpected(Error::kUnexpectedReply));
  CHECK(error_of(messages({kHeader, "nb"})) == std::unexpected(Error::kUnexpectedReply));
  CHECK(error_of(messages({kHeader, "/aa"})) == std::unexpected(Error::kUnexpectedReply));
  CHECK(error_of(messages({kHeader, ""})) == std::unexpected(Error::kUnexpectedReply));
  auto endless = messages({kHeader});
  base::append(endless, *base::from_hex("ffffffffffffffff"));
  CHECK(error_of(endless) == std::unexpected(Error::kUnexpectedReply));
}

TEST_CASE("negotiable protocols") {
  CHECK(valid_protocol("/a"));
  CHECK(valid_protocol(std::string(1023, 'a')));
  CHECK_FALSE(valid_protocol(std::string(1024, 'a')));
  CHECK_FALSE(valid_protocol(""));
  CHECK_FALSE(valid_protocol("/a\n"));
  CHECK_FALSE(valid_protocol("na"));
  CHECK_FALSE(valid_protocol("ls"));
}
