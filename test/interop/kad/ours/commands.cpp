#include "commands.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>

#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <ggen/p2p/base/bytes.hpp>

#include "../../command_loop.hpp"

namespace interop {

using namespace ggen::p2p;
using asio::awaitable;
using multiformats::Multiaddr;
using multiformats::PeerId;

namespace {

std::runtime_error failure(std::string_view reason) {
  return std::runtime_error(std::string{reason});
}

base::Bytes bytes_of(std::string_view hex) {
  auto bytes = base::from_hex(hex);
  if (!bytes) throw failure("not hexadecimal");
  return std::move(*bytes);
}

PeerId peer_of(std::string_view text) {
  const auto peer = PeerId::parse(text);
  if (!peer) throw failure("not a peer id");
  return *peer;
}

std::size_t number_of(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) throw failure("not a number");
  return number;
}

std::vector<std::string> texts(const std::vector<Multiaddr>& addresses) {
  std::vector<std::string> out;
  for (const Multiaddr& address : addresses) out.push_back(address.to_string());
  return out;
}

// For whoever reads the log of a case that failed.
void log_failure(const kad::QueryHop& hop) {
  if (!hop.error) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(hop.took).count();
  fmt::print(stderr, "{} to {} failed after {} ms: {}\n", to_string(hop.asked),
             hop.peer.to_string(), ms, to_string(*hop.error));
}

}  // namespace

Commands::Commands(host::Host& host) : host_(host) {
  host_.observe([this](const node::Output& output) {
    if (const auto* hop = std::get_if<kad::QueryHop>(&output)) log_failure(*hop);
    const auto* done = std::get_if<kad::QueryDone>(&output);
    if (done == nullptr || done->id != waiting_) return;
    done_ = *done;
    if (wake_ != nullptr) wake_->cancel();
  });
}

// What starts a query is a variable everywhere, for g++ 12 destroys a lambda with captures twice
// when it stands in an expression with co_await. The engine bounds each query in time, so the wait
// needs no deadline of its own.
template <class Result>
awaitable<Result> Commands::query(Start start) {
  Started started;
  done_.reset();
  host_.drive([&](node::Node& node, base::Instant now) {
    started = start(node.kad(now), now);
    if (started) waiting_ = *started;
  });
  if (!started) throw failure(to_string(started.error()));
  asio::steady_timer timer{co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max()};
  wake_ = &timer;
  std::error_code ignored;
  if (!done_) co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  wake_ = nullptr;
  co_return std::get<Result>(std::move(done_->result));
}

awaitable<void> Commands::place(Start start) {
  const auto placed = co_await query<kad::result::Placed>(std::move(start));
  if (placed.stored == 0) {
    throw failure(fmt::format("no other node took it, {} failed", placed.failed));
  }
}

awaitable<Json> Commands::connect(Words words) {
  return interop::connect(host_, words[0]);
}

awaitable<Json> Commands::refresh(Words) {
  Start start = [](kad::Engine& kad, base::Instant now) { return kad.bootstrap(now); };
  co_await query<kad::result::Closest>(std::move(start));
  co_return Json{};
}

awaitable<Json> Commands::table(Words) {
  std::vector<std::string> peers;
  const kad::RoutingTable& table = host_.node().kad()->table();
  for (std::size_t i = 0; i < table.buckets(); ++i) {
    for (const kad::TableEntry& entry : table.bucket(i)) peers.push_back(entry.peer.to_string());
  }
  co_return Json{}.texts("peers", peers);
}

awaitable<Json> Commands::find_peer(Words words) {
  Start start = [peer = peer_of(words[0])](kad::Engine& kad, base::Instant now) {
    return kad.find_peer(peer, now);
  };
  const auto found = co_await query<kad::result::FoundPeer>(std::move(start));
  if (!found.peer) throw failure("nobody has heard of the peer");
  co_return Json{}.texts("addresses", texts(found.peer->addresses));
}

awaitable<Json> Commands::provide(Words words) {
  Start start = [key = bytes_of(words[0])](kad::Engine& kad, base::Instant now) {
    return kad.provide(key, now);
  };
  co_await place(std::move(start));
  co_return Json{};
}

awaitable<Json> Commands::find_providers(Words words) {
  Start start = [key = bytes_of(words[0]), count = number_of(words[1])](kad::Engine& kad,
                                                                        base::Instant now) {
    return kad.find_providers(key, count, now);
  };
  const auto found = co_await query<kad::result::FoundProviders>(std::move(start));
  std::vector<Json> providers;
  for (const kad::PeerRecord& provider : found.providers) {
    providers.push_back(Json{}
                            .text("peer", provider.peer.to_string())
                            .texts("addresses", texts(provider.addresses)));
  }
  co_return Json{}.objects("providers", providers);
}

awaitable<Json> Commands::put(Words words) {
  Start start = [key = bytes_of(words[0]), value = bytes_of(words[1])](
                    kad::Engine& kad, base::Instant now) { return kad.put_value(key, value, now); };
  co_await place(std::move(start));
  co_return Json{};
}

awaitable<Json> Commands::get(Words words) {
  Start start = [key = bytes_of(words[0])](kad::Engine& kad, base::Instant now) {
    return kad.get_value(key, 0, now);
  };
  const auto found = co_await query<kad::result::FoundValue>(std::move(start));
  if (!found.value) throw failure(fmt::format("no valid value, {} invalid ones", found.invalid));
  co_return Json{}.text("value", base::to_hex(*found.value));
}

awaitable<Json> Commands::run(std::vector<std::string> words) {
  struct Command {
    std::size_t words;  // behind the command's name
    awaitable<Json> (Commands::*run)(Words);
  };
  static const std::map<std::string, Command> kCommands{
      {"connect", {1, &Commands::connect}}, {"refresh", {0, &Commands::refresh}},
      {"table", {0, &Commands::table}},     {"find-peer", {1, &Commands::find_peer}},
      {"provide", {1, &Commands::provide}}, {"find-providers", {2, &Commands::find_providers}},
      {"put", {2, &Commands::put}},         {"get", {1, &Commands::get}},
  };
  if (words.empty()) throw failure("an empty line is no command");
  const auto found = kCommands.find(words.front());
  words.erase(words.begin());
  if (found == kCommands.end() || found->second.words != words.size()) {
    throw failure("unknown command, or another number of words than it takes");
  }
  co_return co_await (this->*found->second.run)(words);
}

}  // namespace interop
