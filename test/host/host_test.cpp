#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/error.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <ggen/p2p/host/host.hpp>

using namespace ggen::p2p;
using namespace std::chrono_literals;
using asio::awaitable;
using asio::use_awaitable;
using host::Errc;
using host::Host;
using host::Stream;
using multiformats::Multiaddr;

namespace {

const Multiaddr kAnyPort = *Multiaddr::parse("/ip4/127.0.0.1/tcp/0");

// Runs a test's coroutine to its end; one that hangs is ended by the deadline.
void run(asio::io_context& loop, awaitable<void> test) {
  bool done = false;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(test), [&](std::exception_ptr error) {
    failure = error;
    done = true;
    loop.stop();
  });
  loop.run_for(60s);
  REQUIRE(done);
  if (failure) std::rethrow_exception(failure);
}

struct Two {
  explicit Two(host::Config config = {})
      : a(loop.get_executor(), host::generate_identity(), config),
        b(loop.get_executor(), host::generate_identity(), config) {}

  awaitable<void> connect() {
    const auto bound = co_await b.listen(kAnyPort);
    REQUIRE(bound);
    const auto peer = co_await a.connect(b.addresses().front());
    REQUIRE(peer);
    CHECK(*peer == b.id());
  }

  awaitable<Stream> open(std::string protocol) {
    std::vector<std::string> protocols{std::move(protocol)};
    auto stream = co_await a.open_stream(b.id(), std::move(protocols));
    REQUIRE(stream);
    co_return std::move(*stream);
  }

  asio::io_context loop{1};
  Host a;
  Host b;
};

awaitable<void> echo(Stream stream) {
  std::vector<char> block(16 * 1024);
  std::error_code error;
  for (;;) {
    const std::size_t size = co_await stream.async_read_some(
        asio::buffer(block), asio::redirect_error(use_awaitable, error));
    if (error) break;
    co_await asio::async_write(stream, asio::buffer(block.data(), size), use_awaitable);
  }
  stream.finish();
}

}  // namespace

TEST_CASE("host: connect, identify, ping") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    co_await t.connect();
    const auto info = co_await t.a.identify(t.b.id());
    REQUIRE(info);
    CHECK(info->agent_version == "ggen-p2p/0.1.0");
    CHECK(info->observed_addr);
    CHECK_FALSE(info->signed_peer_record.empty());
    const auto round_trip = co_await t.a.ping(t.b.id());
    REQUIRE(round_trip);
    CHECK(*round_trip > 0ns);
    // The other side knows who called, and can call back over the same connection.
    CHECK(co_await t.b.ping(t.a.id()));
  }(two));
}

TEST_CASE("host: Asio's composed operations run on a stream") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    t.b.handle("/lines/1", [](Stream stream) -> awaitable<void> {
      std::string line;
      const std::size_t size =
          co_await asio::async_read_until(stream, asio::dynamic_buffer(line), '\n', use_awaitable);
      const std::string answer = "you said " + line.substr(0, size);
      co_await asio::async_write(stream, asio::buffer(answer), use_awaitable);
      stream.finish();
    });
    co_await t.connect();
    Stream stream = co_await t.open("/lines/1");
    const std::string hello = "hello\nand more";
    co_await asio::async_write(stream, asio::buffer(hello), use_awaitable);
    std::string answer;
    std::error_code error;
    co_await asio::async_read(stream, asio::dynamic_buffer(answer),
                              asio::redirect_error(use_awaitable, error));
    CHECK(error == asio::error::eof);
    CHECK(answer == "you said hello\n");
    CHECK(stream.peer() == t.b.id());
  }(two));
}

TEST_CASE("host: megabytes pass unharmed, and a reader that is slow stops the writer") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    t.b.handle("/echo/1", echo);
    co_await t.connect();
    Stream stream = co_await t.open("/echo/1");
    std::vector<std::uint8_t> sent(8 * 1024 * 1024);
    base::Prng prng{1};
    prng.fill(sent);
    std::vector<std::uint8_t> received(sent.size());
    using namespace asio::experimental::awaitable_operators;
    const auto send = [](Stream& s, const std::vector<std::uint8_t>& bytes) -> awaitable<void> {
      co_await asio::async_write(s, asio::buffer(bytes), use_awaitable);
      s.finish();
    };
    const auto receive = [](Stream& s, std::vector<std::uint8_t>& bytes) -> awaitable<void> {
      co_await asio::async_read(s, asio::buffer(bytes), use_awaitable);
    };
    co_await (send(stream, sent) && receive(stream, received));
    CHECK(received == sent);
  }(two));
}

