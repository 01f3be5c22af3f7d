#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/multistream/listener.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::multistream;

namespace {

const std::vector<std::string> kSupported = {"/a", "/b/1.0.0"};

base::Bytes with_header(std::string_view hex) {
  auto bytes = messages({kHeader});
  base::append(bytes, *base::from_hex(hex));
  return bytes;
}

std::expected<std::size_t, Error> receive(base::BytesView bytes) {
  Listener listener;
  return listener.receive(bytes, kSupported);
}

}  // namespace

TEST_CASE("listener: header and proposal together get one answer") {
  Listener listener;
  CHECK(listener.pending().empty());
  CHECK(listener.receive(messages({kHeader, "/a"}), kSupported) == 24);
  CHECK(listener.negotiated() == "/a");
  CHECK(drain(listener) == text_of(messages({kHeader, "/a"})));
  CHECK(listener.pending().empty());
  CHECK(listener.negotiated() == "/a");
}

TEST_CASE("listener: a header that comes alone is answered at once") {
  Listener listener;
  REQUIRE(listener.receive(messages({kHeader}), kSupported));
  CHECK(drain(listener) == text_of(messages({kHeader})));
  REQUIRE(listener.receive(messages({"/b/1.0.0"}), kSupported));
  CHECK(listener.negotiated() == "/b/1.0.0");
  CHECK(drain(listener) == text_of(messages({"/b/1.0.0"})));
}

TEST_CASE("listener: what it does not speak is not available") {
  Listener listener;
  REQUIRE(listener.receive(messages({kHeader, "/c", "", "/multistream/1.0.0", "/A", "/a "}),
                           kSupported));
  CHECK(drain(listener) == text_of(messages({kHeader, "na", "na", "na", "na", "na"})));
  CHECK_FALSE(listener.negotiated());
  REQUIRE(listener.receive(messages({"/a"}), kSupported));
  CHECK(listener.negotiated() == "/a");
}

TEST_CASE("listener: data behind the proposal is left alone") {
  Listener listener;
  auto bytes = messages({kHeader, "/a"});
  base::append(bytes, base::as_bytes("data"));
  CHECK(listener.receive(bytes, kSupported) == bytes.size() - 4);
  CHECK(listener.receive(base::as_bytes("data"), kSupported) == 0);
  CHECK(listener.negotiated() == "/a");
}

TEST_CASE("listener: it goes by what is supported when the proposal is complete") {
  Listener listener;
  const auto bytes = messages({kHeader, "/new"});
  REQUIRE(listener.receive(base::BytesView(bytes).first(23), kSupported));
  REQUIRE(listener.receive(base::BytesView(bytes).subspan(23), std::vector<std::string>{"/new"}));
  CHECK(listener.negotiated() == "/new");
}

TEST_CASE("listener: the list of protocols, once") {
  Listener listener;
  REQUIRE(listener.receive(messages({kHeader, "ls"}), kSupported));
  const std::string list = "\x0f\x03/a\n\x09/b/1.0.0\n\n";
  CHECK(drain(listener) == text_of(messages({kHeader})) + list);
  REQUIRE(listener.receive(messages({"ls", "ls"}), kSupported));
  CHECK(drain(listener) == text_of(messages({"na", "na"})));
  REQUIRE(listener.receive(messages({"/a"}), kSupported));
  CHECK(listener.negotiated() == "/a");
}

TEST_CASE("listener: a long list is cut at a whole protocol") {
  Listener listener;
  const std::vector<std::string> many(1000, std::string(1000, 'p'));
  REQUIRE(listener.receive(messages({kHeader, "ls"}), many));
  listener.sent(messages({kHeader}).size());
  const auto size = base::decode_varint(listener.pending());
  REQUIRE(size);
  CHECK(size->value == 16 * 1003 + 1);
  CHECK(listener.pending().size() == size->size + size->value);
  CHECK(listener.pending().back() == '\n');
}

TEST_CASE("listener: dialers that never come to an end") {
  Listener listener(ListenerConfig{.max_proposals = 3});
  REQUIRE(listener.receive(messages({kHeader, "/x", "/y", "/z"}), kSupported));
  CHECK(listener.receive(messages({"/a"}), kSupported) ==
        std::unexpected(Error::kTooManyProposals));
  CHECK_FALSE(listener.negotiated());

  Listener by_default;
  REQUIRE(by_default.receive(messages({kHeader}), kSupported));
  for (int i = 0; i < 64; ++i) REQUIRE(by_default.receive(messages({"ls"}), kSupported));
  CHECK(by_default.pending().size() < 20 * 1024);
  CHECK(by_default.receive(messages({"ls"}), kSupported) ==
        std::unexpected(Error::kTooManyProposals));
}

TEST_CASE("listener: messages of 1024 bytes and no more") {
  const auto longest = std::string(1023, 'p');
  Listener listener;
  REQUIRE(listener.receive(messages({kHeader, longest}), std::vector<std::string>{longest}));
  CHECK(listener.negotiated() == longest);
  // The length alone decides: nothing of the text has come.
  CHECK(receive(with_header("8008")));
  CHECK(receive(with_header("8108")) == std::unexpected(Error::kTooLong));
  CHECK(receive(with_header("8080")) == std::unexpected(Error::kTooLong));
  CHECK(receive(with_header("ffffffffffffffff7f")) == std::unexpected(Error::kTooLong));
}

TEST_CASE("listener: malformed messages") {
  CHECK(receive(with_header("00")) == std::unexpected(Error::kMalformed));
  CHECK(receive(with_header("8000")) == std::unexpected(Error::kMalformed));
  CHECK(receive(with_header("032f6162")) == std::unexpected(Error::kMalformed));
  for (const char* other : {"GET / HTTP/1.1\r\n", "\x16\x03\x01", "\x13/multistream/1.0.1\n"}) {
    CAPTURE(other);
    CHECK(receive(base::as_bytes(other)) == std::unexpected(Error::kNotMultistream));
  }
  CHECK(receive(messages({"/a"})) == std::unexpected(Error::kNotMultistream));
}

TEST_CASE("listener: the data of a dialer that did not wait for its refusal") {
  Listener listener;
  auto bytes = messages({kHeader, "/unknown"});
  base::append(bytes, base::as_bytes("\x05hello"));
  CHECK(listener.receive(bytes, kSupported) == std::unexpected(Error::kRefused));
  CHECK(drain(listener) == text_of(messages({kHeader, "na"})));
  CHECK(listener.receive(messages({"/a"}), kSupported) == std::unexpected(Error::kRefused));
  CHECK_FALSE(listener.negotiated());
}

TEST_CASE("listener: the output can be taken in pieces while more is added") {
  Listener listener;
  REQUIRE(listener.receive(messages({kHeader, "/x"}), kSupported));
  std::string text(base::as_text(listener.pending().first(10)));
  listener.sent(10);
  REQUIRE(listener.receive(messages({"/a"}), kSupported));
  while (!listener.pending().empty()) {
    text += base::as_text(listener.pending().first(1));
    listener.sent(1);
  }
  CHECK(text == text_of(messages({kHeader, "na", "/a"})));
  CHECK(listener.negotiated() == "/a");
}
