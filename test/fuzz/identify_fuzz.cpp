// Identify messages, and the engine that receives them: what is kept stays below the limits and
// survives the round trip, and an answer means the same however it is cut.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <variant>
#include <vector>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/identify/engine.hpp>

using namespace ggen::p2p;
using identify::Info;

namespace {

constexpr identify::Limits kLimits{
    .max_listen_addrs = 4, .max_protocols = 5, .max_text = 60, .max_record = 100};

void require(bool holds) {
  if (!holds) std::abort();
}

crypto::PublicKey key(std::uint8_t number) {
  static const auto make = [](std::uint8_t n) {
    return crypto::KeyPair::from_seed(std::array<std::uint8_t, 32>{n}).public_key();
  };
  static const std::array keys{make(1), make(2)};
  return keys[number];
}

void check_limits(const Info& info) {
  require(info.listen_addrs.size() <= kLimits.max_listen_addrs);
  require(info.protocols.size() <= kLimits.max_protocols);
  for (const std::string& protocol : info.protocols) require(protocol.size() <= kLimits.max_text);
  require(!info.agent_version || info.agent_version->size() <= kLimits.max_text);
  require(!info.protocol_version || info.protocol_version->size() <= kLimits.max_text);
  require(info.signed_peer_record.size() <= kLimits.max_record);
}

void check_message(base::BytesView input) {
  Info info;
  if (!identify::merge_message(info, input, kLimits)) return;
  check_limits(info);
  // Lists are kept in order only within one message: nothing here needs more than one.
  const auto messages = identify::encode_messages(info, 16 * 1024, 10);
  require(messages.size() == 1);
  Info again;
  require(identify::merge_message(again, messages.front(), kLimits).has_value());
  require(again == info);
}

// What comes of an answer that arrives in pieces of this size.
std::optional<Info> ask(base::BytesView answer, std::size_t piece) {
  Info local;
  local.public_key = key(0);
  identify::Engine engine{{.max_received = 2000, .limits = kLimits}, local};
  const connection::StreamRef stream{{1, 1}, {1}};
  base::Instant now{};
  std::optional<Info> learnt;
  std::optional<connection::OpenToken> token;
  std::size_t reports = 0;
  const auto sink = [&](identify::Output output) {
    if (auto* io = std::get_if<connection::StreamOutput>(&output)) {
      if (const auto* open = std::get_if<connection::stream_output::Open>(io)) token = open->token;
      return;
    }
    ++reports;
    if (auto* event = std::get_if<identify::Identified>(&output)) learnt = std::move(event->info);
  };
  const auto tell = [&](connection::StreamInput input) {
    base::step(engine, now, [&](identify::Engine& e) { e.handle(std::move(input), now); }, sink);
  };
  base::step(
      engine, now,
      [&](identify::Engine& e) {
        e.connected(stream.connection, multiformats::PeerId::of(key(1)), {}, now);
      },
      sink);
  tell(connection::stream_input::Opening{token.value(), stream});
  for (std::size_t at = 0; at < answer.size(); at += piece) {
    const auto part = answer.subspan(at, std::min(piece, answer.size() - at));
    tell(connection::stream_input::Data{stream, base::Buffer::copy_of(part)});
  }
  tell(connection::stream_input::Finished{stream});
  tell(connection::stream_input::Closed{stream, connection::StreamEnd::kClosed});
  require(reports == 1);
  require(!engine.next_deadline());
  if (learnt) {
    check_limits(*learnt);
    require(!learnt->public_key || *learnt->public_key == key(1));
  }
  return learnt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::BytesView input{data, size};
  check_message(input);
  const auto whole = ask(input, std::max<std::size_t>(size, 1));
  for (const std::size_t piece : {1, 3, 100}) require(ask(input, piece) == whole);
  return 0;
}
