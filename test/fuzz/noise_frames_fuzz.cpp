// Frames cut, changed and invented: a receiver must give exactly what was sealed, in order, up to
// the first byte that is not the sender's, and nothing after it.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/noise/receiver.hpp>
#include <ggen/p2p/noise/sender.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::noise;

namespace {

CipherState cipher() {
  std::array<std::uint8_t, 32> key{};
  key.fill(0x42);
  return CipherState{key};
}

// Takes the script apart: what is not there reads as zero.
class Script {
 public:
  explicit Script(base::BytesView bytes) : rest_(bytes) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  std::size_t number() {
    const std::size_t high = byte();
    return high << 8 | byte();
  }
  base::BytesView rest() const { return rest_; }

 private:
  base::BytesView rest_;
};

struct Stream {
  base::Bytes bytes;
  std::vector<base::Bytes> messages;
};

// Small for most numbers, so that a run is quick, and near the largest for a few.
std::size_t message_size(std::size_t number) {
  return number < 0xff00 ? number % 2048 : kMaxPlaintext - number % 0x100;
}

Stream seal_messages(Script& script, Sender& sender) {
  Stream stream;
  for (std::size_t count = script.byte() % 8; count > 0; --count) {
    const std::size_t size = message_size(script.number());
    base::Bytes frame(size + kOverhead, static_cast<std::uint8_t>(count));
    frame.resize(sender.seal(frame, size).value());
    base::append(stream.bytes, frame);
    if (size > 0) stream.messages.emplace_back(size, static_cast<std::uint8_t>(count));
  }
  return stream;
}

// The whole frames before `offset`, as messages with plaintext.
std::size_t messages_before(base::BytesView bytes, std::size_t offset) {
  std::size_t count = 0;
  std::size_t at = 0;
  while (at + kLengthSize <= bytes.size()) {
    const std::size_t size = base::load_big_endian<std::uint16_t>(bytes.data() + at);
    at += kLengthSize + size;
    if (at > offset) break;
    if (size > CipherState::kTagSize) ++count;
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script{{data, size}};
  Sender sender{cipher()};
  Stream stream = seal_messages(script, sender);

  std::size_t intact = stream.messages.size();
  if (const std::uint8_t change = script.byte(); change != 0 && !stream.bytes.empty()) {
    const std::size_t offset = script.number() % stream.bytes.size();
    intact = messages_before(stream.bytes, offset);
    stream.bytes[offset] ^= change;
  }
  const std::size_t step = 1 + script.number();
  // What is left of the script is what an attacker sends afterwards.
  base::append(stream.bytes, script.rest());

  Receiver receiver{cipher()};
  std::size_t given = 0;
  bool failed = false;
  base::BytesView rest{stream.bytes};
  while (!rest.empty()) {
    base::BytesView piece = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(piece.size());
    for (;;) {
      const auto message = receiver.next(piece);
      GGEN_INVARIANT(!(failed && message));
      failed = !message;
      if (failed || !*message) break;
      GGEN_INVARIANT(given < intact);
      GGEN_INVARIANT(base::equal((*message)->view(), stream.messages[given]));
      ++given;
    }
    GGEN_INVARIANT(failed || piece.empty());
  }
  GGEN_INVARIANT(given == intact);
  return 0;
}
