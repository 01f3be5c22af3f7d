#pragma once

#include <optional>
#include <vector>

#include <ggen/p2p/registry/publisher_log.hpp>
#include <ggen/p2p/registry/storage.hpp>

namespace ggen::p2p::registry {

/// What the index is to hold for an entry; nothing when it is no release that stands in the log.
[[nodiscard]] std::optional<IndexAdd> index_add(const Entry& entry, const PublisherLog& log);

/// What an addition to a log changes for searches.
void add_index_changes(const Added& added, const PublisherLog& log,
                       std::vector<IndexChange>& changes);

}  // namespace ggen::p2p::registry
