// The TXT records of a /dnsaddr name, one a line: whatever they say, a dial looks up no more names
// and tries no more addresses than its limits allow, and it ends.

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/swarm/swarm.hpp>

using namespace ggen::p2p;
using namespace std::chrono_literals;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

multiformats::PeerId self() {
  return multiformats::PeerId::of(crypto::PublicKey::ed25519(std::array<std::uint8_t, 32>{1}));
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    result.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return result;
}

class Dial {
 public:
  explicit Dial(std::string_view text) : records_(lines(text)) {}

  void run() {
    const auto start = *multiformats::Multiaddr::parse("/dnsaddr/a.example");
    step([&] { swarm_.dial({{}, {start}, swarm::Purpose::kBootstrap, false}, now_); });
    while (!texts_.empty() || !hosts_.empty()) answer();
    while (const auto deadline = swarm_.next_deadline()) {
      now_ = *deadline;
      step([&] { swarm_.handle_timeout(now_); });
    }
    require(done_ == 1);
  }

 private:
  template <class Mutate>
  void step(Mutate&& mutate) {
    base::step(
        swarm_, now_, [&](swarm::Swarm&) { mutate(); },
        [&](swarm::Output output) { take(output); });
  }

  void take(const swarm::Output& output) {
    if (const auto* text = std::get_if<swarm::output::ResolveText>(&output)) {
      texts_.push_back(text->id);
      ++lookups_;
    } else if (const auto* host = std::get_if<swarm::output::ResolveHost>(&output)) {
      hosts_.push_back(host->id);
      ++lookups_;
    } else if (const auto* dial = std::get_if<swarm::output::Dial>(&output)) {
      const auto endpoint = swarm::endpoint_of(dial->address);
      require(endpoint && endpoint->port != 0);
      ++attempts_;
    } else if (const auto* done = std::get_if<swarm::event::DialDone>(&output)) {
      require(!done->result);
      ++done_;
    }
    require(lookups_ <= config_.max_resolves_per_dial);
    require(attempts_ <= config_.max_addresses);
  }

  void answer() {
    if (!texts_.empty()) {
      const auto id = texts_.back();
      texts_.pop_back();
      return step([&] { swarm_.resolved_text(id, records_, now_); });
    }
    const auto id = hosts_.back();
    hosts_.pop_back();
    step([&] {
      swarm_.resolved(id, std::vector{*multiformats::IpAddress::parse("192.0.2.1")}, now_);
    });
  }

  const std::vector<std::string> records_;
  const swarm::Config::Dialing config_;
  std::unique_ptr<crypto::Crypto> crypto_ = crypto::make_system_crypto();
  swarm::Swarm swarm_{swarm::Config{}, self(), *crypto_, base::Prng(1)};
  base::Instant now_{1h};
  std::vector<swarm::ResolveId> texts_;
  std::vector<swarm::ResolveId> hosts_;
  std::size_t lookups_ = 0;
  std::size_t attempts_ = 0;
  int done_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Dial(base::as_text({data, size})).run();
  return 0;
}
