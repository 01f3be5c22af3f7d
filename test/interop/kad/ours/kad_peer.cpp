// This stack's node for the Kademlia matrix. ../README.md defines its command line, its commands
// and its output.

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <ggen/p2p/base/bytes.hpp>

#include "commands.hpp"
#include "test_validator.hpp"

namespace {

using namespace ggen::p2p;
using namespace interop;
using multiformats::Multiaddr;

constexpr const char* kUsage =
    "usage: kad-peer --protocol ID [--mode client|server] [--validator test|pk|none]\n";
constexpr std::chrono::seconds kCommandTime{20};
constexpr std::size_t kMaxLine = 1 << 20;

struct Options {
  std::string protocol;
  std::string mode = "server";
  std::string validator = "pk";
};

bool read_options(const std::vector<std::string>& words, Options& options) {
  if (words.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (words[i] == "--protocol")
      options.protocol = words[i + 1];
    else if (words[i] == "--mode")
      options.mode = words[i + 1];
    else if (words[i] == "--validator")
      options.validator = words[i + 1];
    else
      return false;
  }
  return !options.protocol.empty() && (options.mode == "client" || options.mode == "server") &&
         (options.validator == "test" || options.validator == "pk" || options.validator == "none");
}

host::Host make_host(asio::io_context& loop, const Options& options, crypto::KeyPair identity) {
  host::Config config;
  config.node.kad.emplace();
  config.node.kad->protocol = options.protocol;
  config.node.kad->mode = options.mode == "client" ? kad::Mode::kClient : kad::Mode::kServer;
  config.node.kad->query.timeout = kCommandTime;
  host::Host host{loop.get_executor(), std::move(identity), std::move(config)};
  host.drive([&](node::Node& node, base::Instant now) {
    if (options.validator == "test") {
      node.kad(now).add_validator(kTestNamespace, std::make_unique<TestValidator>());
    } else if (options.validator == "none") {
      node.kad(now).add_validator(kTestNamespace, std::make_unique<NoValidator>());
    }
  });
  return host;
}

asio::awaitable<void> answer(Commands& commands, const std::string& line) {
  std::istringstream input{line};
  std::vector<std::string> words;
  for (std::string word; input >> word;) words.push_back(std::move(word));
  Json reply;
  try {
    reply = co_await commands.run(std::move(words));
    reply.flag("ok", true);
  } catch (const std::exception& error) {
    reply = Json{}.flag("ok", false).text("reason", error.what());
  }
  emit("reply", reply);
}

asio::awaitable<void> serve(host::Host& host, std::string public_key) {
  const auto bound = co_await host.listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
  if (!bound) throw std::runtime_error(bound.error().message);
  Commands commands{host};
  std::vector<std::string> addresses;
  for (const Multiaddr& address : host.addresses()) addresses.push_back(address.to_string());
  emit("listening", Json{}
                        .text("peer", host.id().to_string())
                        .texts("addresses", addresses)
                        .text("public_key", public_key));

  asio::posix::stream_descriptor input{co_await asio::this_coro::executor, ::dup(STDIN_FILENO)};
  std::string buffer;
  for (;;) {
    std::error_code error;
    const std::size_t size =
        co_await asio::async_read_until(input, asio::dynamic_buffer(buffer, kMaxLine), '\n',
                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    const std::string line = buffer.substr(0, size);
    buffer.erase(0, size);
    co_await answer(commands, line);
  }
  host.observe({});
  co_await host.stop();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options({argv + 1, argv + argc}, options)) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  asio::io_context loop{1};
  crypto::KeyPair identity = host::generate_identity();
  std::string public_key = base::to_hex(identity.public_key().encode());
  host::Host host = make_host(loop, options, std::move(identity));
  int code = 0;
  asio::co_spawn(loop, serve(host, std::move(public_key)), [&](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& problem) {
      fmt::print(stderr, "kad-peer: {}\n", problem.what());
      code = 1;
    }
  });
  loop.run();
  return code;
}
