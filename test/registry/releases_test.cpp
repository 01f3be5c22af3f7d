#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/registry/releases.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

// Applies bodies as one log's entries.
struct Table {
  Releases releases;
  std::uint64_t next = 1;

  Entry apply(EntryBody body) {
    Entry entry = LogSigner().sign(1, next++, EntryId{}, std::move(body));
    releases.apply(entry);
    return entry;
  }
  const Release& at(std::string_view release) const {
    return *releases.release(name("a"), version(release));
  }
};

}  // namespace

TEST_CASE("releases: the first of a name and version is final") {
  Table table;
  const Entry first = table.apply(publish("a", "1.0.0", 1));
  table.apply(publish("a", "1.0.0", 2));
  table.apply(publish("a", "1.0.0+rebuilt", 3));
  table.apply(publish("a", "1.0.1"));
  table.apply(publish("b", "1.0.0"));
  CHECK(table.releases.size() == 3);
  CHECK(table.at("1.0.0").entry == first.id);
  CHECK(table.at("1.0.0").archive == archive(1));
  CHECK(table.releases.package(name("a"))->releases.size() == 2);
  CHECK(table.releases.package(name("c")) == nullptr);
  CHECK(table.releases.release(name("b"), version("2.0.0")) == nullptr);
}

TEST_CASE("releases: yanked, taken back, yanked again") {
  Table table;
  table.apply(publish("a", "1.0.0"));
  CHECK_FALSE(table.at("1.0.0").yank.is_on());
  table.apply(Yank{name("a"), version("1.0.0"), "leaks"});
  CHECK(table.at("1.0.0").yank.reason() == "leaks");
  table.apply(Unyank{name("a"), version("1.0.0")});
  CHECK_FALSE(table.at("1.0.0").yank.is_on());
  CHECK(table.at("1.0.0").yank.reason().empty());
  table.apply(Yank{name("a"), version("1.0.0")});
  CHECK(table.at("1.0.0").yank.is_on());
}

TEST_CASE("releases: one release or the whole package is deprecated") {
  Table table;
  table.apply(publish("a", "1.0.0"));
  table.apply(Deprecate{name("a"), version("1.0.0"), "old"});
  table.apply(Deprecate{name("a"), std::nullopt, "use b"});
  CHECK(table.at("1.0.0").deprecation.reason() == "old");
  CHECK(table.releases.package(name("a"))->deprecation.reason() == "use b");
  table.apply(Deprecate{name("a"), std::nullopt, ""});
  CHECK_FALSE(table.releases.package(name("a"))->deprecation.is_on());
  CHECK(table.at("1.0.0").deprecation.is_on());
}

TEST_CASE("releases: a word about nothing has no effect") {
  Table table;
  table.apply(Yank{name("a"), version("1.0.0"), "x"});
  table.apply(Deprecate{name("a"), std::nullopt, "x"});
  table.apply(Unyank{name("a"), version("1.0.0")});
  CHECK(table.releases.packages().empty());
  table.apply(publish("a", "1.0.0"));
  CHECK_FALSE(table.at("1.0.0").yank.is_on());
}

TEST_CASE("releases: taking entries back leaves what the ones before made") {
  Table table;
  std::vector<Releases> former = {table.releases};
  const EntryBody bodies[] = {publish("a", "1.0.0"),
                              Yank{name("a"), version("1.0.0"), "x"},
                              Unyank{name("a"), version("1.0.0")},
                              publish("b", "1.0.0"),
                              Deprecate{name("a"), std::nullopt, "x"},
                              Deprecate{name("a"), version("1.0.0"), "y"},
                              publish("a", "1.0.0", 9),
                              Deprecate{name("a"), std::nullopt, ""},
                              publish("a", "2.0.0"),
                              Yank{name("a"), version("2.0.0"), "z"}};
  for (const auto& body : bodies) {
    table.apply(body);
    former.push_back(table.releases);
  }
  for (std::size_t seq = former.size(); seq-- > 1;) {
    CAPTURE(seq);
    table.releases.truncate(seq);
    CHECK(table.releases == former[seq - 1]);
    CHECK(table.releases.size() == former[seq - 1].size());
  }
}
