#include <chrono>
#include <utility>

#include <asio/post.hpp>
#include <fmt/format.h>

#include <ggen/p2p/storage/manifest_file.hpp>
#include <ggen/p2p/storage/pack.hpp>

#include "failures.hpp"
#include "impl.hpp"

namespace ggen::p2p::marketplace {
namespace {

using Packing = std::expected<storage::Packed, Failure>;

std::string name_of(const registry::Metadata& metadata) {
  return fmt::format("{}@{}", metadata.name.text(), metadata.version.text());
}

// Packs a directory and takes the result into the store. On a pool thread.
Packing pack_into(storage::DiskStorage& store, const std::filesystem::path& directory,
                  const std::filesystem::path& scratch, const storage::Progress& progress) {
  auto packed = storage::pack(directory, scratch, progress);
  if (!packed) return std::unexpected(failure_of(packed.error()));
  if (auto taken = store.import(packed->archive, packed->chunks, scratch); !taken) {
    std::error_code ignored;
    std::filesystem::remove(scratch, ignored);
    return std::unexpected(failure_of(taken.error()));
  }
  return std::move(*packed);
}

}  // namespace

asio::awaitable<Result<Published>> Registry::Impl::publish(std::shared_ptr<Impl> self,
                                                           std::filesystem::path directory,
                                                           ProgressHandler progress) {
  const base::Instant started = host::Host::now();
  if (self->stopped_) co_return std::unexpected(stopped());

  // Before the work of packing: most mistakes are in the manifest.
  auto read = [directory] { return storage::read_manifest_file(directory); };
  auto reading = self->host_->pool().run(std::move(read));
  auto metadata = co_await std::move(reading);
  if (self->stopped_) co_return std::unexpected(stopped());
  if (!metadata) co_return std::unexpected(failure_of(metadata.error()));
  const auto* log = self->engine().catalog().log(*self->publisher_);
  if (log != nullptr && log->releases().release(metadata->name, metadata->version) != nullptr) {
    const registry::event::PublishDone::Failure exists{registry::PublishError::kVersionExists, {}};
    co_return std::unexpected(failure_of(exists, name_of(*metadata)));
  }

  const auto shared = std::make_shared<ProgressHandler>(std::move(progress));
  const std::string scratch = fmt::format("pack-{}", ++self->scratch_files_);
  const CancelFlag cancelled = self->cancel_flag();
  auto work = [store = self->storage_.get(), directory,
               scratch = self->storage_->scratch_folder() / scratch,
               report =
                   pool_progress(self->executor_, shared, Progress::Step::kPacking, cancelled)] {
    return pack_into(*store, directory, scratch, report);
  };
  auto packing = on_pool(self->host_->pool(), cancelled, std::move(work));
  Packing packed = co_await std::move(packing);
  if (self->stopped_) co_return std::unexpected(stopped());
  if (!packed) co_return std::unexpected(packed.error());

  auto announcing = self->announce(packed->metadata, packed->archive);
  registry::event::PublishDone done = co_await std::move(announcing);
  if (!done.result) {
    if (self->stopped_) co_return std::unexpected(stopped());
    co_return std::unexpected(failure_of(done.result.error(), name_of(packed->metadata)));
  }
  co_return Published{*self->publisher_, *done.result,  std::move(packed->metadata),
                      packed->archive,   packed->files, host::Host::now() - started};
}

}  // namespace ggen::p2p::marketplace
