#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/registry/publisher_log.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

const LogSigner kSigner;

PublisherLog empty_log(LogLimits limits = {}) {
  return PublisherLog(kSigner.id(), limits);
}

// Entry 0, which announces key 2, and `count` releases 0.0.1, 0.0.2, ... signed with key 1.
std::vector<Entry> history(std::size_t count, int milliseconds = 0) {
  std::vector<Entry> entries = {kSigner.first(2)};
  for (std::size_t i = 1; i <= count; ++i) {
    const auto release = publish("a", "0.0." + std::to_string(i));
    entries.push_back(kSigner.after(entries.back(), 1, release, milliseconds));
  }
  return entries;
}

// What follows `prev` on another branch than history(): `count` entries.
std::vector<Entry> branch(const Entry& prev, std::size_t count, std::uint8_t key = 1) {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    const Entry& last = entries.empty() ? prev : entries.back();
    entries.push_back(kSigner.after(last, key, publish("evil", "6.6." + std::to_string(i))));
  }
  return entries;
}

void add_all(PublisherLog& log, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) CHECK(log.add(entry).outcome == AddOutcome::kAccepted);
}

}  // namespace

TEST_CASE("log: a history in order is accepted, and known afterwards") {
  PublisherLog log = empty_log();
  const auto entries = history(3);
  CHECK_FALSE(log.head());
  CHECK(log.current_keys() == nullptr);
  add_all(log, entries);
  CHECK(log.head() == Head{3, entries[3].id});
  CHECK(log.entry(2) == entries[2].id);
  CHECK_FALSE(log.entry(4));
  CHECK(log.current_keys()->next == key_set(2).digest());
  for (const Entry& entry : entries) CHECK(log.add(entry).outcome == AddOutcome::kDuplicate);
  CHECK(log.releases().size() == 3);
  CHECK_FALSE(log.fork());
  CHECK_FALSE(log.wanted());
}

TEST_CASE("log: a claimed head is the same, behind, ahead, or proves a fork") {
  PublisherLog log = empty_log();
  const auto entries = history(3);
  CHECK(log.compare({0, entries[0].id}) == HeadStanding::kAhead);
  add_all(log, entries);
  CHECK(log.compare({3, entries[3].id}) == HeadStanding::kSame);
  CHECK(log.compare({1, entries[1].id}) == HeadStanding::kBehind);
  CHECK(log.compare({4, {}}) == HeadStanding::kAhead);
  CHECK(log.compare({2, {}}) == HeadStanding::kDiffers);
}

TEST_CASE("log: nothing is believed before entry 0") {
  PublisherLog log = empty_log();
  const auto entries = history(3);
  const Added added = log.add(entries[3]);
  CHECK(added.outcome == AddOutcome::kGap);
  CHECK(added.wanted == SeqRange{0, 2});
  CHECK(log.waiting_bytes() == 0);
}

TEST_CASE("log: entries beyond a gap wait, and follow when it is filled") {
  PublisherLog log = empty_log();
  const auto entries = history(5);
  log.add(entries[0]);
  CHECK(log.add(entries[5]).outcome == AddOutcome::kGap);
  CHECK(log.add(entries[5]).outcome == AddOutcome::kDuplicate);
  CHECK(log.add(entries[4]).wanted == SeqRange{1, 3});
  CHECK(log.add(entries[2]).wanted == SeqRange{1, 1});
  CHECK(log.waiting_bytes() == entries[2].envelope.size() * 3);
  const Added added = log.add(entries[1]);
  CHECK(added.outcome == AddOutcome::kAccepted);
  REQUIRE(added.accepted.size() == 2);
  CHECK(added.accepted[1].id == entries[2].id);
  CHECK(added.wanted == SeqRange{3, 3});
  CHECK(log.add(entries[3]).accepted.size() == 3);
  CHECK(log.head() == Head{5, entries[5].id});
  CHECK(log.waiting_bytes() == 0);
}

TEST_CASE("log: few entries wait, the lowest ones, and only those of the publisher's own keys") {
  PublisherLog log = empty_log({.max_pending = 2, .max_wanted = 3});
  const auto entries = history(9);
  log.add(entries[0]);
  log.add(entries[9]);
  log.add(entries[8]);
  log.add(entries[7]);
  CHECK(log.waiting_bytes() == entries[7].envelope.size() + entries[8].envelope.size());
  CHECK(log.add(entries[9]).outcome == AddOutcome::kGap);
  CHECK(log.wanted() == SeqRange{1, 3});
  const Entry strangers = kSigner.after(entries[4], 9, publish("a", "1.0.0"));
  CHECK(log.add(strangers).outcome == AddOutcome::kUnverifiable);
  CHECK(log.waiting_bytes() == entries[7].envelope.size() + entries[8].envelope.size());

  PublisherLog small = empty_log({.max_pending_bytes = 10});
  small.add(entries[0]);
  CHECK(small.add(entries[3]).outcome == AddOutcome::kGap);
  CHECK(small.waiting_bytes() == 0);

  log.forget_waiting();
  CHECK(log.waiting_bytes() == 0);
  CHECK_FALSE(log.wanted());
}

