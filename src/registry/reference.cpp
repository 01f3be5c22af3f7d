#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/registry/reference.hpp>

#include "text.hpp"

namespace ggen::p2p::registry {

using multiformats::PeerId;

std::expected<PublisherName, std::string> parse_publisher(std::string_view text) {
  if (const auto id = PeerId::parse(text)) return *id;
  auto petname = Name::parse(text);
  if (petname) return std::move(*petname);
  return std::unexpected(
      "the publisher " + quoted(text) +
      " is neither a peer id, such as 12D3KooW..., nor a petname: " + petname.error().message());
}

std::string to_string(const PublisherName& publisher) {
  return std::visit(base::Overloaded{[](const PeerId& id) { return id.to_string(); },
                                     [](const Name& petname) { return petname.text(); }},
                    publisher);
}

std::expected<Reference, std::string> Reference::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return std::unexpected(quoted(text) + " is too long for a package");
  const std::size_t at = text.find('@');
  const std::string_view whole_name = text.substr(0, at);
  const std::size_t slash = whole_name.find('/');

  std::optional<PublisherName> publisher;
  if (slash != std::string_view::npos) {
    auto parsed = parse_publisher(whole_name.substr(0, slash));
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    publisher = std::move(*parsed);
  }
  auto name =
      Name::parse(slash == std::string_view::npos ? whole_name : whole_name.substr(slash + 1));
  if (!name) return std::unexpected(name.error().message());
  if (at == std::string_view::npos) return Reference{std::move(publisher), std::move(*name)};
  auto range = Range::parse(text.substr(at + 1));
  if (!range) return std::unexpected(range.error().message());
  return Reference{std::move(publisher), std::move(*name), std::move(*range)};
}

std::string Reference::text() const {
  std::string text = publisher ? to_string(*publisher) + '/' : std::string();
  text += name.text();
  if (!range.text().empty()) text += '@' + range.text();
  return text;
}

}  // namespace ggen::p2p::registry
