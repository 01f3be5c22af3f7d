#include "cases.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <tuple>
#include <vector>

#include <asio/error.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/multiple_exceptions.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

#include "pattern.hpp"
#include "protocols.hpp"

namespace interop {
namespace {

using namespace ggen::p2p;
using namespace asio::experimental::awaitable_operators;
using asio::awaitable;
using asio::use_awaitable;
using host::Host;
using host::Stream;
using multiformats::PeerId;

constexpr std::size_t kBlock = 64 * 1024;

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw std::runtime_error(fmt::format(format, std::forward<Args>(args)...));
}

template <class T>
T checked(host::Result<T> result, std::string_view what) {
  if (!result) fail("{}: {}", what, result.error().message);
  return std::move(*result);
}

awaitable<Stream> open(Host& host, PeerId peer, std::string protocol) {
  std::vector<std::string> protocols{std::move(protocol)};
  co_return checked(co_await host.open_stream(peer, std::move(protocols)), "no stream");
}

std::string hex(const crypto::Sha256Digest& digest) {
  return base::to_hex(digest);
}

// Sends the pattern, then FIN; returns its SHA-256.
awaitable<std::string> send_pattern(Stream& stream, std::uint32_t seed, std::uint64_t bytes) {
  crypto::Sha256 hash;
  for (std::uint64_t offset = 0; offset < bytes; offset += kBlock) {
    const auto block = pattern(
        seed, offset, static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, bytes - offset)));
    hash.update(block);
    co_await asio::async_write(stream, asio::buffer(block), use_awaitable);
  }
  stream.finish();
  co_return hex(hash.finish());
}

// Reads to the FIN, comparing every byte with the pattern; returns their SHA-256.
awaitable<std::string> expect_pattern(Stream& stream, std::uint32_t seed, std::uint64_t bytes) {
  crypto::Sha256 hash;
  std::vector<std::uint8_t> block(kBlock);
  std::uint64_t offset = 0;
  for (;;) {
    std::error_code error;
    const std::size_t size = co_await stream.async_read_some(
        asio::buffer(block), asio::redirect_error(use_awaitable, error));
    if (error == asio::error::eof) break;
    if (error) fail("seed {}: {} after {} of {} bytes", seed, error.message(), offset, bytes);
    const auto expected = pattern(seed, offset, size);
    if (!std::equal(expected.begin(), expected.end(), block.begin())) {
      fail("seed {}: wrong bytes in [{}, {})", seed, offset, offset + size);
    }
    hash.update(expected);
    offset += size;
  }
  if (offset != bytes) fail("seed {}: FIN after {} of {} bytes", seed, offset, bytes);
  co_return hex(hash.finish());
}

awaitable<std::string> echo_on(Stream& stream, std::uint32_t seed, std::uint64_t bytes) {
  std::string sent;
  std::string received;
  try {
    std::tie(sent, received) =
        co_await (send_pattern(stream, seed, bytes) && expect_pattern(stream, seed, bytes));
  } catch (const asio::multiple_exceptions& both) {
    std::rethrow_exception(both.first_exception());
  }
  if (sent != received) fail("seed {}: SHA-256 differs", seed);
  co_return received;
}

awaitable<void> echo_once(Host& host, PeerId peer, std::uint32_t seed, std::uint64_t bytes) {
  Stream stream = co_await open(host, peer, kEcho);
  co_await echo_on(stream, seed, bytes);
}

using Clock = std::chrono::steady_clock;

double mib_per_second(std::uint64_t bytes, Clock::duration time) {
  const double seconds = std::chrono::duration<double>(time).count();
  return std::round(static_cast<double>(bytes) / 1048576.0 / seconds);
}

awaitable<Json> identify_case(Host& host, PeerId peer) {
  const identify::Info info = checked(co_await host.identify(peer), "identify");
  if (!info.public_key) fail("identify carried no public key");
  // The remote asks too. Once pings have come and gone behind its question, our answer has reached
  // it, and it has had time to check the signature before we say goodbye.
  for (int i = 0; i < 10; ++i) checked(co_await host.ping(peer), "ping");
  co_return facts_of(peer, info);
}

awaitable<Json> ping_case(Host& host, PeerId peer, std::uint64_t count) {
  double last_ms = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto round_trip = checked(co_await host.ping(peer), "ping");
    last_ms = std::chrono::duration<double, std::milli>(round_trip).count();
  }
  co_return Json{}.number("count", static_cast<double>(count)).number("round_trip_ms", last_ms);
}

awaitable<Json> echo_case(Host& host, PeerId peer, std::uint64_t streams, std::uint64_t bytes,
                          std::uint32_t seed) {
  // js-libp2p gives up a connection on which many streams come before it has set up its muxer:
  // identify shows that it has.
  checked(co_await host.identify(peer), "identify");
  std::vector<Stream> opened;
  for (std::uint64_t i = 0; i < streams; ++i) opened.push_back(co_await open(host, peer, kEcho));
  const auto start = Clock::now();
  std::vector<std::string> hashes(opened.size());
  std::exception_ptr failure;
  std::size_t running = opened.size();
  asio::steady_timer done{co_await asio::this_coro::executor, Clock::time_point::max()};
  for (std::size_t i = 0; i < opened.size(); ++i) {
    asio::co_spawn(co_await asio::this_coro::executor,
                   echo_on(opened[i], seed + static_cast<std::uint32_t>(i), bytes),
                   [&, i](std::exception_ptr error, std::string hash) {
                     if (error) failure = error;
                     hashes[i] = std::move(hash);
                     if (--running == 0) done.cancel();
                   });
  }
  std::error_code ignored;
  if (running > 0) co_await done.async_wait(asio::redirect_error(use_awaitable, ignored));
  if (failure) std::rethrow_exception(failure);
  co_return Json{}
      .number("streams", static_cast<double>(streams))
      .number("bytes", static_cast<double>(bytes))
      .text("sha256", hashes.front())
      .number("mib_per_s", mib_per_second(streams * bytes, Clock::now() - start));
}