TEST_CASE("log: entries and bytes have a limit, with room to change the keys") {
  const auto entries = history(5);
  PublisherLog few = empty_log({.max_entries = 3});
  add_all(few, {entries[0], entries[1], entries[2]});
  CHECK(few.add(entries[3]).outcome == AddOutcome::kFull);

  PublisherLog small = empty_log({.max_bytes = entries[0].envelope.size() + 10});
  add_all(small, {entries[0]});
  CHECK(small.add(entries[1]).outcome == AddOutcome::kFull);
  CHECK(small.add(kSigner.rotate(entries[0], 2, 3)).outcome == AddOutcome::kAccepted);
}

TEST_CASE("log: the announced keys take over, and the former ones are worth nothing") {
  PublisherLog log = empty_log();
  auto entries = history(2);
  entries.push_back(kSigner.rotate(entries.back(), 2, 3));
  entries.push_back(kSigner.after(entries.back(), 2, publish("a", "1.0.0")));
  entries.push_back(kSigner.rotate(entries.back(), 3, 4));
  add_all(log, entries);
  CHECK(log.current_keys()->keys == key_set(3));
  const Entry old = kSigner.after(entries.back(), 1, publish("a", "2.0.0"));
  CHECK(log.add(old).outcome == AddOutcome::kUnverifiable);
  CHECK(log.add(kSigner.after(entries[3], 1, publish("a", "2.0.0"))).outcome ==
        AddOutcome::kWrongKey);
  CHECK_FALSE(log.fork());
  CHECK(log.publisher() == kSigner.id());
}

TEST_CASE("log: keys that were not announced cannot take over") {
  PublisherLog log = empty_log();
  const auto entries = history(2);
  add_all(log, entries);
  CHECK(log.add(kSigner.rotate(entries[2], 5, 6)).outcome == AddOutcome::kUnverifiable);
  CHECK(log.current_keys()->keys == key_set(1));
}

TEST_CASE("log: keys are announced once") {
  PublisherLog log = empty_log();
  const auto entries = history(1);
  add_all(log, entries);
  CHECK(log.add(kSigner.rotate(entries[1], 2, 1)).outcome == AddOutcome::kReusedKeys);
  const Entry second = kSigner.rotate(entries[1], 2, 3);
  add_all(log, {second});
  CHECK(log.add(kSigner.rotate(second, 3, 2)).outcome == AddOutcome::kReusedKeys);
}

TEST_CASE("log: two entries at one number freeze it, with the proof") {
  PublisherLog log = empty_log();
  const auto entries = history(4);
  add_all(log, entries);
  const auto fork = branch(entries[1], 2);
  const Added added = log.add(fork[0]);
  CHECK(added.outcome == AddOutcome::kEquivocation);
  CHECK(added.fork_found);
  REQUIRE(log.fork());
  CHECK(log.is_frozen());
  CHECK(log.fork()->seq == 2);
  CHECK(log.fork()->ours == entries[2].id);
  CHECK(log.fork()->theirs == fork[0].id);
  const auto theirs = Entry::open(test_crypto(), log.fork()->theirs_envelope.view());
  REQUIRE(theirs);
  CHECK(theirs->id == fork[0].id);
  // Neither branch goes on, and more of the same is no news.
  CHECK(log.add(kSigner.after(entries[4], 1, publish("a", "1.0.0"))).outcome ==
        AddOutcome::kForked);
  CHECK(log.add(fork[0]).outcome == AddOutcome::kForked);
  CHECK(log.add(fork[1]).outcome == AddOutcome::kForked);
  CHECK(log.head()->seq == 4);
}

TEST_CASE("log: the proof is that of the lowest number in doubt") {
  PublisherLog log = empty_log();
  const auto entries = history(4);
  add_all(log, entries);
  const auto fork = branch(entries[1], 3);
  CHECK(log.add(fork[2]).outcome == AddOutcome::kEquivocation);
  CHECK(log.fork()->seq == 3);
  CHECK(log.add(fork[0]).outcome == AddOutcome::kEquivocation);
  CHECK(log.fork()->seq == 2);
  CHECK(log.add(fork[1]).outcome == AddOutcome::kForked);
}

