#include "workloads.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include <asio/co_spawn.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include "measure.hpp"
#include "server.hpp"

namespace bench {

using namespace ggen::p2p;
using asio::awaitable;
using asio::use_awaitable;
using multiformats::PeerId;

void give_up(const std::string& why) {
  fmt::print(stderr, "ggen-bench: {}\n", why);
  std::exit(1);
}

namespace {

awaitable<host::Stream> open(host::Host& host, PeerId peer, const std::string& protocol) {
  std::vector<std::string> protocols{protocol};
  co_return checked(co_await host.open_stream(peer, std::move(protocols)));
}

}  // namespace

awaitable<double> side_by_side(int width, std::function<awaitable<void>()> task) {
  const auto executor = co_await asio::this_coro::executor;
  int running = width;
  asio::steady_timer done{executor, Clock::time_point::max()};
  const auto start = Clock::now();
  for (int i = 0; i < width; ++i) {
    asio::co_spawn(executor, task(), [&](std::exception_ptr error) {
      if (error) give_up("a task failed");
      if (--running == 0) done.cancel();
    });
  }
  std::error_code ignored;
  co_await done.async_wait(asio::redirect_error(use_awaitable, ignored));
  co_return seconds_since(start);
}

namespace {

awaitable<void> measure(host::Host& host, PeerId peer, Transfer each) {
  checked(co_await host.measure(peer, each.up, each.down));
}

awaitable<void> request(host::Host& host, PeerId peer) {
  host::Stream stream = co_await open(host, peer, kRequestProtocol);
  std::array<std::uint8_t, 1024> bytes{};
  co_await asio::async_write(stream, asio::buffer(bytes), use_awaitable);
  stream.finish();
  std::array<std::uint8_t, 1025> answer{};
  std::error_code error;
  const std::size_t size = co_await asio::async_read(stream, asio::buffer(answer),
                                                     asio::redirect_error(use_awaitable, error));
  if (size != bytes.size()) give_up("a request was not answered");
}

awaitable<void> many_requests(host::Host& host, PeerId peer, int count) {
  for (int i = 0; i < count; ++i) co_await request(host, peer);
}

awaitable<void> come_and_go(asio::io_context& loop, multiformats::Multiaddr address, int count,
                            Greeting greeting) {
  host::Host host = make_host(loop);
  for (int i = 0; i < count; ++i) {
    const auto peer = checked(co_await host.connect(address));
    co_await greeting(host, peer);
    host.disconnect(peer);
  }
  co_await host.stop();
}

awaitable<void> connect_and_stay(host::Host& host, multiformats::Multiaddr address) {
  const auto peer = checked(co_await host.connect(std::move(address)));
  checked(co_await host.identify(peer));  // all that a new connection brings is done
}

}  // namespace

awaitable<double> transfer(host::Host& host, PeerId peer, int streams, Transfer each) {
  std::function<awaitable<void>()> task = [&] { return measure(host, peer, each); };
  co_return co_await side_by_side(streams, std::move(task));
}

awaitable<std::vector<double>> round_trips(host::Host& host, PeerId peer, std::size_t size,
                                           int count) {
  host::Stream stream = co_await open(host, peer, kEchoProtocol);
  std::vector<std::uint8_t> bytes(size);
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const auto start = Clock::now();
    co_await asio::async_write(stream, asio::buffer(bytes), use_awaitable);
    co_await asio::async_read(stream, asio::buffer(bytes), use_awaitable);
    times.push_back(seconds_since(start));
  }
  stream.finish();
  co_return times;
}

awaitable<double> requests(host::Host& host, PeerId peer, int count, int width) {
  std::function<awaitable<void>()> task = [&] { return many_requests(host, peer, count / width); };
  co_return co_await side_by_side(width, std::move(task));
}

awaitable<void> ping_once(host::Host& host, PeerId peer) {
  checked(co_await host.ping(peer));
}

awaitable<void> echo_one_byte(host::Host& host, PeerId peer) {
  co_await round_trips(host, peer, 1, 1);
}

double connections(const multiformats::Multiaddr& address, int count, int width,
                   Greeting greeting) {
  asio::io_context loop{1};
  const auto start = Clock::now();
  for (int i = 0; i < width; ++i) {
    asio::co_spawn(loop, come_and_go(loop, address, count / width, greeting),
                   [](std::exception_ptr error) {
                     if (error) give_up("a connection failed");
                   });
  }
  loop.run();
  return seconds_since(start);
}

IdleConnections::IdleConnections(asio::io_context& loop, const multiformats::Multiaddr& address,
                                 std::size_t count) {
  hosts_.reserve(count);  // a host must not move while its coroutine runs
  for (std::size_t i = 0; i < count; ++i) {
    hosts_.push_back(make_host(loop));
    asio::co_spawn(loop, connect_and_stay(hosts_.back(), address), [](std::exception_ptr error) {
      if (error) give_up("an idle connection failed");
    });
    // A few at a time: a server bounds how many may be half-open.
    if (i % 16 == 15) loop.run_for(std::chrono::milliseconds{40});
  }
  loop.run_for(std::chrono::seconds{2});
}

}  // namespace bench
