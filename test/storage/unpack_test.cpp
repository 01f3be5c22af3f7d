// Archives that no honest packer makes.

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include <ggen/p2p/storage/unpack.hpp>

#include "support.hpp"
#include "tar_maker.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using storage::Failure;
using storage::Unpacked;

namespace {

storage::PackedSource pieces(base::BytesView bytes, std::size_t piece = 1000) {
  return [bytes, piece]() mutable -> std::expected<base::Buffer, Failure> {
    const auto some = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(some.size());
    return base::Buffer::copy_of(some);
  };
}

// Unpacks into a folder within a folder, beside which there is something to be overwritten.
struct Trap {
  TempFolder temp;

  Trap() {
    fs::create_directory(temp / "in");
    fs::create_directory(temp / "outside");
    write_all(temp / "outside/precious", "precious");
    write_all(temp / "precious", "precious");
  }
  std::expected<Unpacked, Failure> unpack(base::BytesView tar, const registry::Archive& archive,
                                          const storage::ArchiveLimits& limits = {}) {
    const auto packed = compressed(tar);
    return storage::unpack(pieces(packed), archive, temp / "in/to", {}, limits);
  }
  std::expected<Unpacked, Failure> unpack(const base::Bytes& tar,
                                          const storage::ArchiveLimits& limits = {}) {
    return unpack(tar, archive_of(tar, compressed(tar)), limits);
  }
  // True when everything is as it was.
  [[nodiscard]] bool untouched() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(temp.path())) {
      (void)entry;
      ++count;
    }
    return count == 4 && base::as_text(read_all(temp / "outside/precious")) == "precious" &&
           base::as_text(read_all(temp / "precious")) == "precious";
  }
};

Failure refused(const base::Bytes& tar, const storage::ArchiveLimits& limits = {}) {
  Trap trap;
  const auto done = trap.unpack(tar, limits);
  REQUIRE_FALSE(done);
  CHECK(trap.untouched());
  CHECK(is_plain(done.error().message));
  return done.error();
}

void check_unsafe(const base::Bytes& tar, std::string_view why) {
  const Failure failure = refused(tar);
  CAPTURE(failure.message);
  CHECK(failure.kind == Failure::Kind::kUnsafe);
  CHECK(failure.message.find(why) != std::string::npos);
}

// The header of one entry, as ustar has it.
base::Bytes tar_header(std::string_view path, std::size_t size, char type) {
  base::Bytes block(512);
  const auto put = [&](std::size_t at, std::string_view text) {
    std::ranges::copy(text, block.begin() + static_cast<std::ptrdiff_t>(at));
  };
  const auto octal = [](std::size_t number, std::size_t digits) {
    std::string text(digits, '0');
    for (; number > 0; number /= 8) text[--digits] = static_cast<char>('0' + number % 8);
    return text;
  };
  put(0, path);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(size, 11));
  put(136, octal(0, 11));
  put(148, "        ");
  put(156, std::string(1, type));
  put(257, "ustar");
  put(263, "00");
  put(148, octal(std::accumulate(block.begin(), block.end(), std::size_t{0}), 6));
  block[154] = 0;
  return block;
}

// Bytes of an entry, filled up to a whole block.
void append_blocks(base::Bytes& tar, std::string_view text) {
  base::append(tar, base::as_bytes(text));
  tar.resize((tar.size() + 511) / 512 * 512);
}

}  // namespace

TEST_CASE("an honest archive is unpacked") {
  Trap trap;
  const auto tar = TarMaker().folder("d").file("d/f", "text").link("d/l", "f").finish();
  const auto done = trap.unpack(tar);
  REQUIRE_MESSAGE(done, done.error().message);
  CHECK(done->files == 1);
  CHECK(base::as_text(read_all(trap.temp / "in/to/d/l")) == "text");
}

TEST_CASE("paths that leave the target") {
  check_unsafe(TarMaker().file("../precious").finish(), "a part that is '..'");
  check_unsafe(TarMaker().folder("a").file("a/../../precious").finish(), "a part that is '..'");
  check_unsafe(TarMaker().file("/tmp/ggen-absolute").finish(), "absolute");
  check_unsafe(TarMaker().folder("..").finish(), "a part that is '..'");
  check_unsafe(TarMaker().folder("./").finish(), "'.'");
  check_unsafe(TarMaker().folder("a").file("a//b").finish(), "empty part");
  check_unsafe(TarMaker().file("a/b").finish(), "does not come before");
  check_unsafe(TarMaker().folder("/").finish(), "is empty");
  check_unsafe(TarMaker().link("../l", "x").finish(), "a part that is '..'");
}

