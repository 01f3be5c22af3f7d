// The whole stack over loopback TCP in two processes: this one dials, its child serves.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include <ggen/p2p/host/host.hpp>

#include "child.hpp"
#include "measure.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;
using asio::awaitable;
using asio::use_awaitable;

constexpr std::uint64_t kBulk = std::uint64_t{1} << 30;
constexpr int kRounds = 5;
constexpr int kPings = 20'000;
constexpr int kRequests = 4'000;
constexpr int kConnections = 1'500;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "ggen-bench: {}\n", why);
  std::exit(1);
}

template <class T>
T checked(host::Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

awaitable<double> bulk(host::Host& host, multiformats::PeerId peer, std::uint64_t up,
                       std::uint64_t down) {
  std::vector<double> speeds;
  for (int i = 0; i < kRounds; ++i) {
    const auto start = Clock::now();
    checked(co_await host.measure(peer, up, down));
    speeds.push_back(static_cast<double>(up + down) / 1048576.0 / seconds_since(start));
  }
  co_return median(speeds);
}

// 32 bytes there and back on one stream, as often as kPings; seconds each.
awaitable<std::vector<double>> round_trips(host::Host& host, multiformats::PeerId peer) {
  std::vector<std::string> protocols{kEchoProtocol};
  host::Stream stream = checked(co_await host.open_stream(peer, std::move(protocols)));
  std::array<std::uint8_t, 32> bytes{};
  std::vector<double> times;
  for (int i = 0; i < kPings; ++i) {
    const auto start = Clock::now();
    co_await asio::async_write(stream, asio::buffer(bytes), use_awaitable);
    co_await asio::async_read(stream, asio::buffer(bytes), use_awaitable);
    times.push_back(seconds_since(start));
  }
  stream.finish();
  co_return times;
}

// One request of 1 KiB on a stream of its own, answered by 1 KiB.
awaitable<void> request(host::Host& host, multiformats::PeerId peer) {
  std::vector<std::string> protocols{kRequestProtocol};
  host::Stream stream = checked(co_await host.open_stream(peer, std::move(protocols)));
  std::array<std::uint8_t, 1024> bytes{};
  co_await asio::async_write(stream, asio::buffer(bytes), use_awaitable);
  stream.finish();
  std::array<std::uint8_t, 1025> answer{};
  std::error_code error;
  const std::size_t size = co_await asio::async_read(stream, asio::buffer(answer),
                                                     asio::redirect_error(use_awaitable, error));
  if (size != bytes.size()) give_up("a request was not answered");
}

awaitable<void> many_requests(host::Host& host, multiformats::PeerId peer, int count) {
  for (int i = 0; i < count; ++i) co_await request(host, peer);
}

// Runs `width` of these side by side, kRequests in all; requests a second.
awaitable<double> requests(host::Host& host, multiformats::PeerId peer, int width) {
  const auto executor = co_await asio::this_coro::executor;
  int running = width;
  asio::steady_timer done{executor, Clock::time_point::max()};
  const auto start = Clock::now();
  for (int i = 0; i < width; ++i) {
    asio::co_spawn(executor, many_requests(host, peer, kRequests / width),
                   [&](std::exception_ptr error) {
                     if (error) give_up("a request failed");
                     if (--running == 0) done.cancel();
                   });
  }
  std::error_code ignored;
  co_await done.async_wait(asio::redirect_error(use_awaitable, ignored));
  co_return kRequests / seconds_since(start);
}

awaitable<double> median_requests(host::Host& host, multiformats::PeerId peer, int width) {
  std::vector<double> rates;
  for (int i = 0; i < kRounds; ++i) rates.push_back(co_await requests(host, peer, width));
  co_return median(rates);
}

awaitable<void> measure_stack(host::Host& host, const Child& child, std::string how, Table& table) {
  const auto peer = checked(co_await host.connect(child.address()));
  const double down = co_await bulk(host, peer, 0, kBulk);
  const double up = co_await bulk(host, peer, kBulk, 0);
  const auto times = co_await round_trips(host, peer);
  const double one = co_await median_requests(host, peer, 1);
  const double many = co_await median_requests(host, peer, 32);
  const std::string medians = fmt::format("{}, median of {}", how, kRounds);
  table.push_back({"stack, download", fmt::format("{:.0f} MiB/s", down), medians + " x 1 GiB"});
  table.push_back({"stack, upload", fmt::format("{:.0f} MiB/s", up), medians + " x 1 GiB"});
  table.push_back({"stack, 32 B there and back",
                   fmt::format("p50 {:.0f} us, p99 {:.0f} us", quantile(times, 0.5) * 1e6,
                               quantile(times, 0.99) * 1e6),
                   fmt::format("{}, {} on one stream", how, kPings)});
  table.push_back({"stack, 1 KiB requests on fresh streams, one at a time",
                   fmt::format("{:.0f} /s", one), medians});
  table.push_back({"stack, 1 KiB requests on fresh streams, 32 at a time",
                   fmt::format("{:.0f} /s", many), medians});
  co_await host.stop();
}

void stack(Table& table, bool pinned) {
  const Child child{pinned ? 1 : -1};
  pin(pinned ? 0 : -1);
  asio::io_context loop{1};
  host::Host host = make_host(loop);
  asio::co_spawn(loop, measure_stack(host, child, pinned ? "a core each" : "not pinned", table),
                 [](std::exception_ptr error) {
                   if (error) give_up("the stack could not be measured");
                 });
  loop.run();
  pin(-1);
}

// Connects and leaves, again and again; each connection is new down to its TCP handshake.
awaitable<void> come_and_go(asio::io_context& loop, const Child& child, int count) {
  host::Host host = make_host(loop);
  for (int i = 0; i < count; ++i) {
    const auto peer = checked(co_await host.connect(child.address()));
    checked(co_await host.ping(peer));
    host.disconnect(peer);
  }
  co_await host.stop();
}

double connections_per_second(const Child& child) {
  constexpr int kWidth = 8;
  asio::io_context loop{1};
  const auto start = Clock::now();
  for (int i = 0; i < kWidth; ++i) {
    asio::co_spawn(loop, come_and_go(loop, child, kConnections / kWidth),
                   [](std::exception_ptr error) {
                     if (error) give_up("a connection failed");
                   });
  }
  loop.run();
  return kConnections / seconds_since(start);
}

awaitable<void> connect_and_stay(host::Host& host, const Child& child) {
  const auto peer = checked(co_await host.connect(child.address()));
  checked(co_await host.identify(peer));  // all that a new connection brings is done
}

}  // namespace

