// Both sides of multistream-select. The first byte says in pieces of how many bytes the rest
// arrives: however it does, the result is that of one piece, and what is pending stays bounded.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multistream/dialer.hpp>
#include <ggen/p2p/multistream/listener.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multistream;

namespace {

const std::vector<std::string> kProtocols = {"/a", "/ipfs/ping/1.0.0", "nab",
                                             std::string(200, 'p')};
constexpr std::size_t kMaxPending = 20 * 1024;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Result {
  std::size_t used = 0;
  std::optional<Error> error;
  std::optional<std::string> protocol;
  std::string output;
  bool operator==(const Result&) const = default;
};

template <class Side, class Receive>
Result feed(Side side, const Receive& receive, base::BytesView bytes, std::size_t piece) {
  Result result;
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), piece);
    const auto used = receive(side, bytes.first(size));
    require(side.pending().size() <= kMaxPending);
    if (!used) {
      require(!side.negotiated() && receive(side, bytes) == used);
      result.error = used.error();
      result.used = 0;
      break;
    }
    require(*used <= size && (*used == size || side.negotiated()));
    result.used += *used;
    if (*used < size) break;
    bytes = bytes.subspan(size);
  }
  result.protocol = side.negotiated();
  result.output = base::as_text(side.pending());
  side.sent(side.pending().size());
  require(side.pending().empty());
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{1} + data[0];
  const base::BytesView bytes(data + 1, size - 1);
  const auto listen = [](Listener& side, base::BytesView part) {
    return side.receive(part, kProtocols);
  };
  const auto dial = [](Dialer& side, base::BytesView part) { return side.receive(part); };

  const Result heard = feed(Listener(), listen, bytes, size);
  require(feed(Listener(), listen, bytes, piece) == heard);
  const Result dialled = feed(Dialer(kProtocols), dial, bytes, size);
  require(feed(Dialer(kProtocols), dial, bytes, piece) == dialled);
  for (const Result* result : {&heard, &dialled}) {
    if (!result->protocol) continue;
    require(std::ranges::find(kProtocols, *result->protocol) != kProtocols.end());
  }
  return 0;
}
