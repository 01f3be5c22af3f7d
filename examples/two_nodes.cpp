// Two nodes in one process find each other over loopback TCP, prove who they are, and talk over
// encrypted streams.

#include <chrono>
#include <string>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/read_until.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include <ggen/p2p/host/host.hpp>

namespace {

using namespace ggen::p2p;
using asio::awaitable;
using asio::use_awaitable;
using host::Host;
using host::Stream;
using multiformats::Multiaddr;

const std::string kGreeting = "/example/greeting/1.0.0";

double milliseconds(base::Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

double mib_per_second(std::uint64_t bytes, base::Duration time) {
  return static_cast<double>(bytes) / 1048576.0 / std::chrono::duration<double>(time).count();
}

// Answers one line with one line.
awaitable<void> greet(Stream stream) {
  std::string text;
  const std::size_t size =
      co_await asio::async_read_until(stream, asio::dynamic_buffer(text), '\n', use_awaitable);
  const std::string answer = "hello, " + text.substr(0, size);
  co_await asio::async_write(stream, asio::buffer(answer), use_awaitable);
  stream.finish();
}

awaitable<std::string> ask(Host& host, multiformats::PeerId peer, std::string name) {
  std::vector<std::string> protocols{kGreeting};
  auto stream = co_await host.open_stream(peer, std::move(protocols));
  if (!stream) throw std::runtime_error(stream.error().message);
  name += '\n';
  co_await asio::async_write(*stream, asio::buffer(name), use_awaitable);
  std::string answer;
  co_await asio::async_read_until(*stream, asio::dynamic_buffer(answer), '\n', use_awaitable);
  answer.pop_back();
  co_return answer;
}

template <class T>
T or_throw(host::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

awaitable<void> demonstrate(Host& alice, Host& bob) {
  bob.handle(kGreeting, greet);
  or_throw(co_await bob.listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0")));
  fmt::print("bob listens on        {}\n", bob.addresses().front().to_string());

  const auto start = std::chrono::steady_clock::now();
  const auto peer = or_throw(co_await alice.connect(bob.addresses().front()));
  fmt::print("alice is connected    {:.1f} ms for TCP, Noise and yamux\n",
             milliseconds(std::chrono::steady_clock::now() - start));

  const auto info = or_throw(co_await alice.identify(peer));
  fmt::print("bob says he runs      {}, and speaks {} protocols\n", *info.agent_version,
             info.protocols.size());
  fmt::print("a ping takes          {:.2f} ms\n",
             milliseconds(or_throw(co_await alice.ping(peer))));
  fmt::print("alice asks, bob says  \"{}\"\n", co_await ask(alice, peer, "alice"));

  constexpr std::uint64_t kBytes = 256 * 1024 * 1024;
  const auto perf = or_throw(co_await alice.measure(peer, kBytes, kBytes));
  fmt::print(
      "256 MiB each way      {:.0f} MiB/s up, {:.0f} MiB/s down, encrypted, both ends on this "
      "thread\n",
      mib_per_second(perf.uploaded, perf.upload_time),
      mib_per_second(perf.downloaded, perf.download_time));
  co_await alice.stop();
  co_await bob.stop();
}

}  // namespace

int main() {
  asio::io_context loop{1};
  host::Config config;
  config.node.serve_perf = true;
  Host alice{loop.get_executor(), host::generate_identity(), config};
  Host bob{loop.get_executor(), host::generate_identity(), config};
  int code = 0;
  asio::co_spawn(loop, demonstrate(alice, bob), [&](std::exception_ptr error) {
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      fmt::print(stderr, "two-nodes: {}\n", e.what());
      code = 1;
    }
    loop.stop();
  });
  loop.run();
  return code;
}
