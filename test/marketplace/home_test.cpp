#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ggen/p2p/marketplace/home.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

#include "../support/folder.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::marketplace;
using test::Folder;
using test::read_file;
using test::write_file;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info{};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 0777;
}

std::string id_of(const crypto::KeyPair& key) {
  return multiformats::PeerId::of(key.public_key()).to_string();
}

Failure refused(const std::filesystem::path& path) {
  const auto key = read_or_make_key(path);
  REQUIRE_FALSE(key);
  CHECK(key.error().reason == Reason::kKey);
  CHECK_FALSE(key.error().hint.empty());
  return key.error();
}

}  // namespace

TEST_CASE("keys: made once with mode 0600, then read") {
  const Folder home;
  const mode_t before = ::umask(0);  // the most that a user may allow
  const auto made = read_or_make_key(home / "a.key");
  ::umask(before);
  REQUIRE(made);
  CHECK(mode_of(home / "a.key") == 0600);
  const auto read = read_or_make_key(home / "a.key");
  REQUIRE(read);
  CHECK(id_of(*read) == id_of(*made));
  // Nothing temporary is left behind.
  CHECK(std::distance(std::filesystem::directory_iterator{home.path()}, {}) == 1);
}

TEST_CASE("keys: refused when others can read them, with what to type") {
  const Folder home;
  REQUIRE(read_or_make_key(home / "a.key"));
  for (const mode_t mode : {0640, 0604, 0660, 0601}) {
    ::chmod((home / "a.key").c_str(), mode);
    const Failure error = refused(home / "a.key");
    CHECK(error.message.contains("can be read by others"));
    CHECK(error.hint.contains("chmod 600 '" + (home / "a.key").string() + "'"));
  }
  ::chmod((home / "a.key").c_str(), 0600);
  CHECK(read_or_make_key(home / "a.key"));
}

TEST_CASE("keys: what is damaged, no file or no link target is refused and left as it is") {
  const Folder home;
  const std::string contents[] = {{}, "garbage", std::string(5000, 'x')};
  for (const std::string& content : contents) {
    write_file(home / "a.key", content);
    ::chmod((home / "a.key").c_str(), 0600);
    CHECK(refused(home / "a.key").message.contains("damaged"));
    CHECK(read_file(home / "a.key") == content);
  }
  std::filesystem::create_directory(home / "folder.key");
  CHECK(refused(home / "folder.key").message.contains("not a file"));
  REQUIRE(::mkfifo((home / "pipe.key").c_str(), 0600) == 0);
  CHECK(refused(home / "pipe.key").message.contains("not a file"));
  std::filesystem::create_symlink("nowhere", home / "link.key");
  refused(home / "link.key");
  refused(home.path() / "no" / "such" / "folder.key");
}

TEST_CASE("keys: a node has three that differ") {
  const Folder home;
  const auto keys = read_or_make_keys(home.path(), "me.key");
  REQUIRE(keys);
  CHECK(id_of(keys->identity) != id_of(keys->publisher));
  CHECK(id_of(keys->publisher) != id_of(keys->next_publisher));
  for (const char* name : {"me.key", "publisher.key", "publisher-next.key"}) {
    CHECK(mode_of(home / name) == 0600);
  }
}

TEST_CASE("home: made for its owner alone, with its parents") {
  const Folder folder;
  const mode_t before = ::umask(0);
  REQUIRE(prepare_home(folder / "a/b/home"));
  ::umask(before);
  CHECK(mode_of(folder / "a/b/home") == 0700);
  CHECK(prepare_home(folder / "a/b/home"));
}

TEST_CASE("home: refused when it is a file, or when others may write to it") {
  const Folder folder;
  write_file(folder / "file", "");
  CHECK(prepare_home(folder / "file").error().reason == Reason::kHome);
  CHECK(prepare_home(folder / "file/below").error().reason == Reason::kHome);
  std::filesystem::create_directory(folder / "open");
  ::chmod((folder / "open").c_str(), 0777);
  const auto open = prepare_home(folder / "open");
  REQUIRE_FALSE(open);
  CHECK(open.error().hint.contains("chmod 700"));
}
