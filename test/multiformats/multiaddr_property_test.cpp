#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;

namespace {

using rc::gen::arbitrary;

base::Bytes bytes_of_text(const std::string& text) {
  return base::to_bytes(base::as_bytes(text));
}

rc::Gen<base::Bytes> bytes_between(std::size_t least, std::size_t most) {
  return rc::gen::mapcat(rc::gen::inRange(least, most + 1), [](std::size_t size) {
    return rc::gen::container<base::Bytes>(size, arbitrary<std::uint8_t>());
  });
}

rc::Gen<std::string> name() {
  return rc::gen::nonEmpty(
      rc::gen::resize(30, rc::gen::container<std::string>(
                              rc::gen::oneOf(rc::gen::inRange('a', static_cast<char>('z' + 1)),
                                             rc::gen::elementOf(std::string("-.%:_0"))))));
}

base::Bytes multihash(std::uint64_t code, const base::Bytes& digest) {
  base::Bytes bytes;
  base::append_varint(bytes, code);
  base::append_varint(bytes, digest.size());
  base::append(bytes, digest);
  return bytes;
}

rc::Gen<base::Bytes> peer_id() {
  return rc::gen::oneOf(
      rc::gen::map(bytes_between(0, 42), [](base::Bytes key) { return multihash(0, key); }),
      rc::gen::map(bytes_between(32, 32), [](base::Bytes hash) { return multihash(0x12, hash); }));
}

/// `name_size` bytes and a port that is not 0.
rc::Gen<base::Bytes> onion(std::size_t name_size) {
  return rc::gen::map(bytes_between(name_size + 2, name_size + 2), [](base::Bytes value) {
    value.back() |= 1;
    return value;
  });
}

rc::Gen<base::Bytes> value_of(const ProtocolInfo& info) {
  switch (info.kind) {
    case ValueKind::kNone:
    case ValueKind::kIp4:
    case ValueKind::kIp6:
    case ValueKind::kPrefixLength:
    case ValueKind::kPort:
    case ValueKind::kUint64: {
      const auto size = static_cast<std::size_t>(info.size_bits) / 8;
      return bytes_between(size, size);
    }
    case ValueKind::kIp6Zone:
    case ValueKind::kDnsName:
      return rc::gen::map(name(), bytes_of_text);
    case ValueKind::kPath:
      return rc::gen::map(name(),
                          [](const std::string& text) { return bytes_of_text("/" + text); });
    case ValueKind::kPeerId:
      return peer_id();
    case ValueKind::kOnion:
      return onion(10);
    case ValueKind::kOnion3:
      return onion(35);
    case ValueKind::kGarlic64:
      return bytes_between(386, 400);
    case ValueKind::kGarlic32:
      return rc::gen::oneOf(bytes_between(32, 32), bytes_between(35, 60));
    case ValueKind::kCerthash:
      return rc::gen::map(rc::gen::pair(rc::gen::inRange<std::uint64_t>(0, base::kMaxVarint),
                                        bytes_between(0, 128)),
                          [](const auto& hash) { return multihash(hash.first, hash.second); });
    case ValueKind::kHttpPath:
      return bytes_between(1, 40);
  }
  return rc::gen::just(base::Bytes{});
}

/// The bytes of valid components, of which only the last may be a path.
base::Bytes random_address() {
  base::Bytes bytes;
  const auto count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    const std::size_t index = *rc::gen::inRange<std::size_t>(0, registered_protocols().size());
    const ProtocolInfo& info = registered_protocols()[index];
    const base::Bytes value = *value_of(info);
    if (bytes.size() + value.size() + 8 > Multiaddr::kMaxBytes) break;
    base::append_varint(bytes, static_cast<std::uint64_t>(info.code));
    if (info.size_bits == ProtocolInfo::kVariable) base::append_varint(bytes, value.size());
    base::append(bytes, value);
    if (info.is_path()) break;
  }
  return bytes;
}

/// What must hold of every multiaddr, wherever it came from.
void check_round_trips(const Multiaddr& address) {
  const auto decoded = Multiaddr::decode(address.bytes());
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == address);
  const auto parsed = Multiaddr::parse(address.to_string());
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == address);
}

}  // namespace

TEST_CASE("multiaddr property: random components survive binary and text") {
  CHECK(rc::check([] {
    const base::Bytes bytes = random_address();
    const auto decoded = Multiaddr::decode(bytes);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(base::equal(decoded->bytes(), bytes));
    check_round_trips(*decoded);
  }));
}

TEST_CASE("multiaddr property: cutting or changing an address never breaks the decoder") {
  CHECK(rc::check([] {
    base::Bytes bytes = random_address();
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *arbitrary<std::uint8_t>();
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
    const auto decoded = Multiaddr::decode(bytes);
    if (decoded) {
      check_round_trips(*decoded);
    } else {
      RC_ASSERT(decoded.error().position <= bytes.size());
      RC_ASSERT(decoded.error().component.size() <= 64);
      RC_ASSERT(!decoded.error().message().empty());
    }
  }));
}

TEST_CASE("multiaddr property: any text is an address or an error with a place") {
  CHECK(rc::check([] {
    // Words that lead deep into the parser, between bytes that lead nowhere.
    const auto part = rc::gen::oneOf(
        rc::gen::map(rc::gen::inRange<std::size_t>(0, registered_protocols().size()),
                     [](std::size_t i) { return std::string(registered_protocols()[i].name); }),
        rc::gen::elementOf(std::vector<std::string>{"1.2.3.4", "::1", "80", "a", "", "QmX", "u"}),
        arbitrary<std::string>());
    std::string text;
    for (const std::string& word : *rc::gen::container<std::vector<std::string>>(part)) {
      text += "/" + word;
    }
    const auto parsed = Multiaddr::parse(text);
    if (parsed) {
      check_round_trips(*parsed);
    } else {
      RC_ASSERT(parsed.error().position <= text.size());
      RC_ASSERT(!parsed.error().message().empty());
    }
  }));
}
