#include <algorithm>

#include <ggen/p2p/multiformats/multiaddr.hpp>

#include "component_reader.hpp"
#include "value_codec.hpp"

namespace ggen::p2p::multiformats {
namespace {

constexpr std::size_t kMaxExcerpt = 64;

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string unknown_protocol(const MultiaddrError& error, const std::string& at) {
  if (error.component.empty()) return "a protocol name is missing" + at;
  const std::string_view nearest = nearest_protocol_name(error.component);
  std::string text = "unknown protocol " + quoted(error.component) + at;
  if (!nearest.empty()) return text + "; did you mean " + quoted(nearest) + "?";
  return text + "; it should be a registered one like ip4, dns, tcp or p2p";
}

}  // namespace

std::string excerpt(std::string_view component) {
  std::string text{component.substr(0, kMaxExcerpt)};
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string MultiaddrError::message() const {
  const std::string at = " at position " + std::to_string(position);
  const std::string_view wanted =
      protocol == nullptr ? std::string_view() : describe_value(protocol->kind);
  const std::string name = protocol == nullptr ? std::string() : std::string(protocol->name);
  switch (kind) {
    case Kind::kEmpty:
      return "the multiaddr is empty; it should look like /ip4/192.0.2.1/tcp/4001";
    case Kind::kNoLeadingSlash:
      return "a multiaddr starts with a slash, not with " + quoted(component) +
             "; it should look like /ip4/192.0.2.1/tcp/4001";
    case Kind::kUnknownProtocol:
      return unknown_protocol(*this, at);
    case Kind::kMissingValue:
      return quoted(component) + at + " has no value; it takes " + std::string(wanted);
    case Kind::kUnexpectedValue:
      return quoted(name) + " takes no value, but " + quoted(component) + " follows it" + at;
    case Kind::kInvalidValue:
      return quoted(name) + at + " does not take " + quoted(component) + "; it takes " +
             std::string(wanted);
    case Kind::kTruncated:
      return "the bytes end inside " + quoted(component) + at;
    case Kind::kNonMinimalVarint:
      return "the code or the length of " + quoted(component) + at +
             " is not a varint in its shortest form";
    case Kind::kTooLong:
      return "the multiaddr is longer than " + std::to_string(Multiaddr::kMaxBytes) + " bytes";
    case Kind::kAfterPath:
      return "something follows" + at + " after " + quoted(component) +
             ", which takes all the rest of a multiaddr";
  }
  return "unknown multiaddr error";
}

}  // namespace ggen::p2p::multiformats
