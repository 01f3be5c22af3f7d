#include "dht.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/kad/message.hpp>

#include "measure.hpp"
#include "parent.hpp"
#include "server.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;
using asio::awaitable;
using asio::use_awaitable;
using multiformats::Multiaddr;
using multiformats::PeerId;

const std::string kKadProtocol = "/ggen-bench/kad/1.0.0";
constexpr std::size_t kPeers = 200;   // in the table, as far as its buckets hold them
constexpr std::size_t kNearest = 20;  // in an answer
constexpr auto kTableDeadline = std::chrono::seconds{60};
constexpr auto kLookAgain = std::chrono::milliseconds{200};

base::Bytes numbered(std::size_t number) {
  base::Bytes multihash{0x12, 0x20};
  base::append(multihash, crypto::sha256(base::as_bytes(fmt::format("number {}", number))));
  return multihash;
}

base::Buffer question(std::size_t number) {
  const kad::Message message{.type = kad::MessageType::kFindNode, .key = numbered(number)};
  return base::encode_frame(kad::encode_message(message));
}

// The bytes of one message: what a question costs here is the same whoever answers it.
awaitable<base::Bytes> read_message(host::Stream& stream) {
  std::uint64_t size = 0;
  for (int shift = 0;; shift += 7) {
    std::array<std::uint8_t, 1> byte{};
    co_await asio::async_read(stream, asio::buffer(byte), use_awaitable);
    size |= std::uint64_t{byte[0] & 0x7fU} << shift;
    if (byte[0] < 0x80 || shift > 14) break;
  }
  base::Bytes message(size);
  co_await asio::async_read(stream, asio::buffer(message), use_awaitable);
  co_return message;
}

awaitable<base::Bytes> ask(host::Stream& stream, std::size_t number) {
  const base::Buffer bytes = question(number);
  co_await asio::async_write(stream, asio::buffer(bytes.data(), bytes.size()), use_awaitable);
  co_return co_await read_message(stream);
}

awaitable<host::Stream> open(host::Host& host, PeerId peer) {
  std::vector<std::string> protocols{kKadProtocol};
  co_return checked(co_await host.open_stream(peer, std::move(protocols)));
}

std::size_t peers_in(const base::Bytes& answer) {
  const auto message = kad::decode_message(answer, {});
  return message ? message->closer.size() : 0;
}

// A peer for a server's table: it answers everything with one peer, itself. go-libp2p takes nobody
// into its table who names no peer at all.
awaitable<void> name_self(host::Host& host, host::Stream stream) {
  for (;;) {
    const auto asked = kad::decode_message(co_await read_message(stream), {});
    if (!asked) co_return;
    kad::Message answer{.type = asked->type, .key = asked->key};
    answer.closer.push_back({host.id(), host.addresses()});
    const base::Buffer bytes = base::encode_frame(kad::encode_message(answer));
    co_await asio::async_write(stream, asio::buffer(bytes.data(), bytes.size()), use_awaitable);
  }
}