TEST_CASE("host: a write completes only at the pace of the reader") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    std::optional<Stream> accepted;
    asio::steady_timer arrived{t.loop, std::chrono::steady_clock::time_point::max()};
    t.b.handle("/sink/1", [&](Stream stream) -> awaitable<void> {
      accepted.emplace(std::move(stream));
      arrived.cancel();
      co_return;
    });
    co_await t.connect();
    Stream stream = co_await t.open("/sink/1");
    std::error_code ignored;
    if (!accepted) co_await arrived.async_wait(asio::redirect_error(use_awaitable, ignored));
    // Nobody reads: what the two queues and the window hold is taken, and no more.
    std::size_t written = 0;
    const std::vector<std::uint8_t> block(64 * 1024);
    asio::steady_timer patience{t.loop};
    using namespace asio::experimental::awaitable_operators;
    for (;;) {
      patience.expires_after(300ms);
      const auto outcome = co_await (stream.async_write_some(asio::buffer(block), use_awaitable) ||
                                     patience.async_wait(use_awaitable));
      if (outcome.index() == 1) break;  // the write was cancelled: no byte of it was taken
      written += std::get<0>(outcome);
    }
    CHECK(written >= 256 * 1024);
    CHECK(written < 2 * 1024 * 1024);
    // Every byte that was taken arrives.
    stream.finish();
    std::vector<std::uint8_t> all;
    co_await asio::async_read(*accepted, asio::dynamic_buffer(all),
                              asio::redirect_error(use_awaitable, ignored));
    CHECK(all.size() == written);
  }(two));
}

TEST_CASE("host: a cancelled read loses nothing") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    t.b.handle("/echo/1", echo);
    co_await t.connect();
    Stream stream = co_await t.open("/echo/1");
    std::array<char, 8> bytes{};
    asio::steady_timer soon{t.loop, 20ms};
    using namespace asio::experimental::awaitable_operators;
    const auto outcome = co_await (stream.async_read_some(asio::buffer(bytes), use_awaitable) ||
                                   soon.async_wait(use_awaitable));
    CHECK(outcome.index() == 1);
    const std::string text = "still on";
    co_await asio::async_write(stream, asio::buffer(text), use_awaitable);
    co_await asio::async_read(stream, asio::buffer(bytes), use_awaitable);
    CHECK(std::string(bytes.begin(), bytes.end()) == text);
  }(two));
}

TEST_CASE("host: protocols are agreed on, refused, and no longer answered") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    t.b.handle("/echo/1", echo);
    co_await t.connect();
    std::vector<std::string> wanted{"/echo/2", "/echo/1"};
    const auto agreed = co_await t.a.open_stream(t.b.id(), std::move(wanted));
    REQUIRE(agreed);
    CHECK(agreed->protocol() == "/echo/1");

    std::vector<std::string> unknown{"/x", "/y"};
    const auto none = co_await t.a.open_stream(t.b.id(), std::move(unknown));
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::kProtocolRefused);

    t.b.unhandle("/echo/1");
    Stream stream = co_await t.open("/echo/1");
    std::array<char, 1> byte{};
    std::error_code error;
    co_await stream.async_read_some(asio::buffer(byte), asio::redirect_error(use_awaitable, error));
    CHECK(error == Errc::kProtocolRefused);
  }(two));
}

TEST_CASE("host: what is no protocol id is refused, not negotiated") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    co_await t.connect();
    const std::vector<std::vector<std::string>> bad{
        {}, {""}, {"/a\n/b"}, {"/ok", std::string(2000, 'x')}};
    for (const auto& protocols : bad) {
      const auto stream = co_await t.a.open_stream(t.b.id(), protocols);
      REQUIRE_FALSE(stream);
      CHECK(stream.error().code == Errc::kInvalidProtocol);
    }
    CHECK_THROWS_AS(t.a.handle("/a\n/b", echo), std::invalid_argument);
  }(two));
}