TEST_CASE("log: an entry that does not follow our head shows a fork too") {
  PublisherLog log = empty_log();
  const auto entries = history(2);
  add_all(log, entries);
  const auto fork = branch(entries[1], 2);
  CHECK(log.add(fork[1]).outcome == AddOutcome::kEquivocation);
  CHECK(log.fork()->seq == 2);
  CHECK(log.fork()->ours == entries[2].id);
}

TEST_CASE("log: a waiting entry shows the fork when its turn comes") {
  PublisherLog log = empty_log();
  const auto entries = history(3);
  const auto fork = branch(entries[1], 2);
  log.add(entries[0]);
  CHECK(log.add(fork[1]).outcome == AddOutcome::kGap);
  log.add(entries[1]);
  const Added added = log.add(entries[2]);
  CHECK(added.outcome == AddOutcome::kAccepted);
  CHECK(added.fork_found);
  CHECK(log.is_frozen());
}

TEST_CASE("log: a stranger cannot freeze it") {
  PublisherLog log = empty_log();
  const auto entries = history(4);
  add_all(log, entries);
  CHECK(log.add(branch(entries[1], 1, 9)[0]).outcome == AddOutcome::kUnverifiable);
  CHECK(log.add(kSigner.rotate(entries[1], 9, 8)).outcome == AddOutcome::kUnverifiable);
  CHECK_FALSE(log.fork());
}

TEST_CASE("log: the next keys choose our branch") {
  PublisherLog log = empty_log();
  const auto entries = history(4);
  add_all(log, entries);
  log.add(branch(entries[1], 1)[0]);
  REQUIRE(log.is_frozen());
  const Entry chosen = kSigner.rotate(entries[4], 2, 3);
  const Added added = log.add(chosen);
  CHECK(added.outcome == AddOutcome::kAccepted);
  CHECK_FALSE(added.dropped_from);
  CHECK_FALSE(log.is_frozen());
  CHECK(log.fork()->settled);
  CHECK(log.releases().size() == 4);
  add_all(log, {kSigner.after(chosen, 2, publish("a", "1.0.0"))});
}

TEST_CASE("log: the next keys go back behind the fork") {
  PublisherLog log = empty_log();
  const auto entries = history(4);
  add_all(log, entries);
  const Entry chosen = kSigner.rotate(entries[1], 2, 3);
  const Added added = log.add(chosen);
  CHECK(added.outcome == AddOutcome::kAccepted);
  CHECK(added.fork_found);
  CHECK(added.dropped_from == 2);
  CHECK_FALSE(log.is_frozen());
  CHECK(log.fork()->settled);
  CHECK(log.head() == Head{2, chosen.id});
  CHECK(log.releases().size() == 1);
  CHECK(log.bytes() ==
        entries[0].envelope.size() + entries[1].envelope.size() + chosen.envelope.size());
  // The dropped entries were signed with keys that were in force then: no more news.
  CHECK(log.add(entries[2]).outcome == AddOutcome::kForked);
}

TEST_CASE("log: the next keys choose the other branch, which is fetched from its end") {
  for (const bool highest_first : {true, false}) {
    CAPTURE(highest_first);
    PublisherLog log = empty_log({.max_pending = 64, .max_wanted = 2});
    const auto entries = history(4);
    add_all(log, entries);
    auto other = branch(entries[1], 5);  // 2 to 6
    const Entry chosen = kSigner.rotate(other.back(), 2, 3);
    const Entry after = kSigner.after(chosen, 2, publish("a", "1.0.0"));
    CHECK(log.add(chosen).outcome == AddOutcome::kGap);
    CHECK(log.add(after).outcome == AddOutcome::kGap);
    CHECK(log.wanted() == SeqRange{5, 6});
    Added last;
    if (highest_first) {
      for (std::size_t i = 5; i-- > 1;) CHECK(log.add(other[i]).outcome != AddOutcome::kAccepted);
      CHECK(log.is_frozen());
      CHECK(log.wanted() == SeqRange{1, 2});
      last = log.add(other[0]);
    } else {
      // Those below the end wait only while they are above our head: the rest comes twice.
      for (std::size_t i = 0; i < 5; ++i) log.add(other[i]);
      for (std::size_t i = 5; i-- > 1;) log.add(other[i]);
      last = log.add(other[0]);
    }
    CHECK(last.outcome == AddOutcome::kAccepted);
    CHECK(last.dropped_from == 2);
    REQUIRE(last.accepted.size() == 7);
    CHECK(last.accepted[0].id == other[0].id);
    CHECK(last.accepted[5].id == chosen.id);
    CHECK(log.head() == Head{8, after.id});
    CHECK_FALSE(log.is_frozen());
    CHECK(log.fork()->settled);
    CHECK(log.waiting_bytes() == 0);
    CHECK(log.releases().package(name("evil"))->releases.size() == 5);
    CHECK(log.releases().package(name("a"))->releases.size() == 2);
  }
}

