// The ping engine against a peer that sends anything at any time: the echo is a prefix of what was
// sent in whole payloads, nothing is consumed twice, and every ping of ours ends once.

#include <cstdlib>
#include <optional>
#include <variant>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/ping/engine.hpp>

using namespace ggen::p2p;
using ping::Engine;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

class FixedCrypto : public crypto::Crypto {
 public:
  void random(base::MutableBytes out) override { prng_.fill(out); }
  std::array<std::uint8_t, 64> sign(const crypto::KeyPair&, base::BytesView) override {
    std::abort();
  }
  bool verify(const crypto::PublicKey&, base::BytesView, base::BytesView) override { std::abort(); }

 private:
  base::Prng prng_{1};
};

multiformats::PeerId peer() {
  base::Bytes multihash(34, 1);
  multihash[0] = 0x12;
  multihash[1] = 32;
  return multiformats::PeerId::decode(multihash).value();
}

// The input is a script: an operation a byte, with what it needs behind it.
class Run {
 public:
  explicit Run(base::BytesView script) : script_(script) {}

  void play() {
    while (!script_.empty()) {
      switch (next() % 9) {
        case 0:
          step([&](Engine& e) { e.ping(peer(), std::nullopt, now_); });
          ++pings_;
          break;
        case 1:
          now_ += std::chrono::seconds{next()};
          step([](Engine&) {});
          break;
        case 2:
          if (open_token_) begin(*std::exchange(open_token_, std::nullopt));
          break;
        case 3:
          answer(take_bytes(next()));
          break;
        case 4:
          // The right echo.
          answer(base::Buffer::copy_of(payload_));
          break;
        case 5:
          if (outbound_) end(*std::exchange(outbound_, std::nullopt));
          break;
        case 6:
          accept();
          break;
        case 7:
          receive(take_bytes(next()));
          break;
        case 8:
          if (unanswered_) {
            unanswered_ = false;
            tell(connection::stream_input::Written{*inbound_});
          }
          break;
      }
    }
    now_ += std::chrono::minutes{10};
    step([](Engine&) {});
    require(done_ == pings_);
    require(!engine_.next_deadline());
  }

 private:
  std::uint8_t next() {
    if (script_.empty()) return 0;
    const std::uint8_t byte = script_.front();
    script_ = script_.subspan(1);
    return byte;
  }
  base::Buffer take_bytes(std::size_t size) {
    const auto bytes = script_.first(std::min(size, script_.size()));
    script_ = script_.subspan(bytes.size());
    return base::Buffer::copy_of(bytes);
  }

  void begin(connection::OpenToken token) {
    outbound_ = {{1, 1}, {next_stream_++}};
    tell(connection::stream_input::Opening{token, *outbound_});
  }
  void end(connection::StreamRef stream) {
    tell(connection::stream_input::Finished{stream});
    tell(connection::stream_input::Closed{stream, connection::StreamEnd::kClosed});
  }
  void accept() {
    if (inbound_) {
      end(*std::exchange(inbound_, std::nullopt));
    }
    sent_.clear();
    echoed_ = 0;
    consumed_ = 0;
    unanswered_ = false;
    inbound_ = {{2, 1}, {next_stream_++}};
    tell(connection::stream_input::Opened{*inbound_, peer(), connection::Direction::kInbound,
                                          std::string{ping::kProtocol}});
  }
  void answer(base::Buffer data) {
    if (!outbound_ || data.empty()) return;
    tell(connection::stream_input::Data{*outbound_, std::move(data)});
  }
  void receive(base::Buffer data) {
    if (!inbound_ || data.empty()) return;
    base::append(sent_, data.view());
    tell(connection::stream_input::Data{*inbound_, std::move(data)});
  }

  void tell(connection::StreamInput input) {
    step([&](Engine& e) { e.handle(std::move(input), now_); });
  }
  template <class Mutate>
  void step(Mutate&& mutate) {
    base::step(engine_, now_, mutate,
               [&](ping::Output output) { std::visit([&](auto& out) { take(out); }, output); });
  }

  void take(connection::StreamOutput& output) {
    std::visit([&](auto& out) { take_io(out); }, output);
  }
  void take(ping::PingDone&) { ++done_; }
  void take(ping::InboundDropped&) {}

  void take_io(connection::stream_output::Open& open) {
    require(!outbound_);  // never two streams
    open_token_ = open.token;
  }
  void take_io(connection::stream_output::Write& write) {
    if (write.stream == outbound_) {
      require(write.data.size() == ping::kPayloadSize);
      payload_ = base::to_bytes(write.data.view());
      return;
    }
    require(write.stream == inbound_ && !unanswered_);
    unanswered_ = true;
    require(write.data.size() % ping::kPayloadSize == 0);
    require(echoed_ + write.data.size() <= sent_.size());
    require(
        base::equal(write.data.view(), base::BytesView{sent_}.subspan(echoed_, write.data.size())));
    echoed_ += write.data.size();
  }
  void take_io(connection::stream_output::Finish&) {}
  void take_io(connection::stream_output::Reset& reset) {
    if (reset.stream == outbound_) outbound_.reset();
    if (reset.stream == inbound_) {
      inbound_.reset();
      unanswered_ = false;
    }
  }
  void take_io(connection::stream_output::Consume& consume) {
    require(consume.size > 0);
    if (consume.stream != inbound_) return;
    consumed_ += consume.size;
    require(consumed_ <= echoed_);
  }

  base::BytesView script_;
  FixedCrypto crypto_;
  Engine engine_{ping::Config{.max_unechoed = 200}, crypto_};
  base::Instant now_{};
  std::uint32_t next_stream_ = 1;
  std::optional<connection::OpenToken> open_token_;
  std::optional<connection::StreamRef> outbound_;
  std::optional<connection::StreamRef> inbound_;
  base::Bytes payload_;
  base::Bytes sent_;
  std::size_t echoed_ = 0;
  std::size_t consumed_ = 0;
  bool unanswered_ = false;
  std::size_t pings_ = 0;
  std::size_t done_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run{{data, size}}.play();
  return 0;
}