TEST_CASE("host: a handler may be replaced while what it started still runs") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    const auto answer = std::make_shared<std::string>("from the first handler");
    t.b.handle("/swap/1", [answer](Stream stream) -> awaitable<void> {
      std::array<char, 1> byte{};
      co_await asio::async_read(stream, asio::buffer(byte), use_awaitable);
      co_await asio::async_write(stream, asio::buffer(*answer), use_awaitable);
      stream.finish();
    });
    co_await t.connect();
    Stream stream = co_await t.open("/swap/1");
    CHECK(co_await t.a.ping(t.b.id()));  // by now the handler waits for its byte
    t.b.unhandle("/swap/1");
    const std::array<char, 1> byte{};
    co_await asio::async_write(stream, asio::buffer(byte), use_awaitable);
    std::string text;
    std::error_code error;
    co_await asio::async_read(stream, asio::dynamic_buffer(text),
                              asio::redirect_error(use_awaitable, error));
    CHECK(text == *answer);
  }(two));
}

TEST_CASE("host: what was written before the handle went still arrives") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    // More than a send queue and a window hold: most of it waits when the handler returns.
    const std::vector<std::uint8_t> answer(400 * 1024, 7);
    t.b.handle("/answer/1", [&answer](Stream stream) -> awaitable<void> {
      co_await asio::async_write(stream, asio::buffer(answer), use_awaitable);
      stream.finish();
    });
    co_await t.connect();
    Stream stream = co_await t.open("/answer/1");
    // What it has written fits the window and the send queue: when two pings have passed, the
    // handler is gone.
    for (int n = 0; n < 2; ++n) CHECK(co_await t.a.ping(t.b.id()));
    std::vector<std::uint8_t> all;
    std::error_code error;
    co_await asio::async_read(stream, asio::dynamic_buffer(all),
                              asio::redirect_error(use_awaitable, error));
    CHECK(error == asio::error::eof);
    CHECK(all.size() == answer.size());
  }(two));
}

TEST_CASE("host: everybody who asks for the end is told of it") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    co_await t.connect();
    using namespace asio::experimental::awaitable_operators;
    co_await (t.a.stop() && t.a.stop());
    co_await t.a.stop();
  }(two));
}

TEST_CASE("host: may be destroyed by a coroutine that one of its streams resumed") {
  asio::io_context loop{1};
  auto server = std::make_unique<Host>(loop.get_executor(), host::generate_identity());
  auto client = std::make_unique<Host>(loop.get_executor(), host::generate_identity());
  server->handle("/echo/1", echo);
  bool done = false;
  asio::co_spawn(
      loop,
      [](Host& to, std::unique_ptr<Host> from, bool& finished) -> awaitable<void> {
        co_await to.listen(kAnyPort);
        co_await from->connect(to.addresses().front());
        std::vector<std::string> protocols{"/echo/1"};
        auto first = co_await from->open_stream(to.id(), protocols);
        auto second = co_await from->open_stream(to.id(), protocols);
        std::array<char, 4> bytes{};
        co_await asio::async_write(*first, asio::buffer(bytes), use_awaitable);
        co_await asio::async_read(*first, asio::buffer(bytes), use_awaitable);
        from.reset();
        finished = true;
      }(*server, std::move(client), done),
      asio::detached);
  loop.run_for(10s);
  CHECK(done);
}

TEST_CASE("host: who always has something to read leaves others their turn") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    co_await t.connect();
    t.b.handle("/bytes/1", [](Stream stream) -> awaitable<void> {
      const std::vector<char> bytes(1000);
      co_await asio::async_write(stream, asio::buffer(bytes), use_awaitable);
      stream.finish();
    });
    Stream stream = co_await t.open("/bytes/1");
    std::array<char, 1> byte{};
    co_await asio::async_read(stream, asio::buffer(byte), use_awaitable);
    bool others = false;
    asio::post(t.loop, [&others] { others = true; });
    // All has come: each of these reads is over as soon as it begins.
    for (int reads = 0; !others; ++reads) {
      REQUIRE(reads < 100);
      co_await asio::async_read(stream, asio::buffer(byte), use_awaitable);
    }
  }(two));
}

