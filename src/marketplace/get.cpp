#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/storage/unpack.hpp>

#include "failures.hpp"
#include "impl.hpp"
#include "pool_progress.hpp"

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

// Refuses a destination in use before anything is fetched for it, and makes the folders above it.
Result<void> prepare(const fs::path& output) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(output, error);
  if (fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(output, error))) {
    return std::unexpected(Failure{Reason::kExists,
                                   fmt::format("{} is there already", output.string()),
                                   "Choose another place with --output, or remove it"});
  }
  if (const fs::path parent = fs::absolute(output).parent_path(); !parent.empty()) {
    fs::create_directories(parent, error);
    if (error) {
      return std::unexpected(Failure{
          Reason::kStorage, fmt::format("Cannot make {}: {}", parent.string(), error.message()),
          "Choose another place with --output"});
    }
  }
  return {};
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
  auto asking = ask(std::move(query));
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

asio::awaitable<Result<Got>> Registry::Impl::get(std::shared_ptr<Impl> self,
                                                 registry::Reference reference,
                                                 std::optional<fs::path> output,
                                                 ProgressHandler progress) {
  const base::Instant started = host::Host::now();
  if (self->stopped_) co_return std::unexpected(stopped());
  const auto shared = std::make_shared<ProgressHandler>(std::move(progress));
  if (output) {
    auto check = [path = *output] { return prepare(path); };
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
    auto work = [store = self->storage_.get(), archive, path = *output,
                 report = pool_progress(self->executor_, shared, Progress::Step::kUnpacking)] {
      return storage::unpack(storage::read_blob(*store, archive), archive, path, report);
    };
    auto unpacking = self->host_->pool().run(std::move(work));
    auto unpacked = co_await std::move(unpacking);
    if (!unpacked) co_return std::unexpected(failure_of(unpacked.error()));
    got.files = unpacked->files;
  }
  got.took = host::Host::now() - started;
  co_return got;
}

}  // namespace ggen::p2p::marketplace
