#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <ggen/p2p/base/frame.hpp>

#include "../support/folder.hpp"
#include "control_client.hpp"
#include "control_path.hpp"
#include "control_server.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::cli;
using ggen::p2p::test::Folder;
using ggen::p2p::test::read_file;
using ggen::p2p::test::write_file;
using namespace std::chrono_literals;
using Socket = asio::local::stream_protocol::socket;

namespace {

constexpr auto kPatience = 20s;  // for what should take no time

/// Answers each command in its own way: see below.
class FakeService final : public Service {
 public:
  explicit FakeService(asio::io_context& loop) : loop_(loop) {}

  Answer publish(request::Publish request, Report report) override {
    Json progress;
    progress["phase"] = "pack";
    report(progress);
    Json json;
    json["directory"] = request.directory;
    co_return json;
  }
  /// Reports as fast as it can, then answers.
  Answer search(request::Search, Report report) override {
    for (int i = 0; i < 20'000; ++i) {
      Json progress;
      progress["bytes"] = i;
      progress["filler"] = std::string(100, 'x');
      report(progress);
    }
    reported = true;
    Json json;
    json["done"] = true;
    co_return json;
  }
  /// Never ends by itself.
  Answer get(request::Get, Report) override {
    ++gets;
    asio::steady_timer timer{loop_, std::chrono::hours{1}};
    try {
      co_await timer.async_wait(asio::use_awaitable);
    } catch (const std::system_error&) {
      ++cancelled;
      throw;
    }
    co_return Json{};
  }
  Answer dht_query(request::DhtQuery) override { co_return Json{}; }
  Answer dht_table() override { co_return Json{}; }
  Answer pubsub_look(request::PubsubLook) override { co_return Json{}; }
  /// Sends large messages, one after the other.
  Answer pubsub_subscribe(request::PubsubSubscribe request, Send send) override {
    try {
      for (sent = 0; sent < request.count; ++sent) {
        Json state;
        state["message"] = std::string(10'000, 'x');
        auto sending = send(std::move(state));
        co_await std::move(sending);
      }
    } catch (const std::system_error&) {
      ++cancelled;
      throw;
    }
    co_return Json{};
  }
  Answer pubsub_publish(request::PubsubPublish) override { co_return Json{}; }
  Answer status() override {
    Json json;
    json["peer_id"] = "me";
    co_return json;
  }
  Answer peers() override {
    throw_something();
    co_return Json{};
  }
  Answer stop() override {
    if (on_stop) on_stop();
    Json json;
    json["peer_id"] = "me";
    co_return json;
  }

  int gets = 0;
  int cancelled = 0;
  std::uint64_t sent = 0;
  bool reported = false;
  std::function<void()> on_stop;

 private:
  static void throw_something() { throw std::runtime_error("broken"); }
  asio::io_context& loop_;
};

struct Fixture {
  asio::io_context loop{1};
  FakeService service{loop};
  ControlServer server;

  explicit Fixture(ControlLimits limits = {}) : server(loop.get_executor(), service, limits) {}

  /// A client's end of a connection that the server serves.
  Socket connect() {
    Socket ours{loop};
    Socket theirs{loop};
    asio::local::connect_pair(ours, theirs);
    server.serve(std::move(theirs));
    return ours;
  }
  void send(Socket& socket, const base::Buffer& frame) {
    asio::write(socket, asio::buffer(frame.data(), frame.size()));
  }
  /// Runs until `done`.
  void run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      loop.restart();
      loop.run_one_for(100ms);
    }
    CHECK(done());
  }
  /// Runs until nothing more can be done without the client.
  void run_dry() {
    do {
      loop.restart();
    } while (loop.poll() > 0);
  }
  /// Everything that the server sends until it closes.
  std::string receive_all(Socket& socket) {
    std::string received;
    bool closed = false;
    std::array<char, 4096> block{};
    std::function<void()> read = [&] {
      socket.async_read_some(asio::buffer(block), [&](std::error_code error, std::size_t size) {
        received.append(block.data(), size);
        if (error) {
          closed = true;
        } else {
          read();
        }
      });
    };
    read();
    run_until([&] { return closed; });
    return received;
  }
  /// The last word to what a client sent.
  Result<Json> last_word(Socket& socket) {
    const std::string received = receive_all(socket);
    base::Buffer data = base::Buffer::copy_of(base::as_bytes(received));
    base::FrameDecoder decoder{kMaxResponseFrame};
    std::optional<Result<Json>> last;
    while (!data.empty()) {
      auto frame = decoder.take(data);
      REQUIRE(frame);
      REQUIRE(frame->has_value());
      auto response = decode_response((*frame)->view());
      REQUIRE(response);
      CHECK_FALSE(last);
      if (auto* word = std::get_if<Result<Json>>(&*response)) last = std::move(*word);
    }
    REQUIRE(last);
    return *last;
  }
};

