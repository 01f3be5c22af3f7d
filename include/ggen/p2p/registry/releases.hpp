#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/entry.hpp>
#include <ggen/p2p/registry/entry_id.hpp>
#include <ggen/p2p/registry/name.hpp>
#include <ggen/p2p/registry/version.hpp>

namespace ggen::p2p::registry {

/// Something that entries turn on, with a reason, and off again. It remembers how it came about, so
/// that entries can be taken back.
class Mark {
 public:
  [[nodiscard]] bool is_on() const noexcept { return !changes_.empty() && changes_.back().on; }
  /// Empty when it is off, or when none was given.
  [[nodiscard]] const std::string& reason() const noexcept;

  void set(std::uint64_t seq, bool on, std::string reason);
  /// Takes back what entries from `seq` on did.
  void truncate(std::uint64_t seq);

  bool operator==(const Mark&) const = default;

 private:
  struct Change {
    std::uint64_t seq = 0;
    bool on = false;
    std::string reason;
    bool operator==(const Change&) const = default;
  };
  std::vector<Change> changes_;
};

struct Release {
  EntryId entry;  ///< the publish entry: what else it says stands there
  std::uint64_t seq = 0;
  Version version;
  Archive archive;
  Mark yank{};
  Mark deprecation{};

  bool operator==(const Release&) const = default;
};

struct Package {
  std::map<Version, Release> releases;
  Mark deprecation{};  ///< of the whole package

  bool operator==(const Package&) const = default;
};

/// What the entries of one log amount to: its packages and the state of each release.
///
/// An entry without sense has no effect: a second publish of a name and version, a word about a
/// release or package that there is not, an unyank of what is not yanked.
class Releases {
 public:
  /// The next entry of the log.
  void apply(const Entry& entry);
  /// Takes back the entries from `seq` on.
  void truncate(std::uint64_t seq);

  /// In the order of their names. A package has at least one release.
  [[nodiscard]] const std::map<Name, Package>& packages() const noexcept { return packages_; }
  /// Null when there is none.
  [[nodiscard]] const Package* package(const Name& name) const;
  [[nodiscard]] const Release* release(const Name& name, const Version& version) const;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  bool operator==(const Releases&) const = default;

 private:
  [[nodiscard]] Release* find(const Name& name, const Version& version);

  void apply_body(const Entry& entry, const Publish& publish);
  void apply_body(const Entry& entry, const Yank& yank);
  void apply_body(const Entry& entry, const Unyank& unyank);
  void apply_body(const Entry& entry, const Deprecate& deprecate);
  void apply_body(const Entry&, const Keys&) {}

  std::map<Name, Package> packages_;
  std::size_t size_ = 0;  // of all releases
};

}  // namespace ggen::p2p::registry
