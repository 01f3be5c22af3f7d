#include <ggen/p2p/registry/engine.hpp>

namespace ggen::p2p::registry {

std::string_view to_string(PublishError error) noexcept {
  switch (error) {
    case PublishError::kNoSigner:
      return "this node has no publisher's key";
    case PublishError::kNotLoaded:
      return "the journal has not been read";
    case PublishError::kInvalid:
      return "a field is not valid";
    case PublishError::kVersionExists:
      return "this version was published before, and a version is final";
    case PublishError::kNoRelease:
      return "there is no such release";
    case PublishError::kNoArchive:
      return "the archive is not here as a whole";
    case PublishError::kFrozen:
      return "the publisher signed two histories";
    case PublishError::kForeignKeys:
      return "the publisher's log has other keys than this node";
    case PublishError::kFull:
      return "the publisher's log is full";
    case PublishError::kBusy:
      return "too many wait for their turn";
    case PublishError::kStorage:
      return "the journal could not be written";
  }
  return "unknown error";
}

std::string_view to_string(FetchError error) noexcept {
  switch (error) {
    case FetchError::kNoProviders:
      return "nobody who holds the archive was found";
    case FetchError::kUnavailable:
      return "those who hold the archive could not be reached, or did not send it";
    case FetchError::kStorage:
      return "the disk failed or is full";
    case FetchError::kBusy:
      return "too many wait for their turn";
    case FetchError::kCancelled:
      return "cancelled";
  }
  return "unknown error";
}

}  // namespace ggen::p2p::registry