base::Buffer bytes(std::string_view text) {
  return base::Buffer::copy_of(base::as_bytes(text));
}

}  // namespace

TEST_CASE("control server: a request gets progress, then one last word") {
  Fixture f;
  Socket client = f.connect();
  f.send(client, encode(request::Publish{"/x"}));
  CHECK(f.last_word(client).value()["directory"] == "/x");
  CHECK(f.server.clients() == 0);
}

TEST_CASE("control server: a request may come byte by byte") {
  Fixture f;
  Socket client = f.connect();
  const base::Buffer frame = encode(request::Status{});
  for (std::size_t i = 0; i < frame.size(); ++i) {
    f.send(client, frame.slice(i, 1));
    f.loop.restart();
    f.loop.poll();
  }
  CHECK(f.last_word(client).value()["peer_id"] == "me");
}

TEST_CASE("control server: hostile bytes get an error, and cost one connection") {
  Fixture f;
  const std::string giant = "\xFF\xFF\xFF\xFF\x7F";  // a length of 32 GiB
  const std::string endless(20, '\xFF');
  const base::Buffer no_json = base::encode_frame(base::as_bytes("garbage"));
  base::Bytes two;
  for (int i = 0; i < 2; ++i) base::append(two, encode(request::Status{}).view());
  for (const base::Buffer& sent :
       {bytes(giant), bytes(endless), no_json, base::Buffer::copy_of(two)}) {
    Socket client = f.connect();
    f.send(client, sent);
    const auto answer = f.last_word(client);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Exit::kFailed);
    CHECK(answer.error().message.contains("did not understand"));
  }
  CHECK(f.server.clients() == 0);
}

TEST_CASE("control server: half a frame, then silence, ends in time") {
  ControlLimits limits;
  limits.request_timeout = 50ms;
  Fixture f{limits};
  Socket client = f.connect();
  const base::Buffer frame = encode(request::Status{});
  f.send(client, frame.slice(0, frame.size() - 1));
  CHECK(f.receive_all(client).empty());
  CHECK(f.server.clients() == 0);
}

TEST_CASE("control server: a client that goes away cancels its operation") {
  Fixture f;
  Socket client = f.connect();
  f.send(client, encode(request::Get{"x", "/x"}));
  f.run_until([&] { return f.service.gets == 1; });
  CHECK(f.service.cancelled == 0);
  client.close();
  f.run_until([&] { return f.service.cancelled == 1 && f.server.clients() == 0; });
}

TEST_CASE("control server: closing cancels what is under way, and says so") {
  Fixture f;
  Socket client = f.connect();
  Socket silent = f.connect();
  f.send(client, encode(request::Get{"x", "/x"}));
  f.run_until([&] { return f.service.gets == 1; });
  f.server.close();
  const auto answer = f.last_word(client);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Exit::kInterrupted);
  CHECK(f.service.cancelled == 1);
  CHECK(f.receive_all(silent).empty());
}

TEST_CASE(
    "control server: a slow client holds up nobody, and only the latest report waits for it") {
  Fixture f;
  Socket slow = f.connect();
  f.send(slow, encode(request::Search{}));
  f.run_until([&] { return f.service.reported; });
  Socket other = f.connect();
  f.send(other, encode(request::Status{}));
  CHECK(f.last_word(other).value()["peer_id"] == "me");
  // Of 20,000 reports, those that were written before the socket was full, and the last word.
  const std::string received = f.receive_all(slow);
  CHECK(received.size() < 1024 * 1024);
  CHECK(received.contains("\"done\":true"));
}

TEST_CASE("control server: what is sent waits for a slow client, and none of it is lost") {
  Fixture f;
  Socket slow = f.connect();
  f.send(slow, encode(request::PubsubSubscribe{"chat", 1000}));
  f.run_dry();
  CHECK(f.service.sent > 0);
  CHECK(f.service.sent < 200);  // what the socket takes, and two more
  const std::string received = f.receive_all(slow);
  CHECK(f.service.sent == 1000);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = received.find("message", at)) != std::string::npos; ++at) ++count;
  CHECK(count == 1000);
}

