#include "server.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <ggen/p2p/multiformats/multiaddr.hpp>

namespace bench {
namespace {

using namespace ggen::p2p;
using asio::use_awaitable;

asio::awaitable<void> echo(host::Stream stream) {
  std::vector<std::uint8_t> block(64 * 1024);
  std::error_code error;
  for (;;) {
    const std::size_t size = co_await stream.async_read_some(
        asio::buffer(block), asio::redirect_error(use_awaitable, error));
    if (error) break;
    co_await asio::async_write(stream, asio::buffer(block.data(), size), use_awaitable);
  }
  stream.finish();
}

asio::awaitable<void> answer(host::Stream stream) {
  std::array<std::uint8_t, 1024> request{};
  co_await asio::async_read(stream, asio::buffer(request), use_awaitable);
  std::array<std::uint8_t, 1> more{};
  std::error_code end;
  co_await stream.async_read_some(asio::buffer(more), asio::redirect_error(use_awaitable, end));
  co_await asio::async_write(stream, asio::buffer(request), use_awaitable);
  stream.finish();
}

asio::awaitable<void> serve_until_told(host::Host& host) {
  const auto listening =
      co_await host.listen(*multiformats::Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
  if (!listening) std::exit(1);
  fmt::print("{}\n", host.addresses().front().to_string());
  std::fflush(stdout);
  asio::posix::stream_descriptor input{co_await asio::this_coro::executor, ::dup(STDIN_FILENO)};
  std::array<char, 1> byte{};
  std::error_code error;
  co_await input.async_read_some(asio::buffer(byte), asio::redirect_error(use_awaitable, error));
  co_await host.stop();
}

}  // namespace

host::Host make_host(asio::io_context& loop, Services services) {
  host::Config config;
  config.node.kad = std::move(services.kad);
  config.node.gossipsub = std::move(services.gossipsub);
  config.node.serve_perf = true;
  config.node.perf.max_inbound_per_peer = 64;
  config.node.perf.max_inbound = 64;
  config.node.swarm.limits.max_connections = 4096;
  config.node.swarm.limits.max_inbound = 4096;
  config.node.swarm.limits.max_inbound_half_open = 256;
  config.node.swarm.trimming.high_water = 4096;
  config.node.swarm.trimming.low_water = 4096;
  return host::Host{loop.get_executor(), host::generate_identity(), std::move(config)};
}

int serve(asio::io_context& loop, host::Host& host) {
  asio::co_spawn(loop, serve_until_told(host), asio::detached);
  loop.run();
  return 0;
}

int serve(Services services) {
  asio::io_context loop{1};
  host::Host host = make_host(loop, std::move(services));
  host.handle(kEchoProtocol, echo);
  host.handle(kRequestProtocol, answer);
  return serve(loop, host);
}

}  // namespace bench
