#include "span_file.hpp"

#include <csignal>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <ggen/p2p/host/host.hpp>

#include "../support/folder.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::cli;
using ggen::p2p::test::Folder;
using ggen::p2p::test::read_file;
using ggen::p2p::test::write_file;

namespace {

const std::string kPeer = "12D3KooWExample";

registry::Reference reference(const char* text) {
  return *registry::Reference::parse(text);
}

/// A span begins, and stays open.
void begin_one(SpanFile& file) {
  file.tracker().resolve_started(reference("tabs"), host::Host::now());
}
/// A span begins and ends.
void add_one(SpanFile& file) {
  const base::Instant now = host::Host::now();
  const auto span = file.tracker().resolve_started(reference("tabs"), now);
  file.tracker().resolve_done(span, std::unexpected(registry::ResolveError{}), now);
}

/// Files of this process cannot grow beyond `bytes` meanwhile: what a full disk is to them.
class FullAt {
 public:
  explicit FullAt(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullAt(const FullAt&) = delete;
  FullAt& operator=(const FullAt&) = delete;
  ~FullAt() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("span file: each flush adds one document of what has ended, as one line") {
  const Folder folder;
  const auto path = folder / "spans.jsonl";
  write_file(path, "{\"resourceSpans\":[]}\n");
  auto file = SpanFile::open(path);
  REQUIRE(file);
  CHECK(file->flush(kPeer));
  add_one(*file);
  add_one(*file);
  begin_one(*file);
  CHECK(file->flush(kPeer));
  const std::string two = read_file(path);
  const std::string line = two.substr(two.find('\n') + 1);
  REQUIRE(line.find('\n') == line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  const auto& resource = json["resourceSpans"][0];
  CHECK(resource["resource"]["attributes"][1]["value"]["stringValue"] == kPeer);
  CHECK(resource["scopeSpans"][0]["spans"].size() == 2);

  CHECK(file->finish(kPeer));
  const std::string rest = read_file(path).substr(two.size());
  const auto last = nlohmann::json::parse(rest);
  const auto& spans = last["resourceSpans"][0]["scopeSpans"][0]["spans"];
  REQUIRE(spans.size() == 1);
  CHECK(spans[0]["status"]["message"] == "the node stopped");
  CHECK(file->flush(kPeer));
  CHECK(read_file(path).size() == two.size() + rest.size());
}

TEST_CASE("span file: a full disk is told once, and leaves whole lines") {
  const Folder folder;
  const auto path = folder / "spans.jsonl";
  auto file = SpanFile::open(path);
  REQUIRE(file);
  add_one(*file);
  CHECK(file->flush(kPeer));
  const std::string before = read_file(path);
  {
    const FullAt limit{before.size() + 100};
    add_one(*file);
    const auto failed = file->flush(kPeer);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.starts_with("No more spans are written to " + path.string()));
  }
  CHECK(read_file(path) == before);
  add_one(*file);
  CHECK(file->flush(kPeer));
  CHECK(file->finish(kPeer));
  CHECK(read_file(path) == before);
}

TEST_CASE("span file: one that somebody removed is told once") {
  const Folder folder;
  const auto path = folder / "spans.jsonl";
  auto file = SpanFile::open(path);
  REQUIRE(file);
  std::filesystem::remove(path);
  CHECK(file->flush(kPeer));  // nothing is lost yet
  add_one(*file);
  const auto failed = file->flush(kPeer);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message.ends_with("somebody removed it"));
  add_one(*file);
  CHECK(file->finish(kPeer));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("span file: what cannot be written is refused with what to do") {
  const Folder folder;
  const auto refused = SpanFile::open(folder / "missing/spans.jsonl");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Exit::kOutput);
  CHECK_FALSE(refused.error().hint.empty());
}