awaitable<void> join(host::Host& host, Multiaddr address) {
  checked(co_await host.listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0")));
  checked(co_await host.connect(std::move(address)));
}

class TablePeers {
 public:
  TablePeers(asio::io_context& loop, const Multiaddr& address) {
    hosts_.reserve(kPeers);  // a host must not move while its coroutine runs
    for (std::size_t i = 0; i < kPeers; ++i) {
      host::Host& host = hosts_.emplace_back(make_host(loop));
      host.handle(kKadProtocol,
                  [&host](host::Stream stream) { return name_self(host, std::move(stream)); });
      asio::co_spawn(loop, join(host, address), [](std::exception_ptr error) {
        if (error) give_up("a peer of the table failed");
      });
      // A few at a time: a server bounds how many may be half-open.
      if (i % 16 == 15) loop.run_for(std::chrono::milliseconds{40});
    }
  }

 private:
  std::vector<host::Host> hosts_;
};

// Until the server has so many peers that each answer is a full one, and has done what it does with
// new ones.
awaitable<void> wait_for_table(host::Host& host, PeerId peer) {
  const auto start = Clock::now();
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (bool full = false; !full;) {
    if (Clock::now() - start > kTableDeadline) give_up("the server's table stays too small");
    timer.expires_after(kLookAgain);
    co_await timer.async_wait(use_awaitable);
    host::Stream stream = co_await open(host, peer);
    full = true;
    for (std::size_t i = 0; i < kNearest && full; ++i) {
      full = peers_in(co_await ask(stream, i)) == kNearest;
    }
    stream.finish();
  }
  timer.expires_after(std::chrono::seconds{2});
  co_await timer.async_wait(use_awaitable);
}

awaitable<void> ask_many(host::Host& host, PeerId peer, std::size_t first, std::size_t count,
                         std::size_t on_one_stream) {
  for (std::size_t done = 0; done < count;) {
    host::Stream stream = co_await open(host, peer);
    for (std::size_t i = 0; i < on_one_stream && done < count; ++i, ++done) {
      const base::Bytes answer = co_await ask(stream, first + done);
      // Ids and addresses of twenty: all are looked at when the stream is new.
      if (answer.size() < kNearest * 40) give_up("an answer is too short");
      if (i == 0 && done == 0 && peers_in(answer) != kNearest) give_up("an answer is not full");
    }
    stream.finish();
  }
}

awaitable<std::string> run(host::Host& host, Multiaddr address,
                           const std::vector<std::uint64_t>& numbers) {
  const PeerId peer = checked(co_await host.connect(std::move(address)));
  co_await wait_for_table(host, peer);
  std::size_t asked = 0;
  const auto ask_all = [&](std::size_t count) -> awaitable<double> {
    const std::size_t each = count / numbers[1];
    std::function<awaitable<void>()> task = [&] {
      return ask_many(host, peer, std::exchange(asked, asked + each), each, numbers[2]);
    };
    co_return co_await side_by_side(static_cast<int>(numbers[1]), std::move(task));
  };
  co_await ask_all(numbers[0] / 10);
  wait_for_start();
  co_return seconds_json(co_await ask_all(numbers[0]));
}

awaitable<void> run_and_tell(host::Host& host, Multiaddr address,
                             const std::vector<std::uint64_t>& numbers) {
  tell_result(co_await run(host, std::move(address), numbers));
}

kad::Message full_answer() {
  kad::Message answer{.type = kad::MessageType::kFindNode, .key = numbered(0)};
  for (std::size_t i = 0; i < kNearest; ++i) {
    kad::PeerRecord record{*PeerId::decode(numbered(i)), {}};
    for (const char* form : {"/ip4/10.0.0.{}/tcp/4001", "/ip4/10.0.0.{}/udp/4001/quic-v1",
                             "/ip6/2001:db8::{}/tcp/4001", "/ip6/2001:db8::{}/udp/4001/quic-v1"}) {
      record.addresses.push_back(*Multiaddr::parse(fmt::format(fmt::runtime(form), i)));
    }
    answer.closer.push_back(std::move(record));
  }
  return answer;
}

void encode_and_decode(const kad::Message& answer, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto decoded = kad::decode_message(kad::encode_message(answer), {});
    if (!decoded || decoded->closer.size() != kNearest) give_up("an answer came back otherwise");
  }
}

}  // namespace

int serve_dht() {
  kad::Config config;
  config.protocol = kKadProtocol;
  return serve({.kad = std::move(config)});
}

int find_node(const Multiaddr& address, const std::vector<std::uint64_t>& numbers) {
  asio::io_context loop{1};
  const TablePeers peers{loop, address};
  host::Host host = make_host(loop);
  asio::co_spawn(loop, run_and_tell(host, address, numbers), [&](std::exception_ptr error) {
    if (error) give_up("the case failed");
    loop.stop();
  });
  loop.restart();
  loop.run();
  return 0;
}

int answers(std::uint64_t count) {
  const kad::Message answer = full_answer();
  encode_and_decode(answer, count / 10);
  wait_for_start();
  const auto start = Clock::now();
  encode_and_decode(answer, count);
  tell_result(seconds_json(seconds_since(start)));
  return 0;
}

}  // namespace bench
