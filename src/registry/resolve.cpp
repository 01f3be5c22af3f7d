#include <algorithm>

#include <ggen/p2p/registry/catalog.hpp>

#include "text.hpp"

namespace ggen::p2p::registry {

using multiformats::PeerId;
using Reason = ResolveError::Reason;

namespace {

constexpr std::size_t kMaxChoices = 16;

std::unexpected<ResolveError> refuse(Reason reason, const Reference& reference,
                                     std::vector<std::string> choices = {},
                                     std::string detail = {}) {
  return std::unexpected(
      ResolveError{reason, reference.text(), std::move(detail), std::move(choices)});
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::vector<std::string> newest_versions(const Package& package) {
  std::vector<std::string> versions;
  for (auto at = package.releases.rbegin(); at != package.releases.rend(); ++at) {
    if (versions.size() == kMaxChoices) break;
    if (!at->second.yank.is_on()) versions.push_back(at->first.text());
  }
  return versions;
}

}  // namespace

std::string ResolveError::message() const {
  const std::string what = "'" + asked + "'";
  switch (reason) {
    case Reason::kUnknownPublisher:
      return "Nothing is known here of the publisher of " + what +
             ": check the name, or try again when more peers are connected";
    case Reason::kUnknownPackage:
      return "No package " + what +
             " is known here: search for it, or try again when more peers "
             "are connected";
    case Reason::kNoVersion:
      return "No release fits " + what +
             (choices.empty() ? std::string() : ": there are " + joined(choices));
    case Reason::kYanked:
      return "What fits " + what + " was withdrawn by its publisher" +
             (detail.empty() ? std::string() : ", who says " + quoted(detail)) +
             (choices.empty() ? std::string() : ": there are " + joined(choices));
    case Reason::kAmbiguous:
      return "Several publishers have a package " + what + ": type one of " + joined(choices);
    case Reason::kEquivocation:
      return "The publisher of " + what +
             " signed two different histories: nothing of it is installed until it has chosen one "
             "with its next keys";
  }
  return what + " means no release";
}

// What to type for this publisher's package: with a petname if there is one.
std::string Catalog::shortest(const PeerId& publisher, const Reference& reference) const {
  Reference named = reference;
  named.publisher = publisher;
  for (const auto& [petname, owner] : petnames_) {
    if (owner == publisher) named.publisher = petname;
  }
  return named.text();
}

std::expected<Resolved, ResolveError> Catalog::resolve(const Reference& reference) const {
  if (reference.publisher) {
    const auto* id = std::get_if<PeerId>(&*reference.publisher);
    if (!id) {
      const auto at = petnames_.find(std::get<Name>(*reference.publisher));
      if (at == petnames_.end()) return refuse(Reason::kUnknownPublisher, reference);
      id = &at->second;
    }
    return newest(reference, *id, true);
  }
  auto publishers = publishers_of(reference.name);
  if (publishers.empty()) return refuse(Reason::kUnknownPackage, reference);
  const auto pinned = [this](const PeerId& publisher) { return is_pinned(publisher); };
  const bool trusted = std::ranges::any_of(publishers, pinned);
  if (trusted)
    std::erase_if(publishers, [&](const PeerId& publisher) { return !pinned(publisher); });
  if (publishers.size() == 1) return newest(reference, publishers.front(), trusted);
  std::vector<std::string> choices;
  for (const PeerId& publisher : publishers) {
    if (choices.size() < kMaxChoices) choices.push_back(shortest(publisher, reference));
  }
  return refuse(Reason::kAmbiguous, reference, std::move(choices));
}

std::expected<Resolved, ResolveError> Catalog::newest(const Reference& reference,
                                                      const PeerId& publisher, bool trusted) const {
  const PublisherLog* log = this->log(publisher);
  if (!log) return refuse(Reason::kUnknownPublisher, reference);
  if (log->is_frozen()) return refuse(Reason::kEquivocation, reference);
  const Package* package = log->releases().package(reference.name);
  if (!package) return refuse(Reason::kUnknownPackage, reference);
  const Release* yanked = nullptr;
  for (auto at = package->releases.rbegin(); at != package->releases.rend(); ++at) {
    const Release& release = at->second;
    if (!reference.range.contains(release.version)) continue;
    if (release.yank.is_on()) {
      if (!yanked) yanked = &release;
      continue;
    }
    const Mark& mark = release.deprecation.is_on() ? release.deprecation : package->deprecation;
    return Resolved{publisher, reference.name, release, mark.reason(), trusted};
  }
  auto others = newest_versions(*package);
  if (!yanked) return refuse(Reason::kNoVersion, reference, std::move(others));
  return refuse(Reason::kYanked, reference, std::move(others), yanked->yank.reason());
}

}  // namespace ggen::p2p::registry
