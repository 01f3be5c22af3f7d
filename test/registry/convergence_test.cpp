// Random histories of a publisher and of a thief of its keys, delivered to logs in random orders.

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/registry/publisher_log.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

const LogSigner kSigner;

struct History {
  std::vector<Entry> honest;
  std::vector<Entry> stolen;  // the thief's branch
  bool era_closed = false;    // the publisher changed keys after the thief had branched off
  std::uint64_t fork = 0;     // number of the first stolen entry
};

EntryBody any_body(base::Prng& prng) {
  const Name package = name(prng.below(2) == 0 ? "a" : "b");
  const Version release = version("0.0." + std::to_string(prng.below(4)));
  switch (prng.below(5)) {
    case 0:
      return Yank{package, release, "broken"};
    case 1:
      return Unyank{package, release};
    case 2:
      return Deprecate{package, std::nullopt, prng.below(2) == 0 ? "old" : ""};
    default:
      return publish(package.text(), release.text(), static_cast<std::uint8_t>(prng.below(200)));
  }
}

// The publisher's entries; its keys are 1, 2, 3, ... one after the other.
History any_history(base::Prng& prng, bool with_thief) {
  History history;
  history.honest = {kSigner.first(2)};
  std::vector<std::uint8_t> signer = {1};  // of an ordinary entry after each
  const std::size_t size = 2 + prng.below(12);
  while (history.honest.size() < size) {
    const Entry& last = history.honest.back();
    const std::uint8_t key = signer.back();
    const bool rotates = prng.below(4) == 0;
    const auto next = static_cast<std::uint8_t>(key + 1);
    history.honest.push_back(rotates
                                 ? kSigner.rotate(last, next, static_cast<std::uint8_t>(next + 1))
                                 : kSigner.after(last, key, any_body(prng)));
    signer.push_back(rotates ? next : key);
  }
  if (!with_thief) return history;
  history.fork = 1 + prng.below(size - 1);
  const std::uint8_t key = signer[history.fork - 1];
  history.era_closed = signer.back() != key;
  const std::size_t count = 1 + prng.below(8);
  while (history.stolen.size() < count) {
    const Entry& last =
        history.stolen.empty() ? history.honest[history.fork - 1] : history.stolen.back();
    history.stolen.push_back(kSigner.after(last, key, any_body(prng), 77));
  }
  return history;
}

struct Mirror {
  std::vector<EntryId> chain;  // what a journal and an index would hold, kept by Added alone
  Releases releases;

  void follow(const Added& added) {
    if (added.dropped_from) {
      chain.resize(std::min<std::size_t>(chain.size(), *added.dropped_from));
      releases.truncate(*added.dropped_from);
    }
    for (const Entry& entry : added.accepted) {
      REQUIRE(entry.statement.seq == chain.size());
      chain.push_back(entry.id);
      releases.apply(entry);
    }
  }
};

// Delivers everything in random order again and again, as gossip and sync do, until nothing
// changes.
PublisherLog deliver(std::vector<Entry> entries, base::Prng& prng, const LogLimits& limits) {
  PublisherLog log(kSigner.id(), limits);
  Mirror mirror;
  for (int quiet = 0; quiet < 12;) {
    prng.shuffle(entries);
    ++quiet;
    for (const Entry& entry : entries) {
      const Added added = log.add(entry);
      mirror.follow(added);
      if (!added.accepted.empty() || added.fork_found) quiet = 0;
    }
  }
  CHECK(mirror.chain.size() == log.size());
  for (std::size_t i = 0; i < mirror.chain.size(); ++i) CHECK(log.entry(i) == mirror.chain[i]);
  CHECK(mirror.releases == log.releases());
  return log;
}

LogLimits any_limits(base::Prng& prng) {
  return prng.below(2) == 0 ? LogLimits{} : LogLimits{.max_pending = 2, .max_wanted = 2};
}

}  // namespace

TEST_CASE("log: one history gives one log, whatever the order of delivery") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    base::Prng prng(seed);
    const History history = any_history(prng, false);
    const PublisherLog log = deliver(history.honest, prng, any_limits(prng));
    CHECK(log.head() == Head{history.honest.size() - 1, history.honest.back().id});
    CHECK_FALSE(log.fork());
    CHECK(log.waiting_bytes() == 0);
    Releases expected;
    for (const Entry& entry : history.honest) expected.apply(entry);
    CHECK(log.releases() == expected);
  }
}

TEST_CASE("log: a second history is always found out, and one closed by new keys always loses") {
  int closed = 0;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    base::Prng prng(1000 + seed);
    const History history = any_history(prng, true);
    std::vector<Entry> all = history.honest;
    all.insert(all.end(), history.stolen.begin(), history.stolen.end());
    for (int order = 0; order < 3; ++order) {
      CAPTURE(order);
      const PublisherLog log = deliver(all, prng, any_limits(prng));
      REQUIRE(log.fork());
      if (history.era_closed) {
        CHECK_FALSE(log.is_frozen());
        CHECK(log.head() == Head{history.honest.size() - 1, history.honest.back().id});
        Releases expected;
        for (const Entry& entry : history.honest) expected.apply(entry);
        CHECK(log.releases() == expected);
      } else {
        CHECK(log.is_frozen());
        CHECK(log.fork()->seq == history.fork);
        for (std::uint64_t seq = 0; seq < history.fork; ++seq) {
          CHECK(log.entry(seq) == history.honest[seq].id);
        }
        CHECK(Entry::open(test_crypto(), log.fork()->theirs_envelope.view()));
      }
    }
    closed += history.era_closed;
  }
  // Both ends were reached often.
  CHECK(closed > 20);
  CHECK(closed < 100);
}