TEST_CASE("links that leave the target, and writing through links") {
  check_unsafe(TarMaker().link("l", "/etc").finish(), "absolute");
  check_unsafe(TarMaker().link("l", "..").finish(), "outside");
  check_unsafe(TarMaker().folder("a").link("a/l", "../../outside").finish(), "outside");
  check_unsafe(TarMaker().link("l", "a/../../outside").finish(), "'..' follows");
  check_unsafe(TarMaker().folder("a").link("a/l", "..").link("m", "a/l/../x").finish(),
               "'..' follows");
  check_unsafe(TarMaker().link("l", "").finish(), "leads nowhere");
  // Even where the link stays inside.
  check_unsafe(TarMaker().folder("a").link("l", "a").file("l/f").finish(), "through a link");
  check_unsafe(TarMaker().folder("a").link("l", "a").folder("l/d").finish(), "through a link");
  check_unsafe(TarMaker().file("f").link("l", "f").file("l").finish(), "comes twice");
  check_unsafe(TarMaker().file("f").file("f/g").finish(), "through a link or file");
}

TEST_CASE("paths that come twice") {
  check_unsafe(TarMaker().file("f").file("f").finish(), "comes twice");
  check_unsafe(TarMaker().folder("f").folder("f").finish(), "comes twice");
  check_unsafe(TarMaker().folder("f").link("f", "g").finish(), "comes twice");
  check_unsafe(TarMaker().link("f", "g").link("f", "h").finish(), "comes twice");
  check_unsafe(TarMaker().folder("f").folder("f/g").file("f/g").finish(), "comes twice");
}

TEST_CASE("what is neither file, folder nor link") {
  for (const unsigned type : {AE_IFCHR, AE_IFBLK, AE_IFIFO}) {
    check_unsafe(TarMaker().add("device", type, {}, {}).finish(), "neither file");
  }
  check_unsafe(TarMaker()
                   .file("f")
                   .add("h", AE_IFREG, {},
                        [](archive_entry* entry) { archive_entry_copy_hardlink(entry, "f"); })
                   .finish(),
               "a hard link");
  check_unsafe(TarMaker()
                   .add("h", AE_IFREG, {},
                        [](archive_entry* entry) {
                          archive_entry_copy_hardlink(entry, "../../outside/precious");
                        })
                   .finish(),
               "a hard link");
  check_unsafe(TarMaker(ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE)
                   .file("holes", std::string(4096, 'x'),
                         [](archive_entry* entry) {
                           archive_entry_set_size(entry, 1'000'000'000'000);
                           archive_entry_sparse_add_entry(entry, 0, 4096);
                         })
                   .finish(),
               "a sparse file");
}

TEST_CASE("a hole that the archive's own list of holes hides is not filled with zeros") {
  // One byte behind 64 MiB of nothing. Its stretch claims to end beyond the file, so that it is not
  // counted as one.
  const std::string holes = "28 GNU.sparse.size=67108870\n31 GNU.sparse.map=67108864,100\n";
  base::Bytes tar = tar_header("pax", holes.size(), 'x');
  append_blocks(tar, holes);
  base::append(tar, tar_header("holes", 1, '0'));
  append_blocks(tar, "x");
  tar.resize(tar.size() + 1024);
  check_unsafe(tar, "a sparse file");
}

TEST_CASE("set-user-id bits and writable files do not come out of an archive") {
  Trap trap;
  const auto mode = [](int perm) {
    return
        [perm](archive_entry* entry) { archive_entry_set_perm(entry, static_cast<mode_t>(perm)); };
  };
  const auto tar =
      TarMaker().file("suid", "x", mode(06777)).file("plain", "x", mode(0666)).finish();
  REQUIRE(trap.unpack(tar));
  CHECK(fs::status(trap.temp / "in/to/suid").permissions() == fs::perms{0755});
  CHECK(fs::status(trap.temp / "in/to/plain").permissions() == fs::perms{0644});
}

TEST_CASE("names that a terminal would obey") {
  check_unsafe(TarMaker().file("a\x1b[2J").finish(), "control characters");
  check_unsafe(TarMaker().file("latin\xe4").finish(), "not UTF-8");
  check_unsafe(TarMaker().link("l", "a\nb").finish(), "control characters");
}

TEST_CASE("archives beyond the limits") {
  TarMaker many;
  for (int i = 0; i < 20; ++i) many.file("f" + std::to_string(i));
  const auto tar = many.finish();
  CHECK(refused(tar, {.entries = 19}).kind == Failure::Kind::kTooLarge);
  CHECK(refused(tar, {.tar_size = tar.size() - 1}).kind == Failure::Kind::kTooLarge);
  Trap trap;
  CHECK(trap.unpack(tar, {.tar_size = tar.size(), .entries = 20}));

  TarMaker deep;
  std::string path;
  for (int i = 0; i < 70; ++i) deep.folder(path += (i ? "/d" : "d"));
  CHECK(refused(deep.finish()).message.find("more than 64 parts") != std::string::npos);
  CHECK(refused(TarMaker().file(std::string(1100, 'x')).finish())
            .message.find("longer than 1024 bytes") != std::string::npos);
  CHECK(refused(TarMaker().file(std::string(300, 'x')).finish())
            .message.find("more than 255 bytes") != std::string::npos);
}

