#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/registry/catalog.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;
using Reason = ResolveError::Reason;

namespace {

// A publisher with the key `seed`, which announces `seed` + 100; adds its entries to a catalog.
struct Author {
  explicit Author(std::uint8_t seed)
      : signer{seed}, last(signer.first(static_cast<std::uint8_t>(seed + 100))) {}

  CatalogAdded start(Catalog& catalog) { return catalog.add(last); }
  CatalogAdded say(Catalog& catalog, EntryBody body) {
    last = signer.after(last, signer.publisher, std::move(body));
    return catalog.add(last);
  }
  void release(Catalog& catalog, std::string_view package, std::string_view release) {
    say(catalog, publish(package, release));
  }
  [[nodiscard]] multiformats::PeerId id() const { return signer.id(); }

  LogSigner signer;
  Entry last;
};

std::expected<Resolved, ResolveError> resolve(const Catalog& catalog, const std::string& text) {
  return catalog.resolve(Reference::parse(text).value());
}

std::string resolved(const Catalog& catalog, const std::string& text) {
  const auto found = resolve(catalog, text);
  return found ? found->release.version.text() : "";
}

Reason refused(const Catalog& catalog, const std::string& text) {
  const auto found = resolve(catalog, text);
  REQUIRE_FALSE(found);
  CHECK_FALSE(found.error().message().empty());
  return found.error().reason;
}

}  // namespace

TEST_CASE("catalog: the newest release in the range that was not withdrawn") {
  Catalog catalog;
  Author ada(1);
  ada.start(catalog);
  for (const char* each : {"1.0.0", "1.2.0", "2.0.0", "1.1.0", "3.0.0-rc.1"}) {
    ada.release(catalog, "pad", each);
  }
  const std::string id = ada.id().to_string();
  CHECK(resolved(catalog, id + "/pad") == "2.0.0");
  CHECK(resolved(catalog, id + "/pad@^1") == "1.2.0");
  CHECK(resolved(catalog, id + "/pad@3.0.0-rc.1") == "3.0.0-rc.1");
  ada.say(catalog, Yank{name("pad"), version("2.0.0"), "it leaks"});
  CHECK(resolved(catalog, id + "/pad") == "1.2.0");
  const auto yanked = resolve(catalog, "pad@2.0.0");
  REQUIRE_FALSE(yanked);
  CHECK(yanked.error().reason == Reason::kYanked);
  CHECK(yanked.error().message() ==
        "What fits 'pad@2.0.0' was withdrawn by its publisher, who says 'it leaks': there are "
        "3.0.0-rc.1, 1.2.0, 1.1.0, 1.0.0");
  CHECK(refused(catalog, "pad@^4") == Reason::kNoVersion);
  CHECK(refused(catalog, id + "/other") == Reason::kUnknownPackage);
  CHECK(refused(catalog, "other") == Reason::kUnknownPackage);
  CHECK(refused(catalog, Author(2).id().to_string() + "/pad") == Reason::kUnknownPublisher);
  CHECK(refused(catalog, "nobody/pad") == Reason::kUnknownPublisher);
}

TEST_CASE("catalog: a deprecation comes with the release, its own before the package's") {
  Catalog catalog;
  Author ada(1);
  ada.start(catalog);
  ada.release(catalog, "pad", "1.0.0");
  CHECK(resolve(catalog, "pad")->deprecated.empty());
  ada.say(catalog, Deprecate{name("pad"), std::nullopt, "use tabs"});
  CHECK(resolve(catalog, "pad")->deprecated == "use tabs");
  ada.say(catalog, Deprecate{name("pad"), version("1.0.0"), "too slow"});
  CHECK(resolve(catalog, "pad")->deprecated == "too slow");
}

TEST_CASE("catalog: a bare name never chooses among publishers") {
  Catalog catalog;
  Author ada(1), bob(2), eve(3);
  for (Author* author : {&ada, &bob, &eve}) author->start(catalog);
  ada.release(catalog, "pad", "1.0.0");
  CHECK(resolve(catalog, "pad")->publisher == ada.id());
  CHECK_FALSE(resolve(catalog, "pad")->trusted);
  eve.release(catalog, "pad", "9.0.0");
  const auto ambiguous = resolve(catalog, "pad@>=1");
  REQUIRE_FALSE(ambiguous);
  CHECK(ambiguous.error().reason == Reason::kAmbiguous);
  REQUIRE(ambiguous.error().choices.size() == 2);
  for (const std::string& choice : ambiguous.error().choices) CHECK(resolve(catalog, choice));

  catalog.pin(ada.id());
  CHECK(resolve(catalog, "pad")->publisher == ada.id());
  CHECK(resolve(catalog, "pad")->trusted);
  bob.release(catalog, "pad", "2.0.0");
  REQUIRE(catalog.set_petname(name("bob"), bob.id()));
  CHECK(resolved(catalog, "bob/pad") == "2.0.0");
  // Two that somebody decided about: eve is not even offered.
  const auto pinned = resolve(catalog, "pad");
  REQUIRE_FALSE(pinned);
  CHECK(pinned.error().choices.size() == 2);
  CHECK(pinned.error().message().find("bob/pad") != std::string::npos);
  CHECK(pinned.error().message().find(eve.id().to_string()) == std::string::npos);
  catalog.unpin(bob.id());
  CHECK(refused(catalog, "bob/pad") == Reason::kUnknownPublisher);
  CHECK(resolve(catalog, "pad")->publisher == ada.id());
}