TEST_CASE("host: a loop that ends before a read is told of its bytes leaks nothing") {
  asio::io_context loop{1};
  Host a{loop.get_executor(), host::generate_identity()};
  Host b{loop.get_executor(), host::generate_identity()};
  b.handle("/echo/1", echo);
  asio::co_spawn(
      loop,
      [](asio::io_context& own, Host& from, Host& to) -> awaitable<void> {
        co_await to.listen(kAnyPort);
        co_await from.connect(to.addresses().front());
        std::vector<std::string> protocols{"/echo/1"};
        auto stream = co_await from.open_stream(to.id(), std::move(protocols));
        std::array<char, 4> bytes{};
        own.stop();
        co_await asio::async_write(*stream, asio::buffer(bytes), use_awaitable);
      }(loop, a, b),
      asio::detached);
  loop.run_for(10s);
  CHECK(loop.stopped());
}

TEST_CASE("host: a socket that breaks under a write costs its connection only") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    co_await t.connect();
    // A server that hangs up with a RST as soon as the first bytes have come.
    asio::ip::tcp::acceptor acceptor{t.loop, {asio::ip::address_v4::loopback(), 0}};
    const auto address =
        *Multiaddr::parse("/ip4/127.0.0.1/tcp/" + std::to_string(acceptor.local_endpoint().port()));
    using namespace asio::experimental::awaitable_operators;
    const auto slam = [](asio::ip::tcp::acceptor& from) -> awaitable<void> {
      auto socket = co_await from.async_accept(use_awaitable);
      socket.set_option(asio::socket_base::linger{true, 0});
      socket.close();
    };
    const auto result = co_await (t.a.connect(address) && slam(acceptor));
    CHECK_FALSE(result);
    CHECK(co_await t.a.ping(t.b.id()));
  }(two));
}

TEST_CASE("host: an exception in a handler resets its stream and nothing else") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    t.b.handle("/throws/1", [](Stream) -> awaitable<void> {
      throw std::runtime_error("on purpose");
      co_return;
    });
    co_await t.connect();
    Stream stream = co_await t.open("/throws/1");
    std::array<char, 1> byte{};
    std::error_code error;
    co_await stream.async_read_some(asio::buffer(byte), asio::redirect_error(use_awaitable, error));
    CHECK(error == Errc::kStreamReset);
    CHECK(co_await t.a.ping(t.b.id()));
  }(two));
}

TEST_CASE("host: what cannot be dialled is explained, address by address") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    REQUIRE(co_await t.b.listen(kAnyPort));
    // A port that was free a moment ago.
    asio::ip::tcp::acceptor taken{t.loop, {asio::ip::address_v4::loopback(), 0}};
    const auto port = taken.local_endpoint().port();
    taken.close();
    const auto closed = *Multiaddr::parse("/ip4/127.0.0.1/tcp/" + std::to_string(port));
    const auto refused = co_await t.a.connect(closed);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::kNotConnected);
    CHECK(refused.error().message.find(closed.to_string()) != std::string::npos);

    const auto wrong = co_await t.a.connect(t.b.addresses().front().without_peer_id().with_peer_id(
        multiformats::PeerId::of(host::generate_identity().public_key())));
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Errc::kNotConnected);

    const auto nobody = co_await t.a.connect(*Multiaddr::parse("/ip4/127.0.0.1/udp/1"));
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code == Errc::kInvalidAddress);
  }(two));
}

TEST_CASE("host: names are resolved") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    const auto bound = co_await t.b.listen(kAnyPort);
    REQUIRE(bound);
    const auto port = bound->front().tcp_port();
    REQUIRE(port);
    const auto named = *Multiaddr::parse("/dns4/localhost/tcp/" + std::to_string(*port));
    const auto peer = co_await t.a.connect(named);
    REQUIRE(peer);
    CHECK(*peer == t.b.id());
  }(two));
}

TEST_CASE("host: IPv6") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    const auto bound = co_await t.b.listen(*Multiaddr::parse("/ip6/::1/tcp/0"));
    REQUIRE(bound);
    CHECK(bound->front().to_string().starts_with("/ip6/::1/tcp/"));
    CHECK(co_await t.a.connect(t.b.addresses().front()));
  }(two));
}

TEST_CASE("host: a port in use is one clear sentence") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    const auto bound = co_await t.b.listen(kAnyPort);
    REQUIRE(bound);
    const auto again = co_await t.a.listen(bound->front());
    REQUIRE_FALSE(again);
    CHECK(again.error().code == std::errc::address_in_use);
    CHECK(again.error().message.find(bound->front().to_string()) != std::string::npos);
  }(two));
}

