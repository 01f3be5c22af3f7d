// CIDs, and the multihash and multibase they are made of, from binary and from text.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <ggen/p2p/multiformats/cid.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_cid(const Cid& cid) {
  require(cid.hash().digest().size() <= Multihash::kMaxDigestBytes);
  require(Cid::decode(cid.encode()) == cid);
  for (const Multibase base : {Multibase::kBase16Upper, Multibase::kBase32, Multibase::kBase36,
                               Multibase::kBase58Btc, Multibase::kBase64UrlPad}) {
    require(Cid::parse(cid.to_string(base)) == cid);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::BytesView bytes{data, size};
  const std::string_view text = base::as_text(bytes);
  if (const auto decoded = Cid::decode(bytes)) {
    require(base::equal(decoded->encode(), bytes));
    check_cid(*decoded);
  }
  if (const auto parsed = Cid::parse(text)) check_cid(*parsed);
  if (const auto hash = Multihash::decode(bytes)) {
    require(base::equal(hash->encode(), bytes));
  }
  if (const auto plain = decode_multibase(text)) {
    require(plain->size() <= kMaxMultibaseBytes);
    const std::string again = encode_multibase(static_cast<Multibase>(text.front()), *plain);
    require(again.size() == text.size() && decode_multibase(again) == *plain);
  }
  return 0;
}
