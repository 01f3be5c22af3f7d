#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/storage/unpack.hpp>

#include "failures.hpp"
#include "impl.hpp"

namespace ggen::p2p::marketplace {
namespace {

namespace fs = std::filesystem;

// How long peers are asked for a package that nobody here has heard of.
constexpr base::Duration kFindTime = std::chrono::seconds{5};

bool may_be_known_elsewhere(registry::ResolveError::Reason reason) {
  using Reason = registry::ResolveError::Reason;
  return reason == Reason::kUnknownPublisher || reason == Reason::kUnknownPackage ||
         reason == Reason::kNoVersion;
}

std::string name_of(const registry::Resolved& release) {
  return fmt::format("{}@{}", release.name.text(), release.release.version.text());
}

// Refuses a destination in use before anything is fetched for it.
Result<void> check_free(const fs::path& output) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(output, error);
  if (fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(output, error))) {
    return std::unexpected(Failure{Reason::kOutput,
                                   fmt::format("{} is there already", output.string()),
                                   "Choose another place with --output, or remove it"});
  }
  return {};
}

// Makes the folders above the destination, then the destination. On a pool thread.
std::expected<storage::Unpacked, storage::Failure> unpack_into(registry::Storage& store,
                                                               const registry::Archive& archive,
                                                               const fs::path& output,
                                                               const storage::Progress& progress) {
  std::error_code error;
  const fs::path parent = fs::absolute(output, error).parent_path();
  if (!error) fs::create_directories(parent, error);
  if (error) {
    return std::unexpected(
        storage::Failure{storage::Failure::Kind::kTargetExists,
                         fmt::format("cannot make {}: {}", parent.string(), error.message())});
  }
  return storage::unpack(storage::read_blob(store, archive), archive, output, progress);
}

}  // namespace

asio::awaitable<Result<Found>> Registry::Impl::search(std::shared_ptr<Impl> self, Query query) {
  if (self->stopped_) co_return std::unexpected(stopped());
  auto asking = self->ask(std::move(query));
  auto done = co_await std::move(asking);
  if (self->stopped_) co_return std::unexpected(stopped());
  co_return Found{std::move(done.hits), done.asked, done.answered, done.timed_out};
}

// What a reference means, asking peers when nothing here answers it.
asio::awaitable<Result<Registry::Impl::Target>> Registry::Impl::find(registry::Reference reference,
                                                                     SharedProgress progress) {
  telemetry::Parent resolving;
  if (spans_ != nullptr) resolving = spans_->resolve_started(reference, host::Host::now());
  auto looking_up = look_up(reference, std::move(progress), resolving);
  Result<Target> target = co_await std::move(looking_up);
  if (spans_ != nullptr && !stopped_) {
    spans_->resolve_done(resolving, engine().catalog().resolve(reference), host::Host::now());
  }
  co_return target;
}

asio::awaitable<Result<Registry::Impl::Target>> Registry::Impl::look_up(
    registry::Reference reference, SharedProgress progress, telemetry::Parent resolving) {
  auto release = engine().catalog().resolve(reference);
  if (release) co_return Target{std::move(*release), {}};
  if (!may_be_known_elsewhere(release.error().reason)) {
    co_return std::unexpected(failure_of(release.error()));
  }
  if (*progress) (*progress)({Progress::Step::kSearching, 0, 0, 0});
  Query query;
  query.request.words = {reference.name.text()};
  query.request.limit = registry::kMaxSearchResults;
  query.timeout = kFindTime;
  auto asking = ask(std::move(query), resolving);
  const registry::event::SearchDone found = co_await std::move(asking);
  if (stopped_) co_return std::unexpected(stopped());
  release = engine().catalog().resolve(reference);
  if (!release) co_return std::unexpected(failure_of(release.error()));
  std::vector<multiformats::PeerId> hints;
  for (const registry::event::Hit& hit : found.hits) {
    if (hit.release.entry == release->release.entry) hints = hit.providers;
  }
  co_return Target{std::move(*release), std::move(hints)};
}

