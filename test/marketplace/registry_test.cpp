#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <ggen/p2p/marketplace/registry.hpp>

#include "../support/folder.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using asio::awaitable;
using marketplace::Config;
using marketplace::Reason;
using marketplace::Registry;
using marketplace::Result;
using test::Folder;

namespace {

namespace fs = std::filesystem;

const multiformats::Multiaddr kAnyPort = *multiformats::Multiaddr::parse("/ip4/127.0.0.1/tcp/0");

fs::path make_package(const fs::path& directory, const std::string& name,
                      const std::string& version) {
  test::write_file(directory / "ggen.toml", "[package]\nname = \"" + name + "\"\nversion = \"" +
                                                version + "\"\ndescription = \"About " + name +
                                                "\"\n");
  test::write_file(directory / "src/main.txt", std::string(100'000, 'x') + name + version);
  return directory;
}

// Runs a test's coroutine to its end; one that hangs is ended by the deadline.
template <class Test>
void run(Test test) {
  asio::io_context loop{1};
  bool done = false;
  std::exception_ptr failure;
  asio::co_spawn(loop, test(), [&](std::exception_ptr error) {
    failure = error;
    done = true;
    loop.stop();
  });
  loop.run_for(120s);
  REQUIRE(done);
  if (failure) std::rethrow_exception(failure);
}

awaitable<Result<Registry>> build(Config config, telemetry::SpanTracker* spans = nullptr) {
  marketplace::RegistryBuilder builder;
  builder.with_config(std::move(config));
  if (spans != nullptr) builder.with_spans(*spans);
  co_return co_await builder.build();
}

awaitable<Registry> open(fs::path home, std::vector<multiformats::Multiaddr> bootstrap = {},
                         telemetry::SpanTracker* spans = nullptr) {
  Config config;
  config.home = std::move(home);
  config.listen = {kAnyPort};
  config.bootstrap = std::move(bootstrap);
  auto building = build(std::move(config), spans);
  auto built = co_await std::move(building);
  REQUIRE_MESSAGE(built.has_value(), (built ? "" : built.error().message));
  co_return std::move(*built);
}

registry::Reference reference(const std::string& text) {
  return registry::Reference::parse(text).value();
}

awaitable<void> hear_of(marketplace::Subscription& news, std::string name) {
  for (;;) {
    auto waiting = news.next();
    const auto entry = co_await std::move(waiting);
    REQUIRE(entry.has_value());
    const auto* publish = std::get_if<registry::Publish>(&entry->entry.statement.body);
    if (publish != nullptr && publish->metadata.name.text() == name) co_return;
  }
}

}  // namespace

TEST_CASE("marketplace: a package travels from one registry to another, byte for byte") {
  Folder folder;
  auto test = [&]() -> awaitable<void> {
    auto opening_a = open(folder / "a");
    Registry a = co_await std::move(opening_a);
    auto opening_b = open(folder / "b", a.addresses());
    Registry b = co_await std::move(opening_b);
    auto news = b.subscribe();

    const fs::path directory = make_package(folder / "tabs", "tabs", "1.0.0");
    bool packed = false;
    marketplace::ProgressHandler progress = [&](const marketplace::Progress& p) {
      packed |= p.step == marketplace::Progress::Step::kPacking;
    };
    auto publishing = a.publish(directory, progress);
    const auto published = co_await std::move(publishing);
    REQUIRE_MESSAGE(published.has_value(), (published ? "" : published.error().message));
    CHECK(published->files == 2);
    CHECK(published->publisher == a.publisher());
    CHECK(packed);
    auto hearing = hear_of(news, "tabs");
    co_await std::move(hearing);

    marketplace::Query query;
    query.request.words = {"about"};
    auto searching = b.search(query);
    const auto found = co_await std::move(searching);
    REQUIRE(found.has_value());
    REQUIRE(found->hits.size() == 1);
    CHECK(found->hits.front().metadata.name.text() == "tabs");
    CHECK_FALSE(found->hits.front().held);

    auto getting = b.get(reference("tabs"), folder / "deep/copy");
    const auto got = co_await std::move(getting);
    REQUIRE_MESSAGE(got.has_value(), (got ? "" : got.error().message));
    CHECK(got->files == 2);
    CHECK_FALSE(got->was_here);
    REQUIRE(got->sources.size() == 1);
    CHECK(got->sources.front().peer == a.id());
    CHECK(test::read_file(folder / "deep/copy/src/main.txt") ==
          test::read_file(directory / "src/main.txt"));
    CHECK(b.stats().archives == 1);
    CHECK(b.standing(a.id()).successes > 0);

    // Once more: nothing is fetched, and what is there is not overwritten.
    auto again = b.get(reference("tabs"), folder / "again");
    const auto second = co_await std::move(again);
    REQUIRE(second.has_value());
    CHECK(second->was_here);
    auto onto = b.get(reference("tabs"), folder / "again");
    const auto refused = co_await std::move(onto);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().reason == Reason::kOutput);

    auto stopping = b.stop();
    co_await std::move(stopping);
    auto waiting = news.next();
    const auto last = co_await std::move(waiting);
    CHECK_FALSE(last.has_value());
  };
  run(test);
}

TEST_CASE("marketplace: what was published is there after a restart, and is final") {
  Folder folder;
  auto test = [&]() -> awaitable<void> {
    const fs::path directory = make_package(folder / "tabs", "tabs", "1.0.0");
    std::optional<multiformats::PeerId> publisher;
    for (const bool first : {true, false}) {
      auto opening = open(folder / "a");
      Registry a = co_await std::move(opening);
      if (first) publisher = a.publisher();
      CHECK(a.publisher() == *publisher);
      auto publishing = a.publish(directory);
      const auto published = co_await std::move(publishing);
      CHECK(published.has_value() == first);
      if (!published) CHECK(published.error().reason == Reason::kExists);
      auto stopping = a.stop();
      co_await std::move(stopping);
    }
    auto opening = open(folder / "a");
    Registry a = co_await std::move(opening);
    CHECK(a.stats().releases == 1);
    auto getting = a.get(reference("tabs@^1"), folder / "copy");
    const auto got = co_await std::move(getting);
    REQUIRE(got.has_value());
    CHECK(got->was_here);
    CHECK(test::read_file(folder / "copy/src/main.txt") ==
          test::read_file(directory / "src/main.txt"));
  };
  run(test);
}

TEST_CASE("marketplace: who was there before is found again without bootstrap addresses") {
  Folder folder;
  auto test = [&]() -> awaitable<void> {
    auto opening_a = open(folder / "a");
    Registry a = co_await std::move(opening_a);
    const auto is_known = [](Registry& registry) {
      return registry.host().node().kad()->table().size() == 1;
    };
    {
      auto opening_b = open(folder / "b", a.addresses());
      Registry b = co_await std::move(opening_b);
      while (!is_known(b)) co_await asio::post(asio::use_awaitable);
      auto stopping = b.stop();
      co_await std::move(stopping);
    }
    // A line that somebody has spoilt is in nobody's way.
    test::write_file(folder / "b/peers", "nonsense\n" + test::read_file(folder / "b/peers"));
    auto opening_again = open(folder / "b");
    Registry b = co_await std::move(opening_again);
    while (!is_known(b)) co_await asio::post(asio::use_awaitable);
    CHECK(b.host().node().swarm().connected(a.id()));
  };
  run(test);
}

TEST_CASE("marketplace: what is under way when a registry goes ends, and touches nothing of it") {
  Folder folder;
  asio::io_context loop{1};
  std::vector<Reason> ends;
  bool subscription_ended = false;
  auto note = [&ends](auto operation) -> awaitable<void> {
    const auto outcome = co_await std::move(operation);
    REQUIRE_FALSE(outcome.has_value());
    ends.push_back(outcome.error().reason);
  };
  auto listen = [&](marketplace::Subscription news) -> awaitable<void> {
    auto waiting = news.next();
    const auto entry = co_await std::move(waiting);
    subscription_ended = !entry.has_value();
  };
  auto test = [&]() -> awaitable<void> {
    auto opening = open(folder / "a");
    auto registry = std::make_unique<Registry>(co_await std::move(opening));
    const auto ignore = [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(loop, note(registry->get(reference("nobody-has-this"), folder / "copy")),
                   ignore);
    asio::co_spawn(loop, note(registry->publish(make_package(folder / "tabs", "tabs", "1.0.0"))),
                   ignore);
    asio::co_spawn(loop, listen(registry->subscribe()), ignore);
    // Both are begun by then: what was spawned before this coroutine went on runs first.
    co_await asio::post(loop, asio::use_awaitable);
    registry.reset();
  };
  asio::co_spawn(loop, test(), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  loop.run_for(60s);
  CHECK(ends == std::vector{Reason::kStopped, Reason::kStopped});
  CHECK(subscription_ended);
}

TEST_CASE("marketplace: what cannot be done is said in a sentence, and leaves nothing behind") {
  Folder folder;
  auto expect_no_registry = [](Config config, Reason reason) -> awaitable<void> {
    auto building = build(std::move(config));
    const auto second = co_await std::move(building);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().reason == reason);
    CHECK_FALSE(second.error().message.empty());
  };
  auto test = [&]() -> awaitable<void> {
    auto opening = open(folder / "a");
    Registry a = co_await std::move(opening);
    Config config;
    config.home = folder / "b";

    SUBCASE("a second registry in the same home") {
      config.home = folder / "a";
      auto trying = expect_no_registry(config, Reason::kLocked);
      co_await std::move(trying);
    }
    SUBCASE("a port in use") {
      config.listen = a.host().swarm().own_addresses();
      auto trying = expect_no_registry(config, Reason::kListen);
      co_await std::move(trying);
    }
    SUBCASE("a home that others may write to") {
      fs::create_directory(folder / "b");
      REQUIRE(::chmod((folder / "b").c_str(), 0777) == 0);
      auto trying = expect_no_registry(config, Reason::kHome);
      co_await std::move(trying);
    }
    SUBCASE("a directory that is no package") {
      auto publishing = a.publish(folder / "nothing");
      const auto published = co_await std::move(publishing);
      REQUIRE_FALSE(published.has_value());
      CHECK(published.error().reason == Reason::kPackage);
    }
    SUBCASE("a manifest with a name that is none") {
      test::write_file(folder / "bad/ggen.toml",
                       "[package]\nname = \"../x\"\nversion = \"1.0.0\"\n");
      auto publishing = a.publish(folder / "bad");
      const auto published = co_await std::move(publishing);
      REQUIRE_FALSE(published.has_value());
      CHECK(published.error().reason == Reason::kPackage);
      CHECK(a.stats().entries == 0);
    }
    SUBCASE("a package that nobody has heard of") {
      auto getting = a.get(reference("nobody-has-this"), folder / "copy");
      const auto got = co_await std::move(getting);
      REQUIRE_FALSE(got.has_value());
      CHECK(got.error().reason == Reason::kNotFound);
      CHECK_FALSE(fs::exists(folder / "copy"));
    }
    auto stopping = a.stop();
    co_await std::move(stopping);
  };
  run(test);
}

TEST_CASE("marketplace: what the disk has damaged is fetched again") {
  Folder folder;
  auto test = [&]() -> awaitable<void> {
    auto opening_a = open(folder / "a");
    Registry a = co_await std::move(opening_a);
    auto opening_b = open(folder / "b", a.addresses());
    Registry b = co_await std::move(opening_b);
    auto news = b.subscribe();
    auto publishing = a.publish(make_package(folder / "tabs", "tabs", "1.0.0"));
    const auto published = co_await std::move(publishing);
    REQUIRE(published.has_value());
    auto hearing = hear_of(news, "tabs");
    co_await std::move(hearing);
    auto getting = b.get(reference("tabs"), folder / "first");
    const auto first = co_await std::move(getting);
    REQUIRE(first.has_value());

    const std::string root = base::to_hex(published->archive.root);
    const fs::path data = folder / "b/store/blobs" / (root + ".data");
    std::string bytes = test::read_file(data);
    bytes.at(bytes.size() / 2) ^= 1;
    test::write_file(data, bytes);
    auto again = b.get(reference("tabs"), folder / "second");
    const auto second = co_await std::move(again);
    REQUIRE_MESSAGE(second.has_value(), (second ? "" : second.error().message));
    CHECK(test::read_file(folder / "second/src/main.txt") ==
          test::read_file(folder / "first/src/main.txt"));
  };
  run(test);
}

TEST_CASE("marketplace: spans are told of every operation, and of what it is a part") {
  Folder folder;
  telemetry::SpanTracker spans{base::Prng{1}, {}};
  std::vector<telemetry::Span> ended;
  const auto named = [&](std::string_view name) {
    while (auto span = spans.poll()) ended.push_back(std::move(*span));
    std::vector<telemetry::Span> found;
    for (const auto& span : ended) {
      if (span.name == name) found.push_back(span);
    }
    return found;
  };
  auto test = [&]() -> awaitable<void> {
    auto opening_a = open(folder / "a");
    Registry a = co_await std::move(opening_a);
    auto opening_b = open(folder / "b", a.addresses(), &spans);
    Registry b = co_await std::move(opening_b);
    auto news = b.subscribe();
    auto publishing = a.publish(make_package(folder / "tabs", "tabs", "1.0.0"));
    co_await std::move(publishing);
    auto hearing = hear_of(news, "tabs");
    co_await std::move(hearing);
    CHECK(named("p2p.network.init").size() == 1);
    CHECK(named("p2p.package.receive").size() == 2);  // the keys, then the release

    auto getting = b.get(reference("tabs"), {});
    const auto got = co_await std::move(getting);
    REQUIRE(got.has_value());
    CHECK(named("p2p.package.resolve").size() == 1);
    const auto fetches = named("p2p.package.fetch");
    REQUIRE(fetches.size() == 1);
    REQUIRE(fetches[0].events.size() == 1);
    CHECK(std::get<std::string>(find(fetches[0].events[0].attributes, "peer.id")->value) ==
          a.id().to_string());

    auto missing = b.get(reference("spaces"), {});
    const auto nothing = co_await std::move(missing);
    CHECK_FALSE(nothing.has_value());
    const auto resolves = named("p2p.package.resolve");
    REQUIRE(resolves.size() == 2);
    CHECK(resolves[1].error);
    const auto searches = named("p2p.package.search");
    REQUIRE(searches.size() == 1);
    CHECK(searches[0].parent == resolves[1].context.span);

    auto publishing_b = b.publish(make_package(folder / "more", "more", "1.0.0"));
    co_await std::move(publishing_b);
    CHECK(named("p2p.package.publish").size() == 1);
    auto stopping = b.stop();
    co_await std::move(stopping);
  };
  run(test);
}

TEST_CASE("marketplace: the DHT is asked directly, and a query that is cancelled ends") {
  Folder folder;
  telemetry::SpanTracker spans{base::Prng{1}, {}};
  auto test = [&]() -> awaitable<void> {
    auto opening_a = open(folder / "a", {}, &spans);
    Registry a = co_await std::move(opening_a);
    namespace dht = marketplace::dht;
    const base::Bytes key{'k', 'e', 'y'};
    auto asking = a.ask_dht(dht::Closest{key});
    const auto closest = co_await std::move(asking);
    REQUIRE(closest.has_value());
    CHECK(std::get<kad::result::Closest>(closest->done.result).peers.empty());
    CHECK(closest->done.stats.end == kad::QueryEnd::kNoPeers);
    auto putting = a.ask_dht(dht::Put{key, {1}});
    const auto put = co_await std::move(putting);
    REQUIRE_FALSE(put.has_value());
    CHECK(put.error().reason == Reason::kInput);
    CHECK(put.error().hint.contains("/pk/"));
    auto getting = a.ask_dht(dht::Get{{}});
    const auto empty = co_await std::move(getting);
    REQUIRE_FALSE(empty.has_value());
    CHECK(empty.error().reason == Reason::kInput);

    // The query is under way when it is cancelled: its answer needs the network.
    auto opening_b = open(folder / "b", a.addresses());
    Registry b = co_await std::move(opening_b);
    auto connecting = b.host().connect(a.addresses().front());
    co_await std::move(connecting);
    auto identifying = b.host().identify(a.id());  // then the DHT has a peer to ask
    co_await std::move(identifying);
    asio::cancellation_signal cancel;
    std::optional<Reason> end;
    const auto executor = co_await asio::this_coro::executor;
    auto ask = [&]() -> awaitable<void> {
      asio::post(executor, [&] { cancel.emit(asio::cancellation_type::terminal); });
      auto query = b.ask_dht(dht::Closest{key});
      const auto done = co_await std::move(query);
      end = done ? std::optional<Reason>{} : done.error().reason;
    };
    auto done = asio::co_spawn(executor, ask(),
                               asio::bind_cancellation_slot(cancel.slot(), asio::use_awaitable));
    co_await std::move(done);
    CHECK(end == Reason::kCancelled);
  };
  run(test);
}

namespace {

bool is_in(Registry& registry, std::string_view topic) {
  const auto topics = registry.host().node().gossipsub()->subscriptions();
  return std::ranges::find(topics, topic) != topics.end();
}

// Resumes when everything that waits for the executor has run once.
awaitable<void> turn() {
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

}  // namespace

TEST_CASE("marketplace: messages on a topic reach who subscribes to it, and then it is left") {
  Folder folder;
  auto test = [&]() -> awaitable<void> {
    auto opening_a = open(folder / "a");
    Registry a = co_await std::move(opening_a);
    auto opening_b = open(folder / "b", a.addresses());
    Registry b = co_await std::move(opening_b);
    {
      auto joined = b.subscribe_to("chat");
      REQUIRE(joined.has_value());
      auto again = b.subscribe_to("chat");
      REQUIRE(again.has_value());
      CHECK(is_in(b, "chat"));
      while (a.host().node().gossipsub()->subscribers("chat").empty()) {
        auto turning = turn();
        co_await std::move(turning);
      }
      const base::Bytes data{'h', 'i'};
      const auto published = a.publish_to("chat", data);
      REQUIRE(published.has_value());
      CHECK(published->peers == 1);
      for (auto* subscription : {&*joined, &*again}) {
        auto waiting = subscription->next();
        const auto message = co_await std::move(waiting);
        REQUIRE(message.has_value());
        CHECK(message->author == a.id());
        CHECK(message->source == a.id());
        CHECK(message->id == published->id);
        CHECK(message->data == data);
        CHECK(message->dropped == 0);
      }
      {
        const auto gone = *std::move(again);
      }
      CHECK(is_in(b, "chat"));
    }
    CHECK_FALSE(is_in(b, "chat"));
    CHECK(b.host().node().gossipsub()->stats().pending == 0);

    // The marketplace's own topic is the registry's: it stays.
    {
      const auto updates = b.subscribe_to(std::string{registry::kUpdatesTopic});
    }
    CHECK(is_in(b, registry::kUpdatesTopic));
  };
  run(test);
}

TEST_CASE("marketplace: what cannot be published or joined is refused") {
  Folder folder;
  auto test = [&]() -> awaitable<void> {
    auto opening = open(folder / "a");
    Registry a = co_await std::move(opening);
    const base::Bytes data{1};
    const auto updates = a.publish_to(std::string{registry::kUpdatesTopic}, data);
    REQUIRE_FALSE(updates.has_value());
    CHECK(updates.error().reason == Reason::kInput);
    CHECK(updates.error().message.contains("signed releases only"));
    const std::string too_long(300, 'x');
    CHECK(a.publish_to(too_long, data).error().reason == Reason::kInput);
    CHECK(a.subscribe_to(too_long).error().reason == Reason::kInput);
    const base::Bytes large(2'000'000);
    CHECK(a.publish_to("chat", large).error().reason == Reason::kInput);
    CHECK(a.host().node().gossipsub()->stats().published == 0);
  };
  run(test);
}

TEST_CASE("marketplace: who does not read a topic loses the oldest messages, and is told") {
  Folder folder;
  auto test = [&]() -> awaitable<void> {
    auto opening = open(folder / "a");
    Registry a = co_await std::move(opening);
    auto joined = a.subscribe_to("chat");
    REQUIRE(joined.has_value());
    using Subscription = marketplace::pubsub::Subscription;
    for (std::size_t i = 0; i < Subscription::kMaxWaiting + 3; ++i) {
      const base::Bytes data{static_cast<std::uint8_t>(i)};
      REQUIRE(a.publish_to("chat", data).has_value());
    }
    auto first = joined->next();
    auto message = co_await std::move(first);
    CHECK(message->data == base::Bytes{3});
    CHECK(message->dropped == 3);
    auto second = joined->next();
    message = co_await std::move(second);
    CHECK(message->dropped == 0);

    // The bytes count, too.
    const base::Bytes large(1'000'000);
    for (int i = 0; i < 5; ++i) REQUIRE(a.publish_to("chat", large).has_value());
    auto third = joined->next();
    message = co_await std::move(third);
    CHECK(message->data.size() == large.size());
    CHECK(message->dropped == Subscription::kMaxWaiting - 1);  // the small ones, and one large
  };
  run(test);
}

TEST_CASE("marketplace: waiting for a message ends when it is cancelled, and with the registry") {
  Folder folder;
  auto test = [&]() -> awaitable<void> {
    auto opening = open(folder / "a");
    Registry a = co_await std::move(opening);
    auto joined = a.subscribe_to("chat");
    REQUIRE(joined.has_value());
    asio::cancellation_signal cancel;
    const auto executor = co_await asio::this_coro::executor;
    auto wait = [&]() -> awaitable<void> {
      asio::post(executor, [&] { cancel.emit(asio::cancellation_type::terminal); });
      auto waiting = joined->next();
      co_await std::move(waiting);
    };
    bool cancelled = false;
    try {
      auto done = asio::co_spawn(executor, wait(),
                                 asio::bind_cancellation_slot(cancel.slot(), asio::use_awaitable));
      co_await std::move(done);
    } catch (const std::system_error& error) {
      cancelled = error.code() == asio::error::operation_aborted;
    }
    CHECK(cancelled);

    auto stopping = a.stop();
    co_await std::move(stopping);
    auto after = joined->next();
    const auto nothing = co_await std::move(after);
    CHECK_FALSE(nothing.has_value());
    CHECK(a.subscribe_to("chat").error().reason == Reason::kStopped);
    CHECK(a.publish_to("chat", {}).error().reason == Reason::kStopped);
  };
  run(test);
}

TEST_CASE("marketplace: a publish that is cancelled while it packs leaves nothing") {
  Folder folder;
  const fs::path directory = make_package(folder / "tabs", "tabs", "1.0.0");
  fs::resize_file(directory / "src/main.txt",
                  std::uintmax_t{4} << 30);  // a hole: packing takes long
  auto test = [&]() -> awaitable<void> {
    auto opening = open(folder / "a");
    Registry a = co_await std::move(opening);
    asio::cancellation_signal cancel;
    marketplace::ProgressHandler progress = [&](const marketplace::Progress&) {
      cancel.emit(asio::cancellation_type::terminal);
    };
    std::optional<Reason> end;
    auto publish = [&]() -> awaitable<void> {
      auto publishing = a.publish(directory, progress);
      const auto published = co_await std::move(publishing);
      REQUIRE_FALSE(published.has_value());
      end = published.error().reason;
    };
    const auto executor = co_await asio::this_coro::executor;
    auto done = asio::co_spawn(executor, publish(),
                               asio::bind_cancellation_slot(cancel.slot(), asio::use_awaitable));
    co_await std::move(done);
    CHECK(end == Reason::kCancelled);
    CHECK(a.stats().entries == 0);
    CHECK(fs::is_empty(folder / "a/store/blobs"));
    CHECK(fs::is_empty(folder / "a/store/scratch"));
  };
  run(test);
}
