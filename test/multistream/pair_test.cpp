#include <algorithm>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/multistream/dialer.hpp>
#include <ggen/p2p/multistream/listener.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::multistream;

namespace {

using Protocols = std::vector<std::string>;

/// What one side made of all the bytes it got: how many it took unless it failed, how it ended, and
/// what it said.
struct Result {
  std::size_t used = 0;
  std::optional<Error> error;
  std::optional<std::string> protocol;
  std::string output;
  bool operator==(const Result&) const = default;
};

/// Gives `bytes` in pieces of up to `piece` bytes each, draws the sizes from `prng`, and drains the
/// output in between when `eager`.
template <class Side, class Receive>
Result feed(Side side, const Receive& receive, base::BytesView bytes, base::Prng prng,
            std::size_t piece, bool eager) {
  Result result;
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), 1 + prng.below(piece));
    const auto used = receive(side, bytes.first(size));
    if (eager) result.output += drain(side);
    if (!used) {
      result.error = used.error();
      result.used = 0;
      break;
    }
    result.used += *used;
    if (*used < size) break;
    bytes = bytes.subspan(size);
  }
  result.protocol = side.negotiated();
  result.output += drain(side);
  return result;
}

/// Protocols that collide now and then, of lengths that matter.
rc::Gen<Protocols> some_protocols() {
  return rc::gen::container<Protocols>(
      rc::gen::oneOf(rc::gen::element<std::string>("/a", "/b", "/c", "nab", "/ipfs/ping/1.0.0"),
                     rc::gen::map(rc::gen::inRange<std::size_t>(1, kMaxMessage),
                                  [](std::size_t size) { return std::string(size, 'p'); })));
}

/// A transcript that makes sense up to some point.
rc::Gen<base::Bytes> some_bytes() {
  const auto message = rc::gen::oneOf(
      rc::gen::map(rc::gen::element<std::string>("/a", "na", "ls", "/b", "", "/multistream/1.0.0"),
                   [](const std::string& text) { return messages({text}); }),
      rc::gen::map(rc::gen::inRange<std::size_t>(0, 1100),
                   [](std::size_t size) { return messages({std::string(size, 'p')}); }),
      rc::gen::scale(0.2, rc::gen::arbitrary<base::Bytes>()));
  return rc::gen::map(rc::gen::container<std::vector<base::Bytes>>(message),
                      [](const std::vector<base::Bytes>& parts) {
                        auto bytes = messages({kHeader});
                        for (const auto& part : parts) base::append(bytes, part);
                        return bytes;
                      });
}

}  // namespace

TEST_CASE("property: any fragmentation gives a listener the same result") {
  CHECK(rc::check([] {
    const Protocols supported = {"/a", std::string(900, 'p')};
    const auto bytes = *some_bytes();
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto receive = [&](Listener& side, base::BytesView piece) {
      return side.receive(piece, supported);
    };
    const auto whole = feed(Listener(), receive, bytes, base::Prng(seed), 1 << 20, false);
    for (const std::size_t piece : {1U, 3U, 30U, 500U}) {
      for (const bool eager : {false, true}) {
        RC_ASSERT(feed(Listener(), receive, bytes, base::Prng(seed), piece, eager) == whole);
      }
    }
  }));
}

TEST_CASE("property: any fragmentation gives a dialer the same result") {
  CHECK(rc::check([] {
    const Protocols protocols = {"/b", "/c", "/a"};
    const auto bytes = *some_bytes();
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto receive = [](Dialer& side, base::BytesView piece) { return side.receive(piece); };
    const auto whole = feed(Dialer(protocols), receive, bytes, base::Prng(seed), 1 << 20, false);
    for (const std::size_t piece : {1U, 3U, 30U}) {
      for (const bool eager : {false, true}) {
        RC_ASSERT(feed(Dialer(protocols), receive, bytes, base::Prng(seed), piece, eager) == whole);
      }
    }
  }));
}

TEST_CASE("property: a pair agrees on the first protocol that both have, and loses no data") {
  CHECK(rc::check([] {
    const auto offered = *rc::gen::suchThat(
        some_protocols(), [](const Protocols& some) { return !some.empty() && some.size() <= 64; });
    const auto supported = *some_protocols();
    base::Prng prng(*rc::gen::arbitrary<std::uint64_t>());

    Dialer dialer(offered);
    Listener listener;
    const std::string data =
        "\x04"
        "data\n";
    std::string to_listener;
    std::string to_dialer;
    bool said = false;
    std::optional<Error> dialer_error;
    std::optional<Error> listener_error;
    const auto move = [&](auto& side, std::string& wire) {
      const auto pending = side.pending();
      const auto size = static_cast<std::size_t>(prng.below(pending.size() + 1));
      wire += base::as_text(pending.first(size));
      side.sent(size);
    };
    const auto take = [&](std::string& wire, auto&& receive, std::optional<Error>& error) {
      if (wire.empty() || error) return;
      const auto size = static_cast<std::size_t>(1 + prng.below(wire.size()));
      const auto used = receive(base::as_bytes(wire).first(size));
      if (used) {
        wire.erase(0, *used);
      } else {
        error = used.error();
      }
    };
    for (int step = 0; step < 20'000; ++step) {
      move(dialer, to_listener);
      move(listener, to_dialer);
      const bool may_say = dialer.lazy() || dialer.negotiated();
      if (!said && may_say && dialer.pending().empty()) {
        to_listener += data;
        said = true;
      }
      take(
          to_listener, [&](auto bytes) { return listener.receive(bytes, supported); },
          listener_error);
      take(to_dialer, [&](auto bytes) { return dialer.receive(bytes); }, dialer_error);
      const bool dialer_done = dialer.negotiated() ? said : dialer_error.has_value();
      if (dialer_done && dialer.pending().empty() && listener.pending().empty()) break;
    }

    const auto common = std::ranges::find_if(offered, [&](const std::string& protocol) {
      return std::ranges::find(supported, protocol) != supported.end();
    });
    if (common == offered.end()) {
      RC_ASSERT(dialer_error == Error::kRefused);
      RC_ASSERT(!listener.negotiated());
    } else {
      RC_ASSERT(dialer.negotiated() == *common);
      RC_ASSERT(listener.negotiated() == *common);
      RC_ASSERT(to_listener == data);
      RC_ASSERT(to_dialer.empty());
    }
  }));
}
