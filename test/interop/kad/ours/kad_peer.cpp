// This stack's node for the Kademlia matrix. ../README.md defines its command line, its commands
// and its output.

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <fmt/format.h>

#include <ggen/p2p/base/bytes.hpp>

#include "../../command_loop.hpp"
#include "commands.hpp"
#include "test_validator.hpp"

namespace {

using namespace ggen::p2p;
using namespace interop;

constexpr const char* kUsage =
    "usage: kad-peer --protocol ID [--mode client|server] [--validator test|pk|none]\n";
constexpr std::chrono::seconds kCommandTime{20};

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

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options({argv + 1, argv + argc}, options)) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  asio::io_context loop{1};
  crypto::KeyPair identity = host::generate_identity();
  const std::string public_key = base::to_hex(identity.public_key().encode());
  host::Host host = make_host(loop, options, std::move(identity));
  Commands commands{host};
  const auto run = [&](std::vector<std::string> words) { return commands.run(std::move(words)); };
  Json about = Json{}.text("public_key", public_key);
  return answer_commands("kad-peer", loop, host, std::move(about), run);
}
