#include <ggen/p2p/registry/storage.hpp>

namespace ggen::p2p::registry {

std::string_view to_string(StoreError::Kind kind) noexcept {
  switch (kind) {
    case StoreError::Kind::kIo:
      return "the disk failed";
    case StoreError::Kind::kFull:
      return "the disk is full";
    case StoreError::Kind::kMissing:
      return "not in the store";
    case StoreError::Kind::kCorrupt:
      return "damaged on disk";
    case StoreError::Kind::kWrongHash:
      return "not the bytes of this chunk";
    case StoreError::Kind::kShutdown:
      return "the program is stopping";
  }
  return "unknown";
}

}  // namespace ggen::p2p::registry
