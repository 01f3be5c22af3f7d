#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ggen/p2p/registry/merkle.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::registry;
using crypto::Sha256Digest;

namespace {

std::vector<Sha256Digest> hashes(const std::vector<std::string>& chunks) {
  std::vector<Sha256Digest> all;
  for (const auto& chunk : chunks) all.push_back(chunk_hash(base::as_bytes(chunk)));
  return all;
}

}  // namespace

TEST_CASE("merkle: the roots of Certificate Transparency's test inputs") {
  const char* inputs[] = {"",
                          "00",
                          "10",
                          "2021",
                          "3031",
                          "40414243",
                          "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"};
  const char* roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  std::vector<Sha256Digest> chunks;
  CHECK(base::to_hex(merkle_root(chunks)) == roots[0]);
  for (std::size_t i = 0; i < 8; ++i) {
    chunks.push_back(chunk_hash(*base::from_hex(inputs[i])));
    CHECK(base::to_hex(merkle_root(chunks)) == roots[i + 1]);
  }
}

TEST_CASE("merkle: the shape of RFC 9162's example of seven leaves") {
  const auto leaves = hashes({"0", "1", "2", "3", "4", "5", "6"});
  const auto root = merkle_root(leaves);
  CHECK(audit_path(leaves, 0).size() == 3);
  CHECK(audit_path(leaves, 3).size() == 3);
  CHECK(audit_path(leaves, 4).size() == 3);
  // The last leaf stands alone on its level: its path is one shorter.
  const auto path = audit_path(leaves, 6);
  REQUIRE(path.size() == 2);
  CHECK(path[0] == merkle_root(std::span(leaves).subspan(4, 2)));
  CHECK(path[1] == merkle_root(std::span(leaves).first(4)));
  CHECK(verify_audit_path(root, leaves[6], 6, 7, path));
}

TEST_CASE("merkle: a path proves its own leaf at its own place, and nothing else") {
  for (std::size_t count = 1; count <= 20; ++count) {
    std::vector<Sha256Digest> leaves;
    for (std::size_t i = 0; i < count; ++i) {
      leaves.push_back(chunk_hash(base::as_bytes(std::to_string(i))));
    }
    const auto root = merkle_root(leaves);
    for (std::size_t i = 0; i < count; ++i) {
      CAPTURE(count);
      CAPTURE(i);
      auto path = audit_path(leaves, i);
      CHECK(verify_audit_path(root, leaves[i], i, count, path));
      for (std::size_t j = 0; j < count; ++j) {
        if (i != j) {
          CHECK_FALSE(verify_audit_path(root, leaves[j], i, count, path));
          CHECK_FALSE(verify_audit_path(root, leaves[i], j, count, path));
        }
      }
      CHECK_FALSE(verify_audit_path(root, leaves[i], count, count, path));
      CHECK_FALSE(verify_audit_path(root, leaves[i], i, 0, path));
      path.push_back(root);
      CHECK_FALSE(verify_audit_path(root, leaves[i], i, count, path));
      path.pop_back();
      if (!path.empty()) {
        path.back()[0] ^= 1;
        CHECK_FALSE(verify_audit_path(root, leaves[i], i, count, path));
        path.pop_back();
        CHECK_FALSE(verify_audit_path(root, leaves[i], i, count, path));
      }
    }
  }
}

TEST_CASE("merkle: two chunks cannot pass for the node above them") {
  const auto leaves = hashes({"a", "b"});
  base::Bytes pair = base::to_bytes(leaves[0]);
  base::append(pair, leaves[1]);
  CHECK(chunk_hash(pair) != merkle_root(leaves));
}

TEST_CASE("merkle: any proof with any numbers is refused without harm") {
  CHECK(rc::check("no invented path is accepted", [] {
    const auto leaves =
        hashes(*rc::gen::container<std::vector<std::string>>(rc::gen::string<std::string>()));
    std::vector<Sha256Digest> path(*rc::gen::inRange<std::size_t>(0, 70));
    const auto index = *rc::gen::arbitrary<std::uint64_t>();
    const auto count = *rc::gen::arbitrary<std::uint64_t>();
    RC_ASSERT(!verify_audit_path(merkle_root(leaves), Sha256Digest{1}, index, count, path));
  }));
}
