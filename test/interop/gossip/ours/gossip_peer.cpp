// This stack's node for the gossipsub matrix. ../README.md defines its command line, its commands
// and its output.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <fmt/format.h>

#include "../../command_loop.hpp"
#include "commands.hpp"

namespace {

using namespace ggen::p2p;
using namespace interop;

constexpr const char* kUsage =
    "usage: gossip-peer --protocol ID [--mesh active|passive] [--backoff SECONDS] [--px yes|no]\n";

struct Options {
  std::string protocol;
  bool passive = false;
  std::chrono::seconds backoff{60};
  bool px = false;
};

// The position of a value among those that an option can have.
template <std::size_t N>
std::optional<std::size_t> choice(const std::string& value, const char* const (&of)[N]) {
  const auto found = std::find(std::begin(of), std::end(of), value);
  if (found == std::end(of)) return std::nullopt;
  return static_cast<std::size_t>(found - std::begin(of));
}

bool read_seconds(const std::string& text, std::chrono::seconds& out) {
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  out = std::chrono::seconds{seconds};
  return error == std::errc{} && end == text.data() + text.size() && seconds > 0;
}

bool read_option(const std::string& name, const std::string& value, Options& options) {
  if (name == "--protocol") {
    options.protocol = value;
    return std::ranges::find(gossipsub::kProtocols, value) != gossipsub::kProtocols.end();
  }
  if (name == "--backoff") return read_seconds(value, options.backoff);
  if (name == "--mesh") {
    const auto chosen = choice(value, {"active", "passive"});
    options.passive = chosen == 1U;
    return chosen.has_value();
  }
  if (name == "--px") {
    const auto chosen = choice(value, {"no", "yes"});
    options.px = chosen == 1U;
    return chosen.has_value();
  }
  return false;
}

bool read_options(const std::vector<std::string>& words, Options& options) {
  if (words.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (!read_option(words[i], words[i + 1], options)) return false;
  }
  return !options.protocol.empty();
}

gossipsub::Config gossip_config(const Options& options) {
  gossipsub::Config config;
  config.mesh.prune_backoff = options.backoff;
  config.mesh.unsubscribe_backoff = options.backoff;
  if (options.passive) {
    config.mesh.degree = 0;
    config.mesh.degree_low = 0;
    config.mesh.degree_out = 0;
    config.mesh.opportunistic_grafts = 0;
  }
  if (options.px) {
    config.peer_exchange = true;
    config.score.accept_exchange_threshold = 0;  // nobody has done anything good yet
  }
  return config;
}

host::Host make_host(asio::io_context& loop, const Options& options) {
  host::Config config;
  config.node.gossipsub = gossip_config(options);
  return host::Host{loop.get_executor(), host::generate_identity(), std::move(config)};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options({argv + 1, argv + argc}, options)) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  asio::io_context loop{1};
  host::Host host = make_host(loop, options);
  Commands commands{loop, host};
  const auto run = [&](std::vector<std::string> words) { return commands.run(std::move(words)); };
  return answer_commands("gossip-peer", loop, host, Json{}, run);
}
