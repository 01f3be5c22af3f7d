#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <ggen/p2p/host/host.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// What a client does to a server of server.hpp. Whatever fails ends the program: a figure with a
/// failure in it says nothing.
namespace bench {

[[noreturn]] void give_up(const std::string& why);

template <class T>
T checked(ggen::p2p::host::Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

/// Starts `width` tasks on this coroutine's executor and waits for all; seconds.
asio::awaitable<double> side_by_side(int width, std::function<asio::awaitable<void>()> task);

/// Bytes of one measurement over /perf/1.0.0.
struct Transfer {
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

/// Runs `streams` measurements side by side, `each` on a stream of its own; seconds.
asio::awaitable<double> transfer(ggen::p2p::host::Host& host, ggen::p2p::multiformats::PeerId peer,
                                 int streams, Transfer each);

/// `size` bytes there and back on one stream, one after another; seconds each.
asio::awaitable<std::vector<double>> round_trips(ggen::p2p::host::Host& host,
                                                 ggen::p2p::multiformats::PeerId peer,
                                                 std::size_t size, int count);

/// 1 KiB and the end of stream, answered by the same, on a fresh stream each time: `count` of them,
/// `width` side by side; seconds.
asio::awaitable<double> requests(ggen::p2p::host::Host& host, ggen::p2p::multiformats::PeerId peer,
                                 int count, int width);

/// What is done on a new connection before it is closed.
using Greeting = asio::awaitable<void> (*)(ggen::p2p::host::Host& host,
                                           ggen::p2p::multiformats::PeerId peer);
asio::awaitable<void> ping_once(ggen::p2p::host::Host& host, ggen::p2p::multiformats::PeerId peer);
asio::awaitable<void> echo_one_byte(ggen::p2p::host::Host& host,
                                    ggen::p2p::multiformats::PeerId peer);

/// Connects, greets and closes, `count` times by `width` hosts side by side; each connection is new
/// down to its TCP handshake. Runs the loop; seconds.
double connections(const ggen::p2p::multiformats::Multiaddr& address, int count, int width,
                   Greeting greeting);

/// Hosts with an identity and a connection each, at rest, for as long as the object lives.
class IdleConnections {
 public:
  IdleConnections(asio::io_context& loop, const ggen::p2p::multiformats::Multiaddr& address,
                  std::size_t count);

 private:
  std::vector<ggen::p2p::host::Host> hosts_;
};

}  // namespace bench