awaitable<Json> half_close_case(Host& host, PeerId peer, std::uint64_t bytes, std::uint32_t seed) {
  Stream stream = co_await open(host, peer, kHalfClose);
  const std::string sent = co_await send_pattern(stream, seed, bytes);
  std::vector<std::uint8_t> answer(33);
  std::error_code error;
  const std::size_t size = co_await asio::async_read(stream, asio::buffer(answer),
                                                     asio::redirect_error(use_awaitable, error));
  answer.resize(size);
  if (error != asio::error::eof) fail("expected FIN after 32 bytes: {}", error.message());
  if (base::to_hex(answer) != sent) {
    fail("expected the SHA-256 of what was sent, got {} bytes: {}", size, base::to_hex(answer));
  }
  co_return Json{}.number("bytes", static_cast<double>(bytes));
}

awaitable<Json> perf_case(Host& host, PeerId peer, std::uint64_t up, std::uint64_t down) {
  const perf::Result result = checked(co_await host.measure(peer, up, down), "perf");
  if (result.downloaded != down) fail("asked for {} bytes, got {}", down, result.downloaded);
  co_return Json{}
      .number("up", static_cast<double>(up))
      .number("down", static_cast<double>(down))
      .number("mib_per_s", mib_per_second(up + down, result.upload_time + result.download_time));
}

awaitable<Json> refuse_case(Host& host, PeerId peer) {
  Stream stream = co_await open(host, peer, kUnknown);
  std::array<std::uint8_t, 1> byte{};
  std::error_code error;
  co_await stream.async_read_some(asio::buffer(byte), asio::redirect_error(use_awaitable, error));
  if (error != host::Errc::kProtocolRefused) {
    fail("expected a refusal of {}, got: {}", kUnknown, error.message());
  }
  co_await echo_once(host, peer, 1, 1000);
  co_return Json{}.text("refusal", error.message());
}

awaitable<Json> reset_case(Host& host, PeerId peer, std::uint64_t bytes) {
  {
    Stream stream = co_await open(host, peer, kEcho);
    const auto block = pattern(1, 0, static_cast<std::size_t>(bytes));
    co_await asio::async_write(stream, asio::buffer(block), use_awaitable);
    std::array<std::uint8_t, 64> some{};
    co_await stream.async_read_some(asio::buffer(some), use_awaitable);
    stream.reset();
  }
  co_await echo_once(host, peer, 2, bytes);
  co_return Json{}.number("bytes", static_cast<double>(bytes));
}

awaitable<Json> idle_case(Host& host, PeerId peer, std::uint64_t seconds) {
  asio::steady_timer timer{co_await asio::this_coro::executor, std::chrono::seconds{seconds}};
  co_await timer.async_wait(use_awaitable);
  if (!host.swarm().connected(peer)) fail("the connection closed within {} s", seconds);
  co_await echo_once(host, peer, 1, 1000);
  co_return Json{}.number("seconds", static_cast<double>(seconds));
}

awaitable<Json> wrong_peer_case(Host& host, multiformats::Multiaddr address) {
  const auto connected = co_await host.connect(std::move(address));
  if (connected) fail("the dial succeeded although the remote is another peer");
  co_return Json{}.text("refusal", connected.error().message);
}

}  // namespace

const std::map<std::string, Parameters>& cases() {
  static const std::map<std::string, Parameters> kCases{
      {"handshake", {}},
      {"identify", {}},
      {"ping", {{"count", 3}}},
      {"echo", {{"streams", 1}, {"bytes", 1000}, {"seed", 1}}},
      {"half-close", {{"bytes", 1000}, {"seed", 1}}},
      {"perf", {{"up", 1 << 20}, {"down", 1 << 20}}},
      {"refuse", {}},
      {"reset", {{"bytes", 100'000}}},
      {"idle", {{"seconds", 12}}},
      {"wrong-peer", {}},
  };
  return kCases;
}

awaitable<Json> run_case(Host& host, multiformats::Multiaddr address, std::string name,
                         Parameters parameters) {
  if (name == "wrong-peer") co_return co_await wrong_peer_case(host, std::move(address));
  const PeerId peer = checked(co_await host.connect(std::move(address)), "cannot connect");
  const auto seed = static_cast<std::uint32_t>(parameters["seed"]);
  if (name == "identify") co_return co_await identify_case(host, peer);
  if (name == "ping") co_return co_await ping_case(host, peer, parameters["count"]);
  if (name == "echo") {
    co_return co_await echo_case(host, peer, parameters["streams"], parameters["bytes"], seed);
  }
  if (name == "half-close") {
    co_return co_await half_close_case(host, peer, parameters["bytes"], seed);
  }
  if (name == "perf") {
    co_return co_await perf_case(host, peer, parameters["up"], parameters["down"]);
  }
  if (name == "refuse") co_return co_await refuse_case(host, peer);
  if (name == "reset") co_return co_await reset_case(host, peer, parameters["bytes"]);
  if (name == "idle") co_return co_await idle_case(host, peer, parameters["seconds"]);
  co_return Json{};  // handshake: the connection was all
}

}  // namespace interop