TEST_CASE("log: what the next keys build on is taken in an envelope of the publisher's only") {
  PublisherLog log = empty_log();
  const auto entries = history(3);
  log.add(entries[0]);
  log.add(kSigner.rotate(entries[3], 2, 3));
  const Entry wrapped = Entry::seal(test_crypto(), key_pair(9), entries[3].statement).value();
  REQUIRE(wrapped.id == entries[3].id);
  CHECK(log.add(wrapped).outcome == AddOutcome::kWrongKey);
  CHECK(log.add(entries[3]).outcome == AddOutcome::kGap);
  CHECK(log.add(entries[2]).outcome == AddOutcome::kGap);
  const Added added = log.add(entries[1]);
  CHECK(added.outcome == AddOutcome::kAccepted);
  CHECK(added.accepted.size() == 4);
}

TEST_CASE("log: keys that build on nothing that can be are forgotten") {
  PublisherLog log = empty_log();
  const auto entries = history(1);
  log.add(entries[0]);
  const Entry nowhere = kSigner.sign(2, 1, EntryId{{1}}, Keys{key_set(2), key_set(3).digest()});
  CHECK(log.add(nowhere).outcome == AddOutcome::kGap);
  CHECK(log.waiting_bytes() == 0);
  CHECK_FALSE(log.wanted());
  // Its prev is an entry of another number.
  const Entry skips = kSigner.sign(2, 5, entries[1].id, Keys{key_set(2), key_set(3).digest()});
  CHECK(log.add(skips).outcome == AddOutcome::kGap);
  CHECK(log.add(entries[1]).outcome == AddOutcome::kWrongKey);
  CHECK(log.waiting_bytes() == 0);
  add_all(log, {entries[1], kSigner.rotate(entries[1], 2, 3)});
}

TEST_CASE("log: an era that was seen open stays open, and two openings of it freeze the log") {
  PublisherLog log = empty_log();
  auto entries = history(2);
  entries.push_back(kSigner.rotate(entries[2], 2, 3));
  add_all(log, entries);
  const Entry second = kSigner.rotate(entries[1], 2, 4);
  CHECK(log.add(second).outcome == AddOutcome::kEquivocation);
  CHECK(log.is_frozen());
  CHECK(log.fork()->seq == 2);
  // What the second one announced cannot choose; what ours announced can.
  CHECK(log.add(kSigner.rotate(second, 4, 5)).outcome == AddOutcome::kForked);
  CHECK(log.is_frozen());
  add_all(log, {kSigner.rotate(entries[3], 3, 5)});
  CHECK_FALSE(log.is_frozen());
}

TEST_CASE("log: two entries 0 freeze it until the keys of ours change") {
  PublisherLog log = empty_log();
  const auto entries = history(1);
  add_all(log, entries);
  CHECK(log.add(kSigner.first(7)).outcome == AddOutcome::kEquivocation);
  CHECK(log.fork()->seq == 0);
  CHECK(log.is_frozen());
  add_all(log, {kSigner.rotate(entries[1], 2, 3)});
  CHECK_FALSE(log.is_frozen());
}

TEST_CASE("log: what a journal holds restores it, fork and choice included") {
  PublisherLog log = empty_log();
  std::vector<Entry> journal;
  const auto feed = [&journal](PublisherLog& to, const Entry& entry) {
    Added added = to.add(entry);
    if (added.outcome == AddOutcome::kEquivocation) journal.push_back(entry);
    for (Entry& accepted : added.accepted) journal.push_back(std::move(accepted));
  };
  const auto entries = history(4);
  for (const Entry& entry : entries) feed(log, entry);
  const auto other = branch(entries[1], 4);
  const Entry chosen = kSigner.rotate(other.back(), 2, 3);
  feed(log, other[0]);
  feed(log, chosen);
  for (auto at = other.rbegin(); at != other.rend(); ++at) feed(log, *at);
  REQUIRE(log.head() == Head{6, chosen.id});

  PublisherLog restored = empty_log();
  for (const Entry& entry : journal) restored.add(entry);
  while (const auto wanted = restored.wanted()) {
    for (auto at = journal.rbegin(); at != journal.rend(); ++at) {
      const std::uint64_t seq = at->statement.seq;
      if (seq >= wanted->first && seq <= wanted->last) restored.add(*at);
    }
    REQUIRE(restored.wanted() != wanted);
  }
  CHECK(restored.head() == log.head());
  CHECK(restored.releases() == log.releases());
  CHECK(restored.fork()->theirs == log.fork()->theirs);
}
