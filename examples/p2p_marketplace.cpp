// Two marketplaces in one process: one publishes a directory, the other hears of it, finds it by a
// search and fetches it. Everything is done by <ggen/p2p/marketplace/registry.hpp>.
//
//     p2p-marketplace examples/packages/hello-template

#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <fmt/format.h>

#include <ggen/p2p/marketplace/registry.hpp>

namespace {

using namespace ggen::p2p;
using asio::awaitable;
using marketplace::Registry;
using marketplace::RegistryBuilder;

namespace fs = std::filesystem;

template <class T>
T or_throw(marketplace::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

// A folder that goes when the program ends.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "p2p-marketplace-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

awaitable<Registry> open(fs::path home, std::vector<multiformats::Multiaddr> bootstrap) {
  marketplace::Config config;
  config.home = std::move(home);
  config.listen = {*multiformats::Multiaddr::parse("/ip4/127.0.0.1/tcp/0")};
  config.bootstrap = std::move(bootstrap);
  co_return or_throw(co_await RegistryBuilder().with_config(std::move(config)).build());
}

awaitable<void> run(fs::path directory, fs::path scratch) {
  auto opening_ours = open(scratch / "ours", {});
  Registry ours = co_await std::move(opening_ours);
  auto opening_theirs = open(scratch / "theirs", ours.addresses());
  Registry theirs = co_await std::move(opening_theirs);
  auto news = theirs.subscribe();

  auto publishing = ours.publish(directory);
  const auto published = or_throw(co_await std::move(publishing));
  const std::string name = published.metadata.name.text();
  fmt::print("published  {}@{}: {} files, {} bytes packed\n", name,
             published.metadata.version.text(), published.files, published.archive.packed_size);

  // The publisher's first entry holds its keys, the next one the release.
  for (bool heard = false; !heard;) {
    auto waiting = news.next();
    const auto entry = co_await std::move(waiting);
    if (!entry) throw std::runtime_error("the registry has stopped");
    heard = std::holds_alternative<registry::Publish>(entry->entry.statement.body);
  }
  fmt::print("heard of it from {}\n", published.publisher.to_string());

  marketplace::Query query;
  query.request.words = {name};
  auto searching = theirs.search(std::move(query));
  const auto found = or_throw(co_await std::move(searching));
  for (const auto& hit : found.hits) {
    fmt::print("found      {}@{}: {}\n", hit.metadata.name.text(), hit.metadata.version.text(),
               hit.metadata.description);
  }

  auto reference = registry::Reference::parse(published.publisher.to_string() + "/" + name);
  auto getting = theirs.get(*reference, scratch / "copy");
  const auto got = or_throw(co_await std::move(getting));
  fmt::print("fetched    {} files from {} peer(s), verified\n", got.files, got.sources.size());

  auto stopping_theirs = theirs.stop();
  co_await std::move(stopping_theirs);
  auto stopping_ours = ours.stop();
  co_await std::move(stopping_ours);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: p2p-marketplace DIRECTORY\n");
    return 2;
  }
  try {
    const Scratch scratch;
    asio::io_context io{1};
    asio::co_spawn(io, run(argv[1], scratch.path()), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    io.run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "p2p-marketplace: {}\n", error.what());
    return 1;
  }
}
