#include <ggen/p2p/storage/failure.hpp>

namespace ggen::p2p::storage {

std::string_view to_string(Failure::Kind kind) noexcept {
  switch (kind) {
    case Failure::Kind::kIo:
      return "io";
    case Failure::Kind::kFull:
      return "disk-full";
    case Failure::Kind::kInUse:
      return "in-use";
    case Failure::Kind::kDamaged:
      return "damaged";
    case Failure::Kind::kTooNew:
      return "too-new";
    case Failure::Kind::kNotFound:
      return "not-found";
    case Failure::Kind::kBadManifest:
      return "bad-manifest";
    case Failure::Kind::kBadTree:
      return "bad-tree";
    case Failure::Kind::kChanged:
      return "changed";
    case Failure::Kind::kBadArchive:
      return "bad-archive";
    case Failure::Kind::kUnsafe:
      return "unsafe";
    case Failure::Kind::kTooLarge:
      return "too-large";
    case Failure::Kind::kCancelled:
      return "cancelled";
    case Failure::Kind::kTargetExists:
      return "target-exists";
  }
  return "unknown";
}

}  // namespace ggen::p2p::storage
