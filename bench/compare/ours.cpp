// This stack's peer program. README.md defines its command line and its output.

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "dht.hpp"
#include "gossip.hpp"
#include "measure.hpp"
#include "parent.hpp"
#include "server.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;
using asio::awaitable;
using multiformats::Multiaddr;

awaitable<std::string> bulk(host::Host& host, multiformats::PeerId peer, int streams,
                            Transfer each) {
  co_await transfer(host, peer, streams, {each.up / 10, each.down / 10});
  wait_for_start();
  co_return seconds_json(co_await transfer(host, peer, streams, each));
}

awaitable<std::string> round_trip(host::Host& host, multiformats::PeerId peer, int count) {
  co_await round_trips(host, peer, 1, count / 10);
  wait_for_start();
  const auto start = Clock::now();
  const auto times = co_await round_trips(host, peer, 1, count);
  co_return fmt::format(R"({{"seconds": {}, "p50": {}, "p99": {}}})", seconds_since(start),
                        quantile(times, 0.5), quantile(times, 0.99));
}

awaitable<std::string> request(host::Host& host, multiformats::PeerId peer, int count, int width) {
  co_await requests(host, peer, count / 10, width);
  wait_for_start();
  co_return seconds_json(co_await requests(host, peer, count, width));
}

awaitable<void> run_case(host::Host& host, Multiaddr address, std::string name,
                         std::vector<std::uint64_t> numbers) {
  const auto peer = checked(co_await host.connect(std::move(address)));
  // js-libp2p gives up a new connection on which many streams come before it has set up its muxer.
  co_await echo_one_byte(host, peer);
  const int first = static_cast<int>(numbers[0]);
  std::string result;
  if (name == "upload") {
    result = co_await bulk(host, peer, first, {numbers[1] / numbers[0], 0});
  } else if (name == "download") {
    result = co_await bulk(host, peer, first, {0, numbers[1] / numbers[0]});
  } else if (name == "roundtrip") {
    result = co_await round_trip(host, peer, first);
  } else {
    result = co_await request(host, peer, first, static_cast<int>(numbers[1]));
  }
  tell_result(result);
  co_await host.stop();
}

int dial_once(const Multiaddr& address, const std::string& name,
              const std::vector<std::uint64_t>& numbers) {
  asio::io_context loop{1};
  host::Host host = make_host(loop);
  asio::co_spawn(loop, run_case(host, address, name, numbers), [](std::exception_ptr error) {
    if (error) give_up("the case failed");
  });
  loop.run();
  return 0;
}

int connect(const Multiaddr& address, int count, int width) {
  connections(address, count / 10, width, echo_one_byte);
  wait_for_start();
  tell_result(seconds_json(connections(address, count, width, echo_one_byte)));
  return 0;
}

// Ends with the standard input; the connections answer what is asked of them meanwhile.
int hold(const Multiaddr& address, std::size_t count) {
  asio::io_context loop{1};
  const IdleConnections idle{loop, address, count};
  announce_ready();
  asio::posix::stream_descriptor input{loop, ::dup(STDIN_FILENO)};
  std::array<char, 1> byte{};
  input.async_read_some(asio::buffer(byte), [&](std::error_code, std::size_t) { loop.stop(); });
  loop.restart();
  loop.run();
  return 0;
}

int run(const std::vector<std::string>& words) {
  if (words == std::vector<std::string>{"serve"}) return serve();
  if (words == std::vector<std::string>{"serve-dht"}) return serve_dht();
  if (words == std::vector<std::string>{"serve-gossip", "signed"}) return serve_gossip(true);
  if (words == std::vector<std::string>{"serve-gossip", "unsigned"}) return serve_gossip(false);
  if (words.size() == 2 && words[0] == "answers") {
    const auto numbers = parse_numbers({words[1]});
    return numbers.size() == 1 ? answers(numbers[0]) : usage("compare-ours");
  }
  if (words.size() < 3) return usage("compare-ours");
  const auto address = Multiaddr::parse(words[1]);
  if (!address) return usage("compare-ours");
  const auto numbers = parse_numbers({words.begin() + 2, words.end()});
  const auto is = [&](std::string_view name, std::size_t count) {
    return words[0] == name && numbers.size() == count;
  };
  if (is("connect", 2)) {
    return connect(*address, static_cast<int>(numbers[0]), static_cast<int>(numbers[1]));
  }
  if (is("findnode", 3)) return find_node(*address, numbers);
  if (is("gossip-signed", 1)) return gossip(*address, numbers[0], true);
  if (is("gossip-unsigned", 1)) return gossip(*address, numbers[0], false);
  if (is("hold", 1)) return hold(*address, numbers[0]);
  if (is("upload", 2) || is("download", 2) || is("requests", 2) || is("roundtrip", 1)) {
    return dial_once(*address, words[0], numbers);
  }
  return usage("compare-ours");
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::run({argv + 1, argv + argc});
}