TEST_CASE("a bomb stops at the size that its entry says") {
  Trap trap;
  // 64 MiB of zeros are a few KiB.
  const auto tar = TarMaker().file("zeros", std::string(64 * 1024 * 1024, '\0')).finish();
  auto archive = archive_of(tar, compressed(tar));
  archive.tar_size = 100'000;
  std::uint64_t most = 0;
  const auto packed = compressed(tar);
  const auto done = storage::unpack(pieces(packed), archive, trap.temp / "in/to",
                                    [&](std::uint64_t at, std::uint64_t) {
                                      most = std::max(most, at);
                                      return true;
                                    });
  REQUIRE_FALSE(done);
  CHECK(done.error().kind == Failure::Kind::kBadArchive);
  CHECK(done.error().message.find("more than the 100000 bytes") != std::string::npos);
  CHECK(most <= 100'000);
  CHECK(trap.untouched());
}

TEST_CASE("an entry that lies about size or hash leaves nothing") {
  const auto tar = TarMaker().file("f", "text").finish();
  const auto packed = compressed(tar);
  const auto honest = archive_of(tar, packed);
  const auto lie = [&](auto change) {
    Trap trap;
    auto archive = honest;
    change(archive);
    const auto done = storage::unpack(pieces(packed), archive, trap.temp / "in/to");
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == Failure::Kind::kBadArchive);
    CHECK(trap.untouched());
  };
  lie([](auto& archive) { ++archive.tar_size; });
  lie([](auto& archive) { --archive.tar_size; });
  lie([](auto& archive) { archive.tar_size = 512; });
  lie([](auto& archive) { archive.tar_hash[31] ^= 1; });
  lie([](auto& archive) { archive.chunk_size = 0; });
  lie([](auto& archive) { archive.packed_size = 0; });
}

TEST_CASE("broken bytes leave nothing") {
  const auto tar = TarMaker().folder("d").file("d/f", std::string(3000, 'x')).finish();
  const auto packed = compressed(tar);
  const auto archive = archive_of(tar, packed);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    Trap trap;
    const auto cut = base::BytesView(packed).first(size);
    CHECK_FALSE(storage::unpack(pieces(cut), archive, trap.temp / "in/to"));
    CHECK(trap.untouched());
  }
  for (std::size_t at = 0; at < packed.size(); at += 3) {
    Trap trap;
    auto broken = packed;
    broken[at] ^= 0x41;
    CHECK_FALSE(storage::unpack(pieces(broken), archive, trap.temp / "in/to"));
    CHECK(trap.untouched());
  }
  for (std::size_t at = 0; at < tar.size(); at += 37) {
    Trap trap;
    auto broken = tar;
    broken[at] ^= 0x41;
    CHECK_FALSE(trap.unpack(broken, archive));
    CHECK(trap.untouched());
  }
  Trap trap;
  const auto noise = random_bytes(5000, 3);
  CHECK(trap.unpack(noise).error().kind == Failure::Kind::kBadArchive);
  CHECK(trap.untouched());
}

TEST_CASE("a source that fails is why") {
  Trap trap;
  const auto tar = TarMaker().file("f").finish();
  const auto done =
      storage::unpack([] { return std::unexpected(Failure{Failure::Kind::kDamaged, "no luck"}); },
                      archive_of(tar, compressed(tar)), trap.temp / "in/to");
  REQUIRE_FALSE(done);
  CHECK(done.error().kind == Failure::Kind::kDamaged);
  CHECK(done.error().message == "no luck");
  CHECK(trap.untouched());
}

TEST_CASE("the destination is never overwritten") {
  const auto tar = TarMaker().file("f").finish();
  const auto packed = compressed(tar);
  const auto archive = archive_of(tar, packed);
  Trap trap;
  const auto to = [&](std::string_view where) {
    const auto done = storage::unpack(pieces(packed), archive, trap.temp / where);
    REQUIRE_FALSE(done);
    CHECK(trap.untouched());
    return done.error().kind;
  };
  CHECK(to("outside") == Failure::Kind::kTargetExists);
  CHECK(to("precious") == Failure::Kind::kTargetExists);
  CHECK(to("none/to") == Failure::Kind::kNotFound);
  fs::create_directory_symlink(trap.temp / "in", trap.temp / "link");
  const auto done = storage::unpack(pieces(packed), archive, trap.temp / "link");
  REQUIRE_FALSE(done);
  CHECK(done.error().kind == Failure::Kind::kTargetExists);
}

TEST_CASE("unpacking that is cancelled leaves nothing") {
  Trap trap;
  const auto tar = TarMaker().file("zeros", std::string(64 * 1024 * 1024, '\0')).finish();
  const auto packed = compressed(tar);
  const auto done = storage::unpack(pieces(packed), archive_of(tar, packed), trap.temp / "in/to",
                                    [](std::uint64_t, std::uint64_t) { return false; });
  REQUIRE_FALSE(done);
  CHECK(done.error().kind == Failure::Kind::kCancelled);
  CHECK(fs::is_empty(trap.temp / "in"));
}
