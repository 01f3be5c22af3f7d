#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <mutex>

#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/storage/failure.hpp>

#include "sql.hpp"

namespace ggen::p2p::storage {

// The full-text index: an SQLite file that can be made anew from the journal at any time. Any
// thread; one operation at a time.
class Index {
 public:
  // Opens the file, or makes it anew when it is missing, damaged, of another version, or ahead of a
  // journal that ends at `journal_end`.
  [[nodiscard]] static std::expected<std::unique_ptr<Index>, Failure> open(
      const std::filesystem::path& path, std::uint64_t journal_end);

  [[nodiscard]] Outcome<registry::store::Position> position();
  [[nodiscard]] Outcome<registry::store::Done> apply(const registry::store::IndexApply& op);
  [[nodiscard]] Outcome<registry::store::Matches> query(const registry::SearchRequest& query);

 private:
  Index(std::filesystem::path path, Database database)
      : path_(std::move(path)), database_(std::move(database)) {}

  [[nodiscard]] Outcome<> add(const registry::IndexAdd& release);
  [[nodiscard]] Outcome<> remove(const registry::IndexRemove& range);
  [[nodiscard]] Outcome<> remove_releases(base::BytesView publisher, std::int64_t from,
                                          std::int64_t to);
  [[nodiscard]] Outcome<> change(const registry::store::IndexApply& op);
  void note(const registry::StoreError& error);

  const std::filesystem::path path_;
  std::mutex mutex_;
  Database database_;
};

}  // namespace ggen::p2p::storage
