#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/registry/search.hpp>

#include "context.hpp"
#include "ledger.hpp"

namespace ggen::p2p::registry {

/// The release of a package that a search shows: the newest that was not withdrawn and stands in no
/// doubt, a prerelease only when there is nothing else. Null when there is none.
[[nodiscard]] const Release* newest_release(const PublisherLog& log, const Name& name);

/// Asks the own index, and looks up in catalog and store what it found. One question at a time: the
/// index answers no two at once, and those that wait for it would keep all threads of the disk
/// from chunks and entries. Whoever asks has a limit of its own.
class LocalSearch {
 public:
  struct Found {
    multiformats::PeerId publisher;
    Release release;
    std::string deprecated{};
    base::Buffer envelope;  ///< of the release's entry
  };
  /// Best match first.
  using Then = std::move_only_function<void(std::vector<Found> found, base::Instant now)>;

  LocalSearch(Context& context, const Ledger& ledger) : context_(context), ledger_(ledger) {}

  void run(const SearchRequest& request, Then then);

 private:
  struct Question {
    SearchRequest request;
    Then then;
  };

  void ask_next();
  void read(store::Matches matches, Then then, base::Instant now);

  Context& context_;
  const Ledger& ledger_;
  base::Fifo<Question> waiting_;
  bool asking_ = false;
};

}  // namespace ggen::p2p::registry
