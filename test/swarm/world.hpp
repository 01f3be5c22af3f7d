#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/swarm/swarm.hpp>

#include "support.hpp"

namespace ggen::p2p::swarm::test {

/// What happens to those who connect to an address.
struct Place {
  /// The transport's answer: none at all, an error, or a connection.
  bool silent = false;
  std::optional<DialError> error;
  Duration connects_after = 10ms;
  /// Then, who proves to be there, or how the handshake ends; nothing at all without both.
  std::optional<PeerId> peer;
  std::optional<connection::CloseReason> handshake_fails;
  Duration secured_after = 20ms;

  static Place of(const PeerId& peer, Duration connects_after = 10ms);
  static Place failing(DialError error, Duration after = 10ms);
  static Place mute();
  static Place without_handshake(std::optional<connection::CloseReason> end, Duration after);
};

/// A driver, a network and an owner of channels in virtual time. Carries out what the swarm wants
/// as the script says, and keeps what it was told.
class World {
 public:
  explicit World(Config config = {}, std::uint32_t self = 0);

  // The script.
  std::map<std::string, Place> places;  // by address; elsewhere nothing answers
  std::map<std::string, std::vector<IpAddress>> hosts;
  std::map<std::string, std::vector<std::string>> texts;
  Duration resolves_after = 5ms;
  bool answer_resolves = true;

  // What was seen.
  struct Dialled {
    Duration at;  // since the start
    std::string address;
    bool operator==(const Dialled&) const = default;
  };
  std::vector<Dialled> dialled;
  std::vector<AttemptId> cancelled;
  std::vector<std::string> resolved;
  std::map<DialId, std::pair<Duration, std::expected<connection::ConnectionId, DialFailure>>> done;
  std::vector<std::pair<connection::ConnectionId, LocalClose>> closes;
  std::vector<Output> events;

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Duration elapsed() const { return now_ - kStart; }
  Swarm& swarm() { return *swarm_; }

  /// Calls the swarm and carries out what it answers.
  template <class Call>
  auto call(Call&& call_swarm) {
    using Result = decltype(call_swarm(*swarm_, now_));
    if constexpr (std::is_void_v<Result>) {
      step([&](Swarm& swarm) { call_swarm(swarm, now_); });
    } else {
      std::optional<Result> result;
      step([&](Swarm& swarm) { result.emplace(call_swarm(swarm, now_)); });
      return std::move(*result);
    }
  }
  void run_for(Duration duration);

  // Short forms.
  DialId dial(DialRequest request);
  DialId dial(const PeerId& peer, std::vector<Multiaddr> addresses = {}, bool force = false);
  /// Runs until the dial is done.
  std::expected<connection::ConnectionId, DialFailure> finish(DialId dial);
  std::expected<connection::ConnectionId, RefuseReason> accept(std::string_view remote);
  std::expected<void, LocalClose> secure(connection::ConnectionId id, const PeerId& peer);
  /// Accepts and secures.
  connection::ConnectionId admit(std::string_view remote, const PeerId& peer);
  void close(connection::ConnectionId id, connection::CloseReason reason);
  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> result;
    for (const Output& output : events) {
      if (const auto* const event = std::get_if<Event>(&output)) result.push_back(*event);
    }
    return result;
  }

  static constexpr std::string_view kListen = "/ip4/203.0.113.1/tcp/4001";

 private:
  void step(const std::function<void(Swarm&)>& mutate);
  void carry_out(Output output);
  void later(Duration after, std::function<void()> what);
  void answer_dial(AttemptId attempt, const Place& place, const Multiaddr& address);

  std::unique_ptr<crypto::Crypto> crypto_;
  std::unique_ptr<Swarm> swarm_;
  Instant now_ = kStart;
  std::optional<Instant> deadline_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> agenda_;
  std::uint64_t sequence_ = 0;
};

}  // namespace ggen::p2p::swarm::test
