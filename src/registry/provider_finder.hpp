#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>

#include "context.hpp"
#include "fetcher.hpp"

namespace ggen::p2p::registry {

/// Finds out who holds an archive that is being fetched: asks the DHT, and names connected peers
/// that may hold it; again and again while the fetch knows nobody who does, and now and then while
/// it could do with more, since those who fetch the same become holders meanwhile. A release is
/// heard of within a second, and its provider record may need twenty to be where others look.
///
/// The first look ends with as many as a fetch can use: what many want, the same few peers of the
/// DHT are asked for. If none of these holds it, the next looks collect all there are, since who
/// lies may have been the first to answer.
class ProviderFinder {
 public:
  /// Before the DHT is asked again; then twice as long, at most kMaxPause.
  static constexpr base::Duration kPause = std::chrono::seconds{1};
  static constexpr base::Duration kMaxPause = std::chrono::seconds{16};
  /// Providers that the first look is content with.
  static constexpr std::size_t kEnough = 20;
  /// Archives of which it is known who told of their release.
  static constexpr std::size_t kMaxHeard = 1024;

  ProviderFinder(Context& context, Fetcher& fetcher) : context_(context), fetcher_(fetcher) {}

  /// A connected peer speaks the fetch protocol.
  void peer_speaks(const multiformats::PeerId& peer) { speakers_.insert(peer); }
  void peer_gone(const multiformats::PeerId& peer) { speakers_.erase(peer); }
  /// Who told of a release, and who published it, may hold its archive.
  void heard(const event::EntryAdded& added);

  void find(const Archive& archive, base::Instant now);

  // True when it was about a query of this object.
  bool handle(const kad::ProvidersFound& found, base::Instant now);
  bool handle(const kad::QueryDone& done, base::Instant now);

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  struct Search {
    std::optional<kad::QueryId> query{};  // under way
    base::Instant next{};                 // when not
    base::Duration pause = kPause;
    std::size_t limit = kEnough;          // providers that the next query is to find
  };

  void ask(const crypto::Sha256Digest& root, Search& search, base::Instant now);
  void wait(Search& search, base::Instant now);
  [[nodiscard]] std::vector<multiformats::PeerId> guesses(const crypto::Sha256Digest& root) const;
  void forget_ended();

  Context& context_;
  Fetcher& fetcher_;
  std::set<multiformats::PeerId> speakers_;
  std::map<crypto::Sha256Digest, std::vector<multiformats::PeerId>> heard_;
  base::Fifo<crypto::Sha256Digest> heard_order_;
  std::map<crypto::Sha256Digest, Search> searches_;
  std::map<kad::QueryId, crypto::Sha256Digest> queries_;
};

}  // namespace ggen::p2p::registry
