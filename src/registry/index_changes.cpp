#include "index_changes.hpp"

namespace ggen::p2p::registry {

std::optional<IndexAdd> index_add(const Entry& entry, const PublisherLog& log) {
  const auto* publish = std::get_if<Publish>(&entry.statement.body);
  if (publish == nullptr) return std::nullopt;
  const Metadata& metadata = publish->metadata;
  const Release* release = log.releases().release(metadata.name, metadata.version);
  if (release == nullptr || release->entry != entry.id) return std::nullopt;
  return IndexAdd{.entry = entry.id,
                  .publisher = entry.statement.publisher,
                  .seq = entry.statement.seq,
                  .name = metadata.name,
                  .version = metadata.version.text(),
                  .description = metadata.description,
                  .category = metadata.category,
                  .tags = metadata.tags,
                  .authors = metadata.authors};
}

void add_index_changes(const Added& added, const PublisherLog& log,
                       std::vector<IndexChange>& changes) {
  if (added.dropped_from) changes.push_back(IndexRemove{log.publisher(), *added.dropped_from});
  for (const Entry& entry : added.accepted) {
    if (auto add = index_add(entry, log)) changes.push_back(std::move(*add));
  }
}

}  // namespace ggen::p2p::registry
