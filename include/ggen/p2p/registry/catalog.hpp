#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/publisher_log.hpp>
#include <ggen/p2p/registry/reference.hpp>

/// All logs that a node holds, whose they are, and what a name means here.
namespace ggen::p2p::registry {

struct CatalogLimits {
  LogLimits log{};  ///< of each publisher
  /// Publishers that are not pinned. Keys are free, so that anybody can make any number of them:
  /// beyond this the one goes that was of no use for the longest time.
  std::size_t max_publishers = 10'000;
  /// Bytes of the envelopes of publishers that are not pinned. Beyond this publishers go likewise.
  std::size_t max_bytes = 512 * 1024 * 1024;
  /// Bytes of entries that wait for others, of all publishers. Beyond this nothing waits: sync
  /// brings it again.
  std::size_t max_waiting_bytes = 32 * 1024 * 1024;
};

/// What an entry brought about, and which logs went to make room.
struct CatalogAdded {
  Added added;
  /// Their entries may be deleted, and must not be shown any more.
  std::vector<multiformats::PeerId> evicted{};
};

/// A release that a reference means.
struct Resolved {
  multiformats::PeerId publisher;
  Name name;
  Release release;
  /// Why whoever installs it should be told off; empty otherwise.
  std::string deprecated{};
  /// The publisher is pinned or was named. Otherwise it is the only one with such a package here:
  /// say who it is.
  bool trusted = false;
};

/// Why a reference means no release.
struct ResolveError {
  enum class Reason {
    kUnknownPublisher,  ///< a petname that nobody was given, or a publisher of whom nothing is here
    kUnknownPackage,
    kNoVersion,     ///< no release is in the range: `choices` holds the newest ones
    kYanked,        ///< all that are in the range were withdrawn; `detail` says why
    kAmbiguous,     ///< several publishers have such a package: `choices` holds what to type
    kEquivocation,  ///< the publisher signed two histories: nothing of it is installed until it
                    ///< chose
  };
  Reason reason{};
  std::string asked{};   ///< the reference
  std::string detail{};  ///< what the publisher said, in quotes; may be empty
  std::vector<std::string> choices{};
  /// One sentence for a person.
  [[nodiscard]] std::string message() const;
};

/// Publishers that somebody here decided about are *pinned*: never evicted, and preferred when a
/// name is typed without publisher. A petname is a name for one of them. Not thread-safe.
class Catalog {
 public:
  explicit Catalog(CatalogLimits limits = {});

  CatalogAdded add(Entry entry);
  /// Like add(), for what the journal holds: nobody goes to make room, since the journal says who
  /// went, and uses (which it does not hold) would choose otherwise.
  Added restore(Entry entry);
  /// Drops a publisher's log; nothing happens when there is none.
  void evict(const multiformats::PeerId& publisher);
  /// Lets publishers go until the rest is within the limits; says which. After restore().
  std::vector<multiformats::PeerId> make_room();

  /// Pins a publisher, whether or not anything of it is here.
  void pin(const multiformats::PeerId& publisher);
  void unpin(const multiformats::PeerId& publisher);
  [[nodiscard]] bool is_pinned(const multiformats::PeerId& publisher) const;
  /// Gives a publisher a petname, in place of what had it before; pins it. False, and nothing
  /// happens, when the text of the petname is a peer id.
  bool set_petname(const Name& petname, const multiformats::PeerId& publisher);
  void remove_petname(const Name& petname);
  [[nodiscard]] const std::map<Name, multiformats::PeerId>& petnames() const noexcept {
    return petnames_;
  }

  /// The release that a reference means: the newest in its range that was not withdrawn. Without
  /// publisher, that of the one pinned publisher that has the package; when none has, that of the
  /// only publisher. It never chooses among several.
  [[nodiscard]] std::expected<Resolved, ResolveError> resolve(const Reference& reference) const;
  /// Says that somebody here used a publisher's package: it goes after all of no use.
  void used(const multiformats::PeerId& publisher);

  /// Null when nothing of the publisher is here.
  [[nodiscard]] const PublisherLog* log(const multiformats::PeerId& publisher) const;
  [[nodiscard]] std::vector<multiformats::PeerId> publishers_of(const Name& name) const;
  struct PublisherHead {
    multiformats::PeerId publisher;
    Head head;
    /// The log has a fork, settled or not: its proof can be asked for.
    bool forked = false;
    bool operator==(const PublisherHead&) const = default;
  };
  /// Heads of logs in the order of the publishers' ids, from the first one above `after`.
  [[nodiscard]] std::vector<PublisherHead> heads(const std::optional<multiformats::PeerId>& after,
                                                 std::size_t limit) const;
  [[nodiscard]] std::size_t size() const noexcept { return logs_.size(); }
  /// Bytes of envelopes, of pinned publishers too.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  // The order in which publishers go: those that nobody here used first, then by the time of the
  // last use or entry.
  using Rank = std::pair<bool, std::uint64_t>;
  struct Held {
    Held(const multiformats::PeerId& publisher, const LogLimits& limits) : log(publisher, limits) {}
    PublisherLog log;
    Rank rank{};
    std::set<Name> names{};  // of the log that stand in names_
  };

  void touch(const multiformats::PeerId& publisher, Held& held, bool used);
  void count(const Held& held, bool add);
  void index(const multiformats::PeerId& publisher, Held& held, const Added& added);
  void remove_name(const Name& name, const multiformats::PeerId& publisher);
  [[nodiscard]] std::expected<Resolved, ResolveError> newest(const Reference& reference,
                                                             const multiformats::PeerId& publisher,
                                                             bool trusted) const;
  [[nodiscard]] std::string shortest(const multiformats::PeerId& publisher,
                                     const Reference& reference) const;

  CatalogLimits limits_;
  std::map<multiformats::PeerId, Held> logs_;
  // Those that may go, first the one that goes first.
  std::map<Rank, multiformats::PeerId> order_;
  std::uint64_t touches_ = 0;
  std::map<Name, std::set<multiformats::PeerId>> names_;
  std::set<multiformats::PeerId> pinned_;
  std::map<Name, multiformats::PeerId> petnames_;
  std::size_t bytes_ = 0;
  std::size_t evictable_bytes_ = 0;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace ggen::p2p::registry