TEST_CASE("control server: who waits for a slow client hears that it has gone, or the node stops") {
  for (const bool stops : {false, true}) {
    Fixture f;
    Socket slow = f.connect();
    f.send(slow, encode(request::PubsubSubscribe{"chat", 1000}));
    f.run_dry();
    if (stops) {
      f.server.close();
    } else {
      slow.close();
    }
    f.run_until([&] { return f.service.cancelled == 1; });
    if (stops) f.receive_all(slow);
    f.run_until([&] { return f.server.clients() == 0; });
  }
}

TEST_CASE("control server: a client that reads nothing is given up") {
  ControlLimits limits;
  limits.answer_timeout = 50ms;
  Fixture f{limits};
  Socket slow = f.connect();
  f.send(slow, encode(request::Search{}));
  // Both ends are open, and nobody reads.
  f.run_until([&] { return f.service.reported && f.server.clients() == 0; });
}

TEST_CASE("control server: what a service throws is an error of that command") {
  Fixture f;
  Socket client = f.connect();
  f.send(client, encode(request::Peers{}));
  const auto answer = f.last_word(client);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message.contains("broken"));
}

TEST_CASE("control server: more clients than allowed are told so") {
  ControlLimits limits;
  limits.max_clients = 2;
  Fixture f{limits};
  Socket first = f.connect();
  Socket second = f.connect();
  Socket third = f.connect();
  const auto answer = f.last_word(third);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message.contains("too many"));
  first.close();
  f.run_until([&] { return f.server.clients() == 1; });
  Socket fourth = f.connect();
  f.send(fourth, encode(request::Status{}));
  CHECK(f.last_word(fourth));
}

TEST_CASE("control: over a socket in a home that only its owner can open") {
  const Folder home;
  Fixture f;
  // A killed node leaves its socket behind.
  {
    asio::local::stream_protocol::acceptor stale{
        f.loop, asio::local::stream_protocol::endpoint{(home / "control.sock").string()}};
  }
  const mode_t before = ::umask(0);
  const auto opened = f.server.open(home.path());
  ::umask(before);
  REQUIRE(opened);
  struct stat info{};
  REQUIRE(::stat((home / "control.sock").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);

  std::thread node{[&] { f.loop.run(); }};
  std::vector<std::string> phases;
  const auto published = call_node(
      home.path(), request::Publish{"/x"},
      [&](const Json& progress) { phases.push_back(progress["phase"]); }, kPatience);
  REQUIRE(published);
  CHECK((*published)["directory"] == "/x");
  CHECK(phases == std::vector<std::string>{"pack"});
  const auto late = call_node(home.path(), request::Get{"x", "/x"}, {}, 50ms);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Exit::kTimeout);
  asio::post(f.loop, [&] { f.server.close(); });
  node.join();
  CHECK_FALSE(std::filesystem::exists(home / "control.sock"));
}

TEST_CASE("control: `stop` waits until the node has ended") {
  const Folder home;
  Fixture f;
  REQUIRE(f.server.open(home.path()));
  f.service.on_stop = [&] { asio::post(f.loop, [&] { f.server.close(); }); };
  std::atomic<bool> ended = false;
  std::thread node{[&] {
    f.loop.run();
    auto waiting = f.server.take_waiting_for_end();
    CHECK(waiting.size() == 1);
    ended = true;
    waiting.clear();
  }};
  const auto stopped = call_node(home.path(), request::Stop{}, {}, kPatience);
  CHECK(stopped);
  CHECK(ended);
  node.join();
}

TEST_CASE("control: a home with a long path has a socket too") {
  const Folder folder;
  const auto home = folder.path() / std::string(100, 'a') / std::string(100, 'b');
  std::filesystem::create_directories(home);
  Fixture f;
  REQUIRE(f.server.open(home));
  CHECK(std::filesystem::exists(home / "control.sock"));
  std::thread node{[&] { f.loop.run(); }};
  CHECK(call_node(home, request::Status{}, {}, kPatience));
  asio::post(f.loop, [&] { f.server.close(); });
  node.join();
  CHECK_FALSE(std::filesystem::exists(home / "control.sock"));
  CHECK(call_node(home, request::Status{}, {}, kPatience).error().code == Exit::kNoNode);
}

TEST_CASE("control: without a node there is one clear error") {
  const Folder home;
  for (const auto& path : {home.path(), home / "not/there"}) {
    const auto answer = call_node(path, request::Status{}, {}, kPatience);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Exit::kNoNode);
    CHECK(answer.error().message.contains(path.string()));
    CHECK(answer.error().hint.contains("ggen-p2p start --home"));
  }
  // Something else under its name is not touched.
  write_file(home / "control.sock", "mine");
  Fixture f;
  CHECK(f.server.open(home.path()).error().code == Exit::kHome);
  CHECK(read_file(home / "control.sock") == "mine");
}
