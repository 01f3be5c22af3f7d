#include "run_node.hpp"

#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <ggen/p2p/host/host.hpp>

#include "control_server.hpp"
#include "event_text.hpp"
#include "home.hpp"
#include "key_file.hpp"
#include "log.hpp"
#include "node_service.hpp"

namespace ggen::p2p::cli {
namespace {

using multiformats::Multiaddr;
using multiformats::PeerId;

// How long goodbyes may take, and then the last answers to commands.
constexpr std::chrono::seconds kStopTimeout{5};
constexpr std::chrono::seconds kAnswerTimeout{1};

/// A node and what drives it, from its first listener to its last goodbye.
class RunningNode {
 public:
  RunningNode(asio::io_context& loop, const Settings& settings, Keys keys, Log& log,
              const NodeOptions& options)
      : loop_(loop),
        settings_(settings),
        log_(log),
        options_(options),
        publisher_(PeerId::of(keys.publisher.public_key())),
        host_(loop.get_executor(), std::move(keys.identity), settings.host),
        service_(settings, host_, publisher_, [this] { stop("the command `stop`"); }),
        control_(loop.get_executor(), service_),
        signals_(loop, SIGINT, SIGTERM, SIGHUP),
        next_bootstrap_(loop),
        stop_deadline_(loop) {
    host_.observe([this](const node::Output& output) {
      service_.note(output);
      if (const auto text = describe_(output)) log_.event(*text);
    });
  }

  /// Runs the loop until the node has ended.
  Result<void> run() {
    wait_for_signal();
    asio::co_spawn(loop_, start(), asio::detached);
    loop_.run();
    loop_.restart();
    loop_.run_for(kAnswerTimeout);
    return std::move(outcome_);
  }

  [[nodiscard]] std::vector<ControlServer::Socket> take_waiting_for_end() {
    return control_.take_waiting_for_end();
  }

 private:
  asio::awaitable<void> start() {
    for (const Multiaddr& address : settings_.listen) {
      const auto bound = co_await host_.listen(address);
      if (!bound && !stopping_) {
        outcome_ = cannot_listen(address, bound.error());
        break;
      }
    }
    if (outcome_ && !stopping_) {
      outcome_ = control_.open(settings_.home);
      if (outcome_) ready();
    }
    if (!outcome_) stop({});
  }

  static Result<void> cannot_listen(const Multiaddr& address, const host::Failure& failure) {
    const std::string text = address.to_string();
    if (failure.code == std::errc::address_in_use) {
      return fail(Exit::kListen,
                  fmt::format("Cannot listen on {}: another program uses this port.", text),
                  "Choose another port, or let the system choose one: --listen "
                  "/ip4/0.0.0.0/tcp/0");
    }
    return fail(Exit::kListen, fmt::format("{}.", capitalised(failure.message)),
                "Give --listen an address of this machine, such as /ip4/0.0.0.0/tcp/0");
  }

  static std::string capitalised(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.front() -= 'a' - 'A';
    return text;
  }

  void ready() {
    Json json;
    json["peer_id"] = host_.id().to_string();
    json["publisher_id"] = publisher_.to_string();
    json["addresses"] = addresses_json(host_);
    json["home"] = settings_.home.string();
    json["pid"] = ::getpid();
    log_.line(fmt::format("started: {}, in {}", host_.id().to_string(), settings_.home.string()));
    for (const auto& address : host_.addresses()) {
      log_.line(fmt::format("listens on {}", address.to_string()));
    }
    if (options_.on_ready) options_.on_ready(json);
    asio::co_spawn(loop_, bootstrap(), asio::detached);
  }

  asio::awaitable<void> bootstrap() {
    while (!stopping_ && !settings_.bootstrap.empty()) {
      if (host_.swarm().connected_peers().empty()) {
        for (const Multiaddr& address : settings_.bootstrap) {
          asio::co_spawn(loop_, connect(address), asio::detached);
        }
      }
      next_bootstrap_.expires_after(settings_.bootstrap_interval);
      std::error_code cancelled;
      co_await next_bootstrap_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
  }

  asio::awaitable<void> connect(Multiaddr address) {
    const auto peer = co_await host_.connect(address);
    if (!peer && !stopping_) {
      log_.line(fmt::format("cannot reach the bootstrap peer {}: {}", address.to_string(),
                            peer.error().message));
    }
  }

  void wait_for_signal() {
    signals_.async_wait([this](std::error_code error, int signal) {
      if (error) return;
      // The first one asks; who sends a second one does not want to wait.
      if (stopping_) std::_Exit(static_cast<int>(Exit::kInterrupted));
      stop(fmt::format("signal {}", signal));
      wait_for_signal();
    });
  }

  void stop(std::string_view why) {
    if (std::exchange(stopping_, true)) return;
    if (!why.empty()) log_.line(fmt::format("stopping: {}", why));
    next_bootstrap_.cancel();
    stop_deadline_.expires_after(kStopTimeout);
    stop_deadline_.async_wait([this](std::error_code cancelled) {
      if (!cancelled) loop_.stop();
    });
    asio::co_spawn(loop_, say_goodbye(), asio::detached);
  }

  asio::awaitable<void> say_goodbye() {
    control_.close();
    co_await host_.stop();
    if (outcome_) log_.line("stopped");
    // What is left on the loop are answers that are being written.
    signals_.cancel();
    stop_deadline_.cancel();
    loop_.stop();
  }

  asio::io_context& loop_;
  const Settings& settings_;
  Log& log_;
  const NodeOptions& options_;
  PeerId publisher_;
  host::Host host_;
  NodeService service_;
  ControlServer control_;
  asio::signal_set signals_;
  asio::steady_timer next_bootstrap_;
  asio::steady_timer stop_deadline_;
  EventText describe_;
  bool stopping_ = false;
  Result<void> outcome_;
};

}  // namespace

Result<void> run_node(const Settings& settings, const NodeOptions& options) {
  if (auto home = prepare_home(settings.home); !home) return home;
  // In this order: what waits for the node's end sees it when the home is free again.
  asio::io_context loop{1};
  std::vector<ControlServer::Socket> waiting_for_end;
  auto lock = HomeLock::take(settings.home);
  if (!lock) return std::unexpected(std::move(lock.error()));
  auto keys = read_or_make_keys(settings);
  if (!keys) return std::unexpected(std::move(keys.error()));
  Log log;
  if (options.log_to_file) {
    auto file = Log::to_file(settings.home / "node.log");
    if (!file) return std::unexpected(std::move(file.error()));
    log = *std::move(file);
  }
  // Writing to a peer or client that has gone is an error like others, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  RunningNode node{loop, settings, *std::move(keys), log, options};
  auto outcome = node.run();
  waiting_for_end = node.take_waiting_for_end();
  return outcome;
}

}  // namespace ggen::p2p::cli
