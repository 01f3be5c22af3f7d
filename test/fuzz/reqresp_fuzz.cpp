// Requests and responses from a remote that sends anything: both sides report exactly once how it
// ended, keep to their limits, and mean the same however the bytes are cut.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <variant>
#include <vector>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

using namespace ggen::p2p;
using reqresp::Engine;

namespace {

constexpr std::size_t kMaxResponses = 4;
constexpr std::uint64_t kMaxBody = 50;
const connection::StreamRef kStream{{1, 1}, {1}};

void require(bool holds) {
  if (!holds) std::abort();
}

multiformats::PeerId peer() {
  base::Bytes multihash(34, 1);
  multihash[0] = 0x12;
  multihash[1] = 32;
  return multiformats::PeerId::decode(multihash).value();
}

// All that came of the bytes, in a form that can be compared.
struct Result {
  std::vector<base::Bytes> messages;
  base::Bytes bodies;
  std::optional<reqresp::Error> error;
  bool operator==(const Result&) const = default;
};

class Run {
 public:
  Run() {
    service_ = engine_.add_service({.protocol = "/ggen/fuzz/1.0.0",
                                    .max_request = 100,
                                    .max_response = 100,
                                    .max_responses = kMaxResponses,
                                    .max_body = kMaxBody,
                                    .message = {.max_depth = 4, .max_values = 40}});
  }

  Result client(base::BytesView input, std::size_t piece) {
    step([&](Engine& e) {
      e.request(peer(), service_, reqresp::MapBuilder{}, std::chrono::minutes{1}, now_);
    });
    tell(connection::stream_input::Opening{token_.value(), kStream});
    feed(input, piece);
    require(ends_ == 1);
    require(result_.messages.size() <= kMaxResponses);
    require(result_.bodies.size() <= kMaxResponses * kMaxBody);
    return std::move(result_);
  }
  Result server(base::BytesView input, std::size_t piece) {
    tell(connection::stream_input::Opened{kStream, peer(), connection::Direction::kInbound,
                                          "/ggen/fuzz/1.0.0"});
    feed(input, piece);
    require(ends_ == 1);
    require(result_.messages.size() <= 1);
    return std::move(result_);
  }

 private:
  void feed(base::BytesView input, std::size_t piece) {
    for (std::size_t at = 0; at < input.size(); at += piece) {
      const auto part = input.subspan(at, std::min(piece, input.size() - at));
      received_ += part.size();
      tell(connection::stream_input::Data{kStream, base::Buffer::copy_of(part)});
    }
    tell(connection::stream_input::Finished{kStream});
    tell(connection::stream_input::Closed{kStream, connection::StreamEnd::kClosed});
    require(!engine_.next_deadline());
  }
  void tell(connection::StreamInput input) {
    step([&](Engine& e) { e.handle(std::move(input), now_); });
    for (const auto& [id, size] : std::exchange(to_consume_, {})) {
      step([&](Engine& e) { e.consume(id, size, now_); });
    }
  }
  template <class Mutate>
  void step(Mutate&& mutate) {
    base::step(engine_, now_, mutate,
               [&](reqresp::Output output) { std::visit([&](auto& out) { take(out); }, output); });
  }

  void take(connection::StreamOutput& output) {
    if (const auto* open = std::get_if<connection::stream_output::Open>(&output)) {
      token_ = open->token;
    } else if (const auto* consume = std::get_if<connection::stream_output::Consume>(&output)) {
      require(consume->size > 0);
      consumed_ += consume->size;
      require(consumed_ <= received_);
    }
  }
  void take(reqresp::Response& response) {
    require(response.body <= kMaxBody);
    result_.messages.push_back(base::to_bytes(response.message.bytes()));
  }
  void take(reqresp::ResponseBody& body) {
    base::append(result_.bodies, body.data.view());
    to_consume_.emplace_back(body.id, body.data.size());
  }
  void take(reqresp::RequestDone& done) {
    ++ends_;
    if (!done.result) result_.error = done.result.error();
  }
  void take(reqresp::Request& request) {
    result_.messages.push_back(base::to_bytes(request.message.bytes()));
  }
  void take(reqresp::BodyWritten&) { require(false); }
  void take(reqresp::ServedLost& lost) {
    ++ends_;
    result_.error = lost.error;
  }
  void take(reqresp::InboundDropped& dropped) {
    ++ends_;
    result_.error = dropped.error;
  }

  Engine engine_;
  reqresp::ServiceId service_{};
  base::Instant now_{};
  std::optional<connection::OpenToken> token_;
  std::vector<std::pair<reqresp::RequestId, std::size_t>> to_consume_;
  Result result_;
  std::size_t ends_ = 0;
  std::size_t received_ = 0;
  std::size_t consumed_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::BytesView input{data, size};
  const std::size_t all = std::max<std::size_t>(size, 1);
  const Result client = Run{}.client(input, all);
  const Result server = Run{}.server(input, all);
  for (const std::size_t piece : {1, 5, 64}) {
    require(Run{}.client(input, piece) == client);
    // A request that is followed by something may be seen before what follows it.
    require(Run{}.server(input, piece).error == server.error);
  }
  return 0;
}
