#include <cstdlib>
#include <utility>

#include <asio/this_coro.hpp>
#include <fmt/format.h>

#include <ggen/p2p/marketplace/home.hpp>
#include <ggen/p2p/registry/key_set.hpp>

#include "failures.hpp"
#include "impl.hpp"

namespace ggen::p2p::marketplace {
namespace {

namespace fs = std::filesystem;

// Where programs keep what belongs to a user: the XDG base directory specification.
fs::path default_home() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
    return std::string{value == nullptr ? "" : value};
  };
  if (const std::string home = variable("GGEN_HOME"); !home.empty()) return home;
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty()) {
    return fs::path{data} / "ggen-p2p";
  }
  return fs::path{variable("HOME")} / ".local/share/ggen-p2p";
}

// What opening a home brings: on a pool thread, since it reads the whole journal.
struct Opened {
  Keys keys;
  std::unique_ptr<storage::DiskStorage> storage;
};

Result<Opened> open_home(const Config& config) {
  if (auto ready = prepare_home(config.home); !ready) return std::unexpected(ready.error());
  auto storage = storage::DiskStorage::open(config.home / "store");
  if (!storage) {
    Failure failure = failure_of(storage.error());
    if (failure.reason == Reason::kLocked) {
      failure.message = fmt::format("A node runs in {} already", config.home.string());
      failure.hint =
          "Use it, stop it with `ggen-p2p stop`, or give this one a home of its own with --home";
    } else {
      failure.reason = Reason::kHome;
    }
    return std::unexpected(std::move(failure));
  }
  auto keys = read_or_make_keys(config.home, config.identity);
  if (!keys) return std::unexpected(keys.error());
  return Opened{std::move(*keys), std::move(*storage)};
}

registry::Signer signer_of(Keys& keys) {
  const auto next = registry::KeySet::of({keys.next_publisher.public_key()});
  return {std::move(keys.publisher), next->digest()};  // one key is always a set
}

}  // namespace

Config::Config() : home(default_home()) {
  host.node.kad.emplace();
  host.node.gossipsub.emplace();
}

RegistryBuilder& RegistryBuilder::with_config(Config config) {
  config_ = std::move(config);
  return *this;
}

// Owns what it needs, so that the builder may be a temporary.
asio::awaitable<Result<Registry>> RegistryBuilder::build_with(Config config,
                                                              host::Host::Observer observer,
                                                              telemetry::SpanTracker* spans) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  host::Pool pool{1};
  auto open = [&config] { return open_home(config); };
  Result<Opened> opened = co_await pool.run(std::move(open));
  if (!opened) co_return std::unexpected(opened.error());

  registry::Signer signer = signer_of(opened->keys);
  auto impl = std::make_shared<Registry::Impl>(executor, std::move(opened->storage),
                                               std::move(opened->keys.identity), std::move(config));
  impl->observe(std::move(observer), spans);
  auto loading = impl->open(std::move(signer));
  if (auto loaded = co_await std::move(loading); !loaded) {
    co_return std::unexpected(loaded.error());
  }
  auto listening = impl->listen();
  if (auto ready = co_await std::move(listening); !ready) {
    auto stopping = Registry::Impl::stop(impl);
    co_await std::move(stopping);
    co_return std::unexpected(ready.error());
  }
  co_return Registry{std::move(impl)};
}

RegistryBuilder& RegistryBuilder::with_observer(host::Host::Observer observer) {
  observer_ = std::move(observer);
  return *this;
}

RegistryBuilder& RegistryBuilder::with_spans(telemetry::SpanTracker& spans) {
  spans_ = &spans;
  return *this;
}

asio::awaitable<Result<Registry>> RegistryBuilder::build() {
  return build_with(std::move(config_), std::move(observer_), spans_);
}

}  // namespace ggen::p2p::marketplace
