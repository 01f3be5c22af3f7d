#include "run_node.hpp"

#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <ggen/p2p/marketplace/home.hpp>
#include <ggen/p2p/marketplace/registry.hpp>

#include "control_server.hpp"
#include "event_text.hpp"
#include "log.hpp"
#include "node_service.hpp"
#include "span_file.hpp"
#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

// How long goodbyes may take, and then the last answers to commands.
constexpr std::chrono::seconds kStopTimeout{5};
constexpr std::chrono::seconds kAnswerTimeout{1};
// Between two looks at what spans have ended: soon enough for whoever reads along.
constexpr std::chrono::milliseconds kSpanPause{500};

marketplace::Config config_of(const Settings& settings) {
  marketplace::Config config;
  config.home = settings.home;
  config.identity = settings.identity;
  config.listen = settings.listen;
  config.host = settings.host;
  config.host.node.kad = settings.kad;
  config.host.node.dht_auto_mode = settings.dht_auto_mode;
  config.host.node.gossipsub = settings.gossipsub;
  config.bootstrap = settings.bootstrap;
  config.host.node.bootstrap.retry_max = settings.bootstrap_interval;
  config.registry = settings.registry;
  return config;
}

/// A node and what drives it, from its first listener to its last goodbye.
class RunningNode {
 public:
  RunningNode(asio::io_context& loop, const Settings& settings, Log& log,
              std::optional<SpanFile> spans, const NodeOptions& options)
      : loop_(loop),
        settings_(settings),
        log_(log),
        spans_(std::move(spans)),
        options_(options),
        signals_(loop, SIGINT, SIGTERM, SIGHUP),
        stop_deadline_(loop),
        span_timer_(loop) {}

  /// Runs the loop until the node has ended.
  Result<void> run() {
    wait_for_signal();
    asio::co_spawn(loop_, start(), asio::detached);
    loop_.run();
    loop_.restart();
    loop_.run_for(kAnswerTimeout);
    finish_spans();
    return std::move(outcome_);
  }

  [[nodiscard]] std::vector<ControlServer::Socket> take_waiting_for_end() {
    return control_ ? control_->take_waiting_for_end() : std::vector<ControlServer::Socket>{};
  }

 private:
  asio::awaitable<void> start() {
    marketplace::RegistryBuilder builder;
    builder.with_config(config_of(settings_));
    builder.with_observer([this](const node::Output& output) { observe(output); });
    if (spans_) builder.with_spans(spans_->tracker());
    auto building = builder.build();
    auto built = co_await std::move(building);
    if (!built) {
      outcome_ = std::unexpected(error_of(built.error()));
    } else {
      registry_.emplace(std::move(*built));
      if (spans_) write_spans_soon();
      open_for_commands();
    }
    if (!outcome_ || stopping_) {
      // A signal that came meanwhile has found nothing to stop yet.
      stopping_ = true;
      asio::co_spawn(loop_, say_goodbye(), asio::detached);
    }
  }

  void open_for_commands() {
    service_.emplace(settings_, *registry_, agents_, [this] { stop("the command `stop`"); });
    control_.emplace(loop_.get_executor(), *service_);
    if (stopping_) return;
    outcome_ = control_->open(settings_.home);
    if (outcome_) ready();
  }

  void observe(const node::Output& output) {
    agents_.note(output);
    if (const auto text = describe_(output)) log_.event(*text);
  }

  void write_spans_soon() {
    span_timer_.expires_after(kSpanPause);
    span_timer_.async_wait([this](std::error_code cancelled) {
      if (cancelled || stopping_) return;
      tell_failure(spans_->flush(registry_->id().to_string()));
      write_spans_soon();
    });
  }

  void finish_spans() {
    span_timer_.cancel();
    if (!spans_ || !registry_) return;
    tell_failure(spans_->finish(registry_->id().to_string()));
    if (spans_->left_out() > 0) {
      log_.line(
          fmt::format("{} left out: too many at a time", count_of(spans_->left_out(), "span")));
    }
  }

  // The node goes on without.
  void tell_failure(const Result<void>& written) {
    if (!written) log_.line(written.error().message);
  }

  void ready() {
    Json json;
    json["peer_id"] = registry_->id().to_string();
    json["publisher_id"] = registry_->publisher().to_string();
    json["addresses"] = addresses_json(*registry_);
    json["home"] = settings_.home.string();
    json["pid"] = ::getpid();
    log_.line(
        fmt::format("started: {}, in {}", registry_->id().to_string(), settings_.home.string()));
    if (const std::size_t damage = registry_->journal_damage(); damage > 0) {
      log_.line(
          fmt::format("the disk has damaged the journal in {}: what stood there was skipped, "
                      "and comes again from peers that have it",
                      count_of(damage, "place")));
    }
    for (const auto& address : registry_->addresses()) {
      log_.line(fmt::format("listens on {}", address.to_string()));
    }
    if (options_.on_ready) options_.on_ready(json);
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
    log_.line(fmt::format("stopping: {}", why));
    stop_deadline_.expires_after(kStopTimeout);
    stop_deadline_.async_wait([this](std::error_code cancelled) {
      if (!cancelled) loop_.stop();
    });
    if (registry_) asio::co_spawn(loop_, say_goodbye(), asio::detached);
  }

  asio::awaitable<void> say_goodbye() {
    if (control_) control_->close();
    if (registry_) {
      auto stopping = registry_->stop();
      co_await std::move(stopping);
    }
    if (outcome_) log_.line("stopped");
    // What is left on the loop are answers that are being written.
    signals_.cancel();
    stop_deadline_.cancel();
    span_timer_.cancel();
    loop_.stop();
  }

  asio::io_context& loop_;
  const Settings& settings_;
  Log& log_;
  std::optional<SpanFile> spans_;  // the registry tells its tracker
  const NodeOptions& options_;
  std::optional<marketplace::Registry> registry_;
  std::optional<NodeService> service_;
  std::optional<ControlServer> control_;
  asio::signal_set signals_;
  asio::steady_timer stop_deadline_;
  asio::steady_timer span_timer_;
  EventText describe_;
  PeerAgents agents_;
  bool stopping_ = false;
  Result<void> outcome_;
};

}  // namespace

Result<void> run_node(const Settings& settings, const NodeOptions& options) {
  if (auto home = marketplace::prepare_home(settings.home); !home) {
    return std::unexpected(error_of(home.error()));
  }
  // In this order: what waits for the node's end sees it when the home is free again.
  asio::io_context loop{1};
  std::vector<ControlServer::Socket> waiting_for_end;
  Log log;
  if (options.log_to_file) {
    auto file = Log::to_file(settings.home / "node.log");
    if (!file) return std::unexpected(std::move(file.error()));
    log = *std::move(file);
  }
  std::optional<SpanFile> spans;
  if (!settings.trace.empty()) {
    auto file = SpanFile::open(settings.trace_path());
    if (!file) return std::unexpected(std::move(file.error()));
    spans.emplace(*std::move(file));
  }
  // Writing to a peer or client that has gone is an error like others, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  RunningNode node{loop, settings, log, std::move(spans), options};
  auto outcome = node.run();
  waiting_for_end = node.take_waiting_for_end();
  return outcome;
}

}  // namespace ggen::p2p::cli
