// This stack's node for the interoperability matrix. README.md defines its command line and its
// output.

#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cases.hpp"
#include "protocols.hpp"
#include "report.hpp"

namespace {

using namespace ggen::p2p;
using namespace interop;
using multiformats::Multiaddr;

constexpr const char* kUsage =
    "usage: interop-peer listen\n"
    "       interop-peer dial MULTIADDR CASE [NAME=NUMBER]...\n";

host::Host make_host(asio::io_context& loop) {
  host::Config config;
  config.node.serve_perf = true;
  config.node.perf.max_inbound_per_peer = 128;
  config.node.perf.max_inbound = 128;
  return host::Host{loop.get_executor(), host::generate_identity(), std::move(config)};
}

asio::awaitable<void> start_listening(host::Host& host) {
  const auto bound = co_await host.listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
  if (!bound) throw std::runtime_error(bound.error().message);
}

asio::awaitable<int> listen(host::Host& host) {
  co_await start_listening(host);
  std::vector<std::string> addresses;
  for (const Multiaddr& address : host.addresses()) addresses.push_back(address.to_string());
  emit("listening", Json{}.text("peer", host.id().to_string()).texts("addresses", addresses));

  asio::posix::stream_descriptor input{co_await asio::this_coro::executor, ::dup(STDIN_FILENO)};
  std::array<char, 256> ignored{};
  std::error_code error;
  while (!error) {
    co_await input.async_read_some(asio::buffer(ignored),
                                   asio::redirect_error(asio::use_awaitable, error));
  }
  co_await host.stop();
  co_return 0;
}

asio::awaitable<int> dial(host::Host& host, Multiaddr address, std::string name,
                          Parameters parameters) {
  if (name == "identify") co_await start_listening(host);  // an address to sign
  const auto start = std::chrono::steady_clock::now();
  Json result;
  result.text("case", name);
  bool pass = false;
  try {
    const Json facts = co_await run_case(host, std::move(address), name, std::move(parameters));
    result.object("facts", facts);
    pass = true;
  } catch (const std::exception& error) {
    result.text("reason", error.what());
  }
  const auto time = std::chrono::steady_clock::now() - start;
  result.flag("pass", pass)
      .number("ms", static_cast<double>(
                        std::chrono::duration_cast<std::chrono::milliseconds>(time).count()));
  co_await host.stop();
  emit("result", result);
  co_return pass ? 0 : 1;
}

int usage(std::string_view problem) {
  fmt::print(stderr, "interop-peer: {}\n{}", problem, kUsage);
  return 2;
}

// Reads NAME=NUMBER over the defaults; says what is wrong otherwise.
std::optional<std::string> read_parameter(std::string_view word, Parameters& parameters) {
  const std::size_t split = word.find('=');
  const auto found = parameters.find(std::string{word.substr(0, split)});
  if (split == std::string_view::npos || found == parameters.end()) {
    return fmt::format("the case does not take {}", word);
  }
  const std::string_view number = word.substr(split + 1);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), found->second);
  if (error != std::errc{} || end != number.data() + number.size()) {
    return fmt::format("{} is not a number", word);
  }
  return std::nullopt;
}

int run(asio::io_context& loop, asio::awaitable<int> program) {
  int code = 1;
  asio::co_spawn(loop, std::move(program), [&](std::exception_ptr error, int result) {
    code = result;
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      fmt::print(stderr, "interop-peer: {}\n", e.what());
      code = 1;
    }
  });
  loop.run();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return usage("listen or dial?");
  asio::io_context loop{1};
  host::Host host = make_host(loop);
  serve(host);
  report(host);
  if (words[0] == "listen" && words.size() == 1) return run(loop, listen(host));
  if (words[0] != "dial" || words.size() < 3) return usage("listen, or dial MULTIADDR CASE?");
  const auto address = Multiaddr::parse(words[1]);
  if (!address) return usage(address.error().message());
  const auto found = cases().find(words[2]);
  if (found == cases().end()) return usage(fmt::format("unknown case {}", words[2]));
  Parameters parameters = found->second;
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (const auto problem = read_parameter(words[i], parameters)) return usage(*problem);
  }
  return run(loop, dial(host, *address, words[2], std::move(parameters)));
}
