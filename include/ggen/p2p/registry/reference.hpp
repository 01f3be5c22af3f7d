#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/name.hpp>
#include <ggen/p2p/registry/range.hpp>

namespace ggen::p2p::registry {

/// A publisher as people write it: the id, or a petname, which means something only to the person
/// who gave it. A text that is a valid peer id is never a petname.
using PublisherName = std::variant<multiformats::PeerId, Name>;
[[nodiscard]] std::expected<PublisherName, std::string> parse_publisher(std::string_view text);
[[nodiscard]] std::string to_string(const PublisherName& publisher);

/// What people type to name a release: `[publisher/]name[@range]`.
struct Reference {
  std::optional<PublisherName> publisher;
  Name name;
  Range range{};

  /// Longer texts are refused unread.
  static constexpr std::size_t kMaxBytes = 1024;

  /// The error is one sentence for a person: it names the part at fault, and what would be valid.
  [[nodiscard]] static std::expected<Reference, std::string> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  bool operator==(const Reference&) const = default;
};

}  // namespace ggen::p2p::registry
