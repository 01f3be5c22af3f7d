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

/// A component in a multiaddr's text.
struct TextComponent {
  const ProtocolInfo* info = nullptr;
  base::Bytes value;
  std::size_t end = 0;  ///< where the slash of the next component is
};

/// Reads the component whose slash is at `position`; `previous` is the one before it.
std::expected<TextComponent, MultiaddrError> read_component(std::string_view text,
                                                            std::size_t position,
                                                            const ProtocolInfo* previous) {
  const std::string_view name = part_at(text, position);
  const ProtocolInfo* const info = find_protocol(name);
  if (info == nullptr && looks_like_value(previous, name)) {
    return failure(Kind::kUnexpectedValue, position, name, previous);
  }
  if (info == nullptr) return failure(Kind::kUnknownProtocol, position, name);

  const std::size_t after_name = position + 1 + name.size();
  if (!info->has_value()) return TextComponent{info, {}, after_name};

  // A path takes all the rest, beginning with the slash after the name.
  const std::string_view rest = text.substr(after_name);
  const std::string_view written = info->is_path() || rest.empty() ? rest : part_at(rest, 0);
  if (written.empty()) return failure(Kind::kMissingValue, position, name, info);
  auto value = parse_value(info->kind, written);
  if (!value) return failure(Kind::kInvalidValue, position, written, info);
  return TextComponent{info, *std::move(value),
                       after_name + written.size() + (info->is_path() ? 0 : 1)};
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
    const auto component = read_component(text, at, previous);
    if (!component) return std::unexpected(component.error());
    append_component(bytes, *component->info, component->value);
    if (bytes.size() > kMaxBytes) {
      return failure(Kind::kTooLong, at, component->info->name);
    }
    previous = component->info;
    at = component->end;
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
