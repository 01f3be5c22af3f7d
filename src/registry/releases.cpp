#include <utility>
#include <variant>

#include <ggen/p2p/registry/releases.hpp>

namespace ggen::p2p::registry {

const std::string& Mark::reason() const noexcept {
  static const std::string kNone;
  return is_on() ? changes_.back().reason : kNone;
}

void Mark::set(std::uint64_t seq, bool on, std::string reason) {
  if (!on && !is_on()) return;
  changes_.push_back({seq, on, std::move(reason)});
}

void Mark::truncate(std::uint64_t seq) {
  while (!changes_.empty() && changes_.back().seq >= seq) changes_.pop_back();
}

void Releases::apply(const Entry& entry) {
  std::visit([&](const auto& body) { apply_body(entry, body); }, entry.statement.body);
}

void Releases::apply_body(const Entry& entry, const Publish& publish) {
  const Version& version = publish.metadata.version;
  auto& releases = packages_[publish.metadata.name].releases;
  const Release release{entry.id, entry.statement.seq, version, publish.archive};
  if (releases.emplace(version, release).second) ++size_;
}

void Releases::apply_body(const Entry& entry, const Yank& yank) {
  Release* release = find(yank.name, yank.version);
  if (release) release->yank.set(entry.statement.seq, true, yank.reason);
}

void Releases::apply_body(const Entry& entry, const Unyank& unyank) {
  Release* release = find(unyank.name, unyank.version);
  if (release) release->yank.set(entry.statement.seq, false, {});
}

void Releases::apply_body(const Entry& entry, const Deprecate& deprecate) {
  const auto set = [&](Mark& mark) {
    mark.set(entry.statement.seq, !deprecate.reason.empty(), deprecate.reason);
  };
  if (deprecate.version) {
    if (Release* release = find(deprecate.name, *deprecate.version)) set(release->deprecation);
  } else if (const auto at = packages_.find(deprecate.name); at != packages_.end()) {
    set(at->second.deprecation);
  }
}

void Releases::truncate(std::uint64_t seq) {
  for (auto& [name, package] : packages_) {
    size_ -=
        std::erase_if(package.releases, [seq](const auto& item) { return item.second.seq >= seq; });
    for (auto& [version, release] : package.releases) {
      release.yank.truncate(seq);
      release.deprecation.truncate(seq);
    }
    package.deprecation.truncate(seq);
  }
  std::erase_if(packages_, [](const auto& item) { return item.second.releases.empty(); });
}

const Package* Releases::package(const Name& name) const {
  const auto at = packages_.find(name);
  return at == packages_.end() ? nullptr : &at->second;
}

const Release* Releases::release(const Name& name, const Version& version) const {
  const Package* found = package(name);
  if (!found) return nullptr;
  const auto at = found->releases.find(version);
  return at == found->releases.end() ? nullptr : &at->second;
}

Release* Releases::find(const Name& name, const Version& version) {
  return const_cast<Release*>(std::as_const(*this).release(name, version));
}

}  // namespace ggen::p2p::registry
