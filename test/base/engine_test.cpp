#include <deque>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/engine.hpp>

using namespace ggen::p2p::base;
using std::chrono::seconds;

namespace {

// Says "tick" every second, and repeats what it was told.
class Ticker {
 public:
  explicit Ticker(Instant now) : next_(now + seconds{1}) {}
  void handle(int input) { outputs_.push_back(input); }
  void handle_timeout(Instant now) {
    for (; next_ <= now; next_ += seconds{1}) outputs_.push_back(-1);
  }
  std::optional<int> poll() {
    if (outputs_.empty()) return std::nullopt;
    const int output = outputs_.front();
    outputs_.pop_front();
    return output;
  }
  [[nodiscard]] std::optional<Instant> next_deadline() const { return next_; }

 private:
  Instant next_;
  std::deque<int> outputs_;
};

}  // namespace

TEST_CASE("step: drains every output, handles what is due, and returns a deadline in the future") {
  Ticker ticker{Instant{}};
  std::vector<int> seen;
  const Instant now = Instant{} + seconds{3};
  const auto deadline = step(
      ticker, now, [](Ticker& t) { t.handle(42); }, [&](int output) { seen.push_back(output); });
  CHECK(seen == std::vector<int>{42, -1, -1, -1});
  CHECK(deadline == Instant{} + seconds{4});
  CHECK_FALSE(ticker.poll());
}
