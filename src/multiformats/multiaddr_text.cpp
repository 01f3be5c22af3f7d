#include <ggen/p2p/multiformats/multiaddr.hpp>

#include "component_reader.hpp"
#include "value_codec.hpp"

namespace ggen::p2p::multiformats {
namespace {

using Kind = MultiaddrError::Kind;

std::unexpected<MultiaddrError> failure(Kind kind, std::size_t position, std::string_view component,
                                        const ProtocolInfo* protocol = nullptr) {
  return std::unexpected(MultiaddrError{kind, position, excerpt(component), protocol});
}

/// The text between the slash at `slash` and the next one.
std::string_view part_at(std::string_view text, std::size_t slash) {
  const std::string_view rest = text.substr(slash + 1);
  return rest.substr(0, rest.find('/'));
}

/// After a protocol without value, what is no protocol was probably meant as a value.
bool looks_like_value(const ProtocolInfo* previous, std::string_view name) {
  return previous != nullptr && !previous->has_value() && !name.empty() &&
         nearest_protocol_name(name).empty();
}

}  // namespace

std::expected<Multiaddr, MultiaddrError> Multiaddr::parse(std::string_view text) {
  if (text.size() > kMaxText) return failure(Kind::kTooLong, 0, text);
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return failure(Kind::kEmpty, 0, "");
  if (text.front() != '/') return failure(Kind::kNoLeadingSlash, 0, text.substr(0, text.find('/')));

  base::Bytes bytes;
  const ProtocolInfo* previous = nullptr;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t position = at;
    const std::string_view name = part_at(text, at);
    const ProtocolInfo* const info = find_protocol(name);
    if (info == nullptr) {
      if (looks_like_value(previous, name)) {
        return failure(Kind::kUnexpectedValue, position, name, previous);
      }
      return failure(Kind::kUnknownProtocol, position, name);
    }
    at += 1 + name.size();

    base::Bytes value;
    if (info->has_value()) {
      if (at == text.size()) return failure(Kind::kMissingValue, position, name, info);
      const std::string_view written = info->is_path() ? text.substr(at) : part_at(text, at);
      if (written.empty()) return failure(Kind::kMissingValue, position, name, info);
      auto parsed = parse_value(info->kind, written);
      if (!parsed) return failure(Kind::kInvalidValue, position, written, info);
      value = *std::move(parsed);
      at += written.size() + (info->is_path() ? 0 : 1);
    }
    append_component(bytes, *info, value);
    if (bytes.size() > kMaxBytes) return failure(Kind::kTooLong, position, name);
    previous = info;
  }
  return Multiaddr{std::move(bytes)};
}

std::string Multiaddr::to_string() const {
  std::string text;
  walk(bytes_, [&](const BinaryComponent& component, std::size_t) {
    text += '/';
    text += component.info->name;
    if (!component.info->has_value()) return true;
    if (!component.info->is_path()) text += '/';  // a path brings its own
    text += format_value(component.info->kind, component.value);
    return true;
  });
  return text;
}

}  // namespace ggen::p2p::multiformats