void stack_rows(Table& table) {
  stack(table, true);
  stack(table, false);
}

void connection_rows(Table& table) {
  {
    const Child child{1};
    pin(0);
    std::vector<double> rates;
    for (int i = 0; i < kRounds; ++i) rates.push_back(connections_per_second(child));
    table.push_back(
        {"new connections, secured, one ping each, closed", fmt::format("{:.0f} /s", median(rates)),
         fmt::format("a core each, 8 at a time, median of {} x {}", kRounds, kConnections)});
  }
  const Child child{-1};
  pin(-1);
  const std::size_t before = resident(child.pid());
  table.push_back({"RSS of a node at rest",
                   fmt::format("{:.1f} MiB", static_cast<double>(before) / 1048576.0),
                   "a process that listens, no connection"});
  constexpr std::size_t kIdle = 1000;
  asio::io_context loop{1};
  std::vector<std::unique_ptr<host::Host>> hosts;
  for (std::size_t i = 0; i < kIdle; ++i) {
    hosts.push_back(std::make_unique<host::Host>(make_host(loop)));
    asio::co_spawn(loop, connect_and_stay(*hosts.back(), child), [](std::exception_ptr error) {
      if (error) give_up("an idle connection failed");
    });
    // A few at a time: the server bounds how many may be half-open.
    if (i % 16 == 15) loop.run_for(std::chrono::milliseconds{40});
  }
  loop.run_for(std::chrono::seconds{2});
  const std::size_t after = resident(child.pid());
  table.push_back(
      {"RSS of a connection at rest",
       fmt::format("{:.1f} KiB", static_cast<double>(after - before) / kIdle / 1024.0),
       fmt::format("of the serving process, over {} connections from as many peers", kIdle)});
}

}  // namespace bench