TEST_CASE("catalog: a petname cannot look like a peer id, and belongs to one publisher") {
  Catalog catalog;
  Author ada(1), bob(2);
  base::Bytes multihash(34, 7);
  multihash[0] = 0x12;
  multihash[1] = 0x20;
  const auto hashed = multiformats::PeerId::decode(multihash).value();
  CHECK_FALSE(catalog.set_petname(name(hashed.to_cid_string()), bob.id()));
  CHECK(catalog.petnames().empty());
  CHECK(catalog.set_petname(name("friend"), ada.id()));
  CHECK(catalog.set_petname(name("friend"), bob.id()));
  CHECK(catalog.petnames().at(name("friend")) == bob.id());
  catalog.remove_petname(name("friend"));
  CHECK(catalog.petnames().empty());
  CHECK(catalog.is_pinned(bob.id()));
}

TEST_CASE("catalog: nothing of a publisher with two histories is installed until it chose") {
  Catalog catalog;
  Author ada(1);
  ada.start(catalog);
  const Entry first = ada.last;
  ada.release(catalog, "pad", "1.0.0");
  const Entry evil = ada.signer.after(first, 1, publish("evil", "1.0.0"));
  CHECK(catalog.add(evil).added.outcome == AddOutcome::kEquivocation);
  CHECK(refused(catalog, "pad") == Reason::kEquivocation);
  // The next keys choose the other branch: names follow.
  CHECK(catalog.add(ada.signer.rotate(evil, 101, 150)).added.outcome == AddOutcome::kGap);
  const auto added = catalog.add(evil);
  CHECK(added.added.dropped_from == 1);
  CHECK(refused(catalog, "pad") == Reason::kUnknownPackage);
  CHECK(catalog.publishers_of(name("pad")).empty());
  CHECK(resolved(catalog, "evil") == "1.0.0");
}

TEST_CASE("catalog: a log begins with entry 0") {
  Catalog catalog;
  Author ada(1);
  const Entry first = ada.last;
  const auto later = ada.say(catalog, publish("pad", "1.0.0"));
  CHECK(later.added.outcome == AddOutcome::kGap);
  CHECK(later.added.wanted == SeqRange{0, 0});
  CHECK(catalog.size() == 0);
  CHECK(catalog.log(ada.id()) == nullptr);
  catalog.add(first);
  CHECK(catalog.add(ada.last).added.outcome == AddOutcome::kAccepted);
  CHECK(catalog.bytes() == first.envelope.size() + ada.last.envelope.size());
}

TEST_CASE("catalog: strangers' logs are bounded in number; pinned and used ones outlive the rest") {
  Catalog catalog({.max_publishers = 3});
  Author pinned(1), used(2), old(3);
  for (Author* author : {&pinned, &used, &old}) {
    author->start(catalog);
    author->release(catalog, "pad", "1.0.0");
  }
  catalog.pin(pinned.id());
  catalog.used(used.id());
  std::vector<multiformats::PeerId> evicted;
  for (std::uint8_t seed = 10; seed < 60; ++seed) {
    for (const auto& gone : Author(seed).start(catalog).evicted) evicted.push_back(gone);
  }
  CHECK(catalog.size() == 4);
  CHECK(catalog.log(pinned.id()) != nullptr);
  CHECK(catalog.log(used.id()) != nullptr);
  CHECK(catalog.log(old.id()) == nullptr);
  REQUIRE(evicted.size() == 49);
  CHECK(evicted.front() == old.id());
  CHECK(catalog.publishers_of(name("pad")).size() == 2);
  catalog.unpin(pinned.id());
  CHECK(Author(70).start(catalog).evicted.size() == 2);
  CHECK(catalog.log(pinned.id()) != nullptr);
}

TEST_CASE("catalog: strangers' logs are bounded in bytes; pinned ones do not count") {
  const std::size_t one = Author(1).last.envelope.size();
  Catalog catalog({.max_bytes = 4 * one});
  for (std::uint8_t seed = 1; seed <= 20; ++seed) {
    if (seed <= 10) catalog.pin(Author(seed).id());
    Author(seed).start(catalog);
  }
  CHECK(catalog.size() == 14);
  CHECK(catalog.bytes() == 14 * one);
}

TEST_CASE("catalog: entries that wait are bounded over all logs") {
  Catalog catalog({.max_waiting_bytes = 1000});
  std::size_t highest = 0;
  for (std::uint8_t seed = 1; seed <= 20; ++seed) {
    Author author(seed);
    author.start(catalog);
    author.last = author.signer.after(author.last, seed, publish("pad", "1.0.0"));
    author.release(catalog, "pad", "1.0.1");
    std::size_t waiting = 0;
    for (const auto& [publisher, head, forked] : catalog.heads(std::nullopt, 100)) {
      waiting += catalog.log(publisher)->waiting_bytes();
    }
    highest = std::max(highest, waiting);
  }
  CHECK(highest > 0);
  CHECK(highest <= 1000);
}

TEST_CASE("catalog: heads come in pages") {
  Catalog catalog;
  for (std::uint8_t seed = 1; seed <= 7; ++seed) Author(seed).start(catalog);
  std::vector<Catalog::PublisherHead> all;
  std::optional<multiformats::PeerId> after;
  while (true) {
    const auto page = catalog.heads(after, 3);
    if (page.empty()) break;
    after = page.back().publisher;
    all.insert(all.end(), page.begin(), page.end());
  }
  CHECK(all == catalog.heads(std::nullopt, 100));
  CHECK(all.size() == 7);
}
