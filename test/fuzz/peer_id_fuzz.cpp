// Peer ids from binary and from text: what is accepted survives all three forms.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <ggen/p2p/multiformats/peer_id.hpp>

using namespace ggen::p2p;
using multiformats::PeerId;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_id(const PeerId& id) {
  require(id.bytes().size() <= PeerId::kMaxBytes);
  require(PeerId::decode(id.bytes()) == id);
  require(PeerId::parse(id.to_string()) == id);
  require(PeerId::parse(id.to_cid_string()) == id);
  if (const auto key = id.public_key()) static_cast<void>(PeerId::of(*key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::BytesView bytes{data, size};
  if (const auto decoded = PeerId::decode(bytes)) {
    require(base::equal(decoded->bytes(), bytes));
    check_id(*decoded);
  }
  if (const auto parsed = PeerId::parse(base::as_text(bytes))) check_id(*parsed);
  return 0;
}
