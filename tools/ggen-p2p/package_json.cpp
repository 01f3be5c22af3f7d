#include "package_json.hpp"

#include <chrono>

#include <fmt/format.h>

namespace ggen::p2p::cli {
namespace {

std::string reference_of(const multiformats::PeerId& publisher, const registry::Name& name,
                         const registry::Version& version) {
  return fmt::format("{}/{}@{}", publisher.to_string(), name.text(), version.text());
}

Json hit_json(const registry::event::Hit& hit) {
  const registry::Metadata& metadata = hit.metadata;
  Json json;
  json["reference"] = reference_of(hit.publisher, metadata.name, hit.release.version);
  json["publisher"] = hit.publisher.to_string();
  json["name"] = metadata.name.text();
  json["version"] = hit.release.version.text();
  json["description"] = metadata.description;
  json["category"] = metadata.category;
  json["tags"] = metadata.tags;
  json["license"] = metadata.license;
  json["bytes"] = hit.release.archive.packed_size;
  json["held"] = hit.held;
  json["pinned"] = hit.pinned;
  json["deprecated"] = hit.deprecated;
  json["providers"] = Json::array();
  for (const auto& peer : hit.providers) json["providers"].push_back(peer.to_string());
  return json;
}

std::string_view phase_of(marketplace::Progress::Step step) {
  switch (step) {
    case marketplace::Progress::Step::kPacking:
      return "pack";
    case marketplace::Progress::Step::kSearching:
      return "find";
    case marketplace::Progress::Step::kFetching:
      return "fetch";
    case marketplace::Progress::Step::kUnpacking:
      return "unpack";
  }
  return "";
}

}  // namespace

Json to_json(const marketplace::Published& published) {
  const registry::Metadata& metadata = published.metadata;
  Json json;
  json["reference"] = reference_of(published.publisher, metadata.name, metadata.version);
  json["publisher"] = published.publisher.to_string();
  json["name"] = metadata.name.text();
  json["version"] = metadata.version.text();
  json["entry"] = published.entry.to_string();
  json["root"] = base::to_hex(published.archive.root);
  json["files"] = published.files;
  json["bytes"] = published.archive.packed_size;
  return json;
}

Json to_json(const marketplace::Found& found) {
  Json json;
  json["results"] = Json::array();
  for (const auto& hit : found.hits) json["results"].push_back(hit_json(hit));
  json["asked"] = found.asked;
  json["answered"] = found.answered;
  json["timed_out"] = found.timed_out;
  return json;
}

Json to_json(const marketplace::Got& got) {
  const registry::Resolved& release = got.release;
  std::uint64_t fetched = 0;
  Json sources = Json::array();
  for (const auto& source : got.sources) {
    fetched += source.bytes;
    Json json;
    json["peer"] = source.peer.to_string();
    json["chunks"] = source.chunks;
    json["bytes"] = source.bytes;
    json["bad_chunks"] = source.bad_chunks;
    sources.push_back(std::move(json));
  }
  Json json;
  json["reference"] = reference_of(release.publisher, release.name, release.release.version);
  json["publisher"] = release.publisher.to_string();
  json["name"] = release.name.text();
  json["version"] = release.release.version.text();
  json["output"] = got.path.string();
  json["files"] = got.files;
  json["bytes"] = release.release.archive.packed_size;
  json["fetched"] = fetched;
  json["took_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(got.took).count();
  json["trusted"] = release.trusted;
  json["deprecated"] = release.deprecated;
  json["sources"] = std::move(sources);
  return json;
}

Json to_json(const marketplace::Progress& progress) {
  Json json;
  json["phase"] = phase_of(progress.step);
  if (progress.total > 0) {
    json["bytes"] = progress.done;
    json["total"] = progress.total;
  }
  if (progress.step == marketplace::Progress::Step::kFetching) json["providers"] = progress.peers;
  return json;
}

}  // namespace ggen::p2p::cli
