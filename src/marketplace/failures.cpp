#include "failures.hpp"

#include <fmt/format.h>

namespace ggen::p2p::marketplace {

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::kHome:
      return "home";
    case Reason::kLocked:
      return "locked";
    case Reason::kKey:
      return "key";
    case Reason::kListen:
      return "listen";
    case Reason::kPackage:
      return "package";
    case Reason::kExists:
      return "exists";
    case Reason::kInput:
      return "input";
    case Reason::kOutput:
      return "output";
    case Reason::kNotFound:
      return "not-found";
    case Reason::kAmbiguous:
      return "ambiguous";
    case Reason::kRefused:
      return "refused";
    case Reason::kUnavailable:
      return "unavailable";
    case Reason::kUnsafe:
      return "unsafe";
    case Reason::kStorage:
      return "storage";
    case Reason::kBusy:
      return "busy";
    case Reason::kCancelled:
      return "cancelled";
    case Reason::kStopped:
      return "stopped";
  }
  return "unknown";
}

namespace {

Reason reason_of(storage::Failure::Kind kind) {
  using Kind = storage::Failure::Kind;
  switch (kind) {
    case Kind::kIo:
    case Kind::kFull:
      return Reason::kStorage;
    case Kind::kInUse:
      return Reason::kLocked;
    case Kind::kDamaged:
    case Kind::kTooNew:
      return Reason::kHome;
    case Kind::kNotFound:
    case Kind::kBadManifest:
    case Kind::kBadTree:
    case Kind::kChanged:
    case Kind::kTooLarge:
      return Reason::kPackage;
    case Kind::kBadArchive:
    case Kind::kUnsafe:
      return Reason::kUnsafe;
    case Kind::kTargetExists:
      return Reason::kOutput;
    case Kind::kCancelled:
      return Reason::kCancelled;
  }
  return Reason::kStorage;
}

}  // namespace

Failure failure_of(const storage::Failure& failure) {
  return {reason_of(failure.kind), failure.message};
}

Failure failure_of(const registry::StoreError& error) {
  std::string message = fmt::format("The store failed ({})", to_string(error.kind));
  if (!error.detail.empty()) message = fmt::format("{}: {}", message, error.detail);
  return {Reason::kStorage, std::move(message), "Look at the disk that holds the node's home"};
}

Failure failure_of(const registry::ResolveError& error) {
  using registry::ResolveError;
  Failure failure{Reason::kNotFound, error.message()};
  failure.choices = error.choices;
  switch (error.reason) {
    case ResolveError::Reason::kUnknownPublisher:
    case ResolveError::Reason::kUnknownPackage:
      failure.hint = "Look for it with: ggen-p2p search WORDS";
      break;
    case ResolveError::Reason::kNoVersion:
      break;
    case ResolveError::Reason::kAmbiguous:
      failure.reason = Reason::kAmbiguous;
      failure.hint = "Name the publisher: one of the references above";
      break;
    case ResolveError::Reason::kYanked:
    case ResolveError::Reason::kEquivocation:
      failure.reason = Reason::kRefused;
      break;
  }
  return failure;
}

Failure failure_of(const registry::event::PublishDone::Failure& failure,
                   const std::string& package) {
  using registry::PublishError;
  const auto made = [&](Reason reason, std::string message, std::string hint = {}) {
    return Failure{reason, std::move(message), std::move(hint)};
  };
  switch (failure.error) {
    case PublishError::kVersionExists:
      return made(Reason::kExists,
                  fmt::format("{} was published before, and a release is final", package),
                  "Raise the version in ggen.toml");
    case PublishError::kInvalid:
      return made(Reason::kPackage,
                  fmt::format("{} cannot be published: {}", package, failure.detail),
                  "Change it in ggen.toml");
    case PublishError::kNoRelease:
      return made(Reason::kNotFound, fmt::format("There is no release {} of yours", package));
    case PublishError::kFrozen:
      return made(
          Reason::kRefused,
          "Your publisher's log has two histories: it was signed in two places, or without its "
          "journal. Nothing new of it is installed anywhere",
          "Publish under another publisher: a new home makes one");
    case PublishError::kForeignKeys:
      return made(Reason::kKey, "Your publisher's log is signed with other keys than this node has",
                  "Copy publisher.key and publisher-next.key from where it was published last");
    case PublishError::kFull:
      return made(Reason::kRefused, "Your publisher's log is at its limits");
    case PublishError::kBusy:
      return made(Reason::kBusy, "Too many releases wait to be published", "Try again soon");
    case PublishError::kNoSigner:
    case PublishError::kNotLoaded:
    case PublishError::kNoArchive:
    case PublishError::kStorage:
      break;
  }
  return made(Reason::kStorage,
              fmt::format("{} could not be published: {}{}{}", package, to_string(failure.error),
                          failure.detail.empty() ? "" : ": ", failure.detail));
}

Failure failure_of(registry::FetchError error, const std::string& package) {
  using registry::FetchError;
  switch (error) {
    case FetchError::kNoProviders:
      return {Reason::kUnavailable, fmt::format("Nobody who holds {} was found", package),
              "Try again when a node that has it is running"};
    case FetchError::kUnavailable:
      return {Reason::kUnavailable,
              fmt::format("Those who hold {} could not be reached, or did not send it", package),
              "Try again: what has come so far is kept"};
    case FetchError::kStorage:
      return {Reason::kStorage, fmt::format("{} could not be written to the disk", package),
              "Make room on the disk that holds the node's home, then try again: what has come so "
              "far is kept"};
    case FetchError::kBusy:
      return {Reason::kBusy, "Too many packages are being fetched", "Try again soon"};
    case FetchError::kCancelled:
      return {Reason::kCancelled, fmt::format("Fetching {} was cancelled", package),
              "What has come so far is kept for the next time"};
  }
  return {Reason::kUnavailable, fmt::format("{} could not be fetched", package)};
}

Failure stopped() {
  return {Reason::kStopped, "The registry has been stopped"};
}

}  // namespace ggen::p2p::marketplace