// What the publish entry says beside what the catalog keeps.
asio::awaitable<Result<registry::Metadata>> Registry::Impl::metadata_of(registry::EntryId entry) {
  auto read = [store = storage_.get(), entry]() -> Result<registry::Metadata> {
    const auto result = store->run(registry::store::ReadEntries{{entry}});
    if (!result) return std::unexpected(failure_of(result.error()));
    const auto& envelopes = std::get<registry::store::Entries>(*result).envelopes;
    if (envelopes.size() == 1 && envelopes.front()) {
      auto decoded = registry::Entry::decode(envelopes.front()->view());
      if (decoded) {
        if (auto* publish = std::get_if<registry::Publish>(&decoded->statement.body)) {
          return std::move(publish->metadata);
        }
      }
    }
    return std::unexpected(Failure{Reason::kStorage, "The journal lost an entry that it held",
                                   "Stop the node and start it again: it reads the journal anew"});
  };
  return host_->pool().run(std::move(read));
}

// The disk may have damaged what was held: then it is fetched again, which brings only that.
asio::awaitable<Result<storage::Unpacked>> Registry::Impl::unpack(registry::Archive archive,
                                                                  fs::path output,
                                                                  SharedProgress progress) {
  for (bool again = false;; again = true) {
    const CancelFlag cancelled = cancel_flag();
    auto work = [store = storage_.get(), archive, output,
                 report =
                     pool_progress(executor_, progress, Progress::Step::kUnpacking, cancelled)] {
      return unpack_into(*store, archive, output, report);
    };
    auto unpacking = on_pool(host_->pool(), cancelled, std::move(work));
    auto unpacked = co_await std::move(unpacking);
    if (unpacked) co_return *unpacked;
    if (stopped_) co_return std::unexpected(stopped());
    const bool damaged = unpacked.error().kind == storage::Failure::Kind::kDamaged;
    if (!damaged || again) co_return std::unexpected(failure_of(unpacked.error()));

    host_->drive(
        [&](node::Node& node, base::Instant now) { node.registry(now).doubt_archive(archive); });
    auto fetching = fetch(archive, {}, progress);
    const registry::event::FetchDone fetched = co_await std::move(fetching);
    if (stopped_) co_return std::unexpected(stopped());
    if (!fetched.result) {
      co_return std::unexpected(failure_of(fetched.result.error(), "what the disk has damaged"));
    }
  }
}

asio::awaitable<Result<Got>> Registry::Impl::get(std::shared_ptr<Impl> self,
                                                 registry::Reference reference,
                                                 std::optional<fs::path> output,
                                                 ProgressHandler progress) {
  const base::Instant started = host::Host::now();
  if (self->stopped_) co_return std::unexpected(stopped());
  const auto shared = std::make_shared<ProgressHandler>(std::move(progress));
  if (output) {
    auto check = [path = *output] { return check_free(path); };
    auto checking = self->host_->pool().run(std::move(check));
    const Result<void> ready = co_await std::move(checking);
    if (self->stopped_) co_return std::unexpected(stopped());
    if (!ready) co_return std::unexpected(ready.error());
  }

  auto finding = self->find(std::move(reference), shared);
  Result<Target> target = co_await std::move(finding);
  if (!target) co_return std::unexpected(target.error());
  const registry::Resolved& release = target->release;
  const registry::Archive archive = release.release.archive;

  auto fetching = self->fetch(archive, std::move(target->hints), shared);
  registry::event::FetchDone fetched = co_await std::move(fetching);
  if (self->stopped_) co_return std::unexpected(stopped());
  if (!fetched.result) {
    co_return std::unexpected(failure_of(fetched.result.error(), name_of(release)));
  }
  self->host_->drive([&](node::Node& node, base::Instant now) {
    node.registry(now).catalog().used(release.publisher);
  });

  auto reading = self->metadata_of(release.release.entry);
  Result<registry::Metadata> metadata = co_await std::move(reading);
  if (self->stopped_) co_return std::unexpected(stopped());
  if (!metadata) co_return std::unexpected(metadata.error());

  Got got{release, std::move(*metadata),    output.value_or(fs::path{}),
          0,       fetched.sources.empty(), std::move(fetched.sources)};
  if (output) {
    auto unpacking = self->unpack(archive, *output, shared);
    const auto unpacked = co_await std::move(unpacking);
    if (!unpacked) {
      if (self->stopped_) co_return std::unexpected(stopped());
      co_return std::unexpected(unpacked.error());
    }
    got.files = unpacked->files;
  }
  got.took = host::Host::now() - started;
  co_return got;
}

}  // namespace ggen::p2p::marketplace
