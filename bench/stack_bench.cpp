// The whole stack over loopback TCP in two processes: this one dials, its child serves.

#include <cstdint>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <fmt/format.h>

#include <ggen/p2p/host/host.hpp>

#include "child.hpp"
#include "measure.hpp"
#include "server.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;
using asio::awaitable;

constexpr std::uint64_t kBulk = std::uint64_t{1} << 30;
constexpr int kRounds = 5;
constexpr int kPings = 20'000;
constexpr int kRequests = 4'000;
constexpr int kConnections = 1'500;

awaitable<double> median_speed(host::Host& host, multiformats::PeerId peer, Transfer each) {
  std::vector<double> speeds;
  for (int i = 0; i < kRounds; ++i) {
    const double seconds = co_await transfer(host, peer, 1, each);
    speeds.push_back(static_cast<double>(each.up + each.down) / 1048576.0 / seconds);
  }
  co_return median(speeds);
}

awaitable<double> median_requests(host::Host& host, multiformats::PeerId peer, int width) {
  std::vector<double> rates;
  for (int i = 0; i < kRounds; ++i) {
    rates.push_back(kRequests / co_await requests(host, peer, kRequests, width));
  }
  co_return median(rates);
}

awaitable<void> measure_stack(host::Host& host, const Child& child, std::string how, Table& table) {
  const auto peer = checked(co_await host.connect(child.address()));
  const double down = co_await median_speed(host, peer, Transfer{0, kBulk});
  const double up = co_await median_speed(host, peer, Transfer{kBulk, 0});
  const auto times = co_await round_trips(host, peer, 32, kPings);
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
    for (int i = 0; i < kRounds; ++i) {
      rates.push_back(kConnections / connections(child.address(), kConnections, 8, ping_once));
    }
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
  const IdleConnections idle{loop, child.address(), kIdle};
  const std::size_t after = resident(child.pid());
  table.push_back(
      {"RSS of a connection at rest",
       fmt::format("{:.1f} KiB", static_cast<double>(after - before) / kIdle / 1024.0),
       fmt::format("of the serving process, over {} connections from as many peers", kIdle)});
}

}  // namespace bench