TEST_CASE("host: garbage on the socket is dropped with a reason, and the host lives on") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    const auto bound = co_await t.b.listen(kAnyPort);
    REQUIRE(bound);
    base::Prng prng{2};
    for (int i = 0; i < 20; ++i) {
      asio::ip::tcp::socket socket{t.loop};
      const asio::ip::tcp::endpoint endpoint{asio::ip::address_v4::loopback(),
                                             *bound->front().tcp_port()};
      co_await socket.async_connect(endpoint, use_awaitable);
      std::vector<std::uint8_t> garbage(1 + prng.below(4000));
      prng.fill(garbage);
      std::error_code error;
      co_await asio::async_write(socket, asio::buffer(garbage),
                                 asio::redirect_error(use_awaitable, error));
      socket.shutdown(asio::ip::tcp::socket::shutdown_send, error);
      // The host hangs up.
      std::vector<std::uint8_t> rest;
      co_await asio::async_read(socket, asio::dynamic_buffer(rest),
                                asio::redirect_error(use_awaitable, error));
    }
    CHECK(co_await t.a.connect(t.b.addresses().front()));
    CHECK(t.b.swarm().history().closed.size() == 20);
    for (const auto& record : t.b.swarm().history().closed) {
      REQUIRE(record.cause);
      CHECK_FALSE(swarm::to_string(*record.cause).empty());
      CHECK_FALSE(record.peer);
    }
  }(two));
}

TEST_CASE("host: the pool keeps the loop free and brings its result back") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    const auto loop_thread = std::this_thread::get_id();
    auto job = [] { return std::this_thread::get_id(); };
    const auto pool_thread = co_await t.a.pool().run(job);
    CHECK(pool_thread != loop_thread);
    CHECK(std::this_thread::get_id() == loop_thread);
  }(two));
}

TEST_CASE("host: perf is served only when told to") {
  host::Config config;
  config.node.serve_perf = true;
  Two two{config};
  run(two.loop, [](Two& t) -> awaitable<void> {
    co_await t.connect();
    const auto result = co_await t.a.measure(t.b.id(), 3'000'000, 5'000'000);
    REQUIRE(result);
    CHECK(result->uploaded == 3'000'000);
    CHECK(result->downloaded == 5'000'000);
  }(two));
  Two silent;
  run(silent.loop, [](Two& t) -> awaitable<void> {
    co_await t.connect();
    const auto result = co_await t.a.measure(t.b.id(), 1, 1);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::kProtocolRefused);
  }(silent));
}

TEST_CASE("host: stop says goodbye and ends what waits") {
  Two two;
  run(two.loop, [](Two& t) -> awaitable<void> {
    t.b.handle("/silent/1", [](Stream stream) -> awaitable<void> {
      std::array<char, 1> byte{};
      std::error_code error;
      co_await stream.async_read_some(asio::buffer(byte),
                                      asio::redirect_error(use_awaitable, error));
    });
    co_await t.connect();
    Stream stream = co_await t.open("/silent/1");
    const auto wait_for_bytes = [](Stream& s) -> awaitable<std::error_code> {
      std::array<char, 1> byte{};
      std::error_code error;
      co_await s.async_read_some(asio::buffer(byte), asio::redirect_error(use_awaitable, error));
      co_return error;
    };
    using namespace asio::experimental::awaitable_operators;
    const auto error = co_await (wait_for_bytes(stream) && t.a.stop());
    CHECK(error);
    const auto late = co_await t.a.connect(t.b.addresses().front());
    REQUIRE_FALSE(late);
    CHECK(late.error().code == Errc::kStopped);
  }(two));
}

TEST_CASE("host: may be destroyed in the middle of everything") {
  asio::io_context loop{1};
  {
    Host a{loop.get_executor(), host::generate_identity()};
    Host b{loop.get_executor(), host::generate_identity()};
    b.handle("/echo/1", echo);
    asio::co_spawn(
        loop,
        [](Host& from, Host& to) -> awaitable<void> {
          co_await to.listen(kAnyPort);
          co_await from.connect(to.addresses().front());
          std::vector<std::string> protocols{"/echo/1"};
          auto stream = co_await from.open_stream(to.id(), std::move(protocols));
          std::vector<char> block(1 << 20);
          for (;;) co_await asio::async_write(*stream, asio::buffer(block), use_awaitable);
        }(a, b),
        asio::detached);
    loop.run_for(200ms);
  }
  loop.restart();
  loop.run_for(1s);  // what was aborted unwinds
}
