#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multistream/negotiation.hpp>

namespace ggen::p2p::multistream {

/// The side that proposes. The header and the first proposal are pending from the start; each
/// further one once the listener has refused the one before.
///
/// The object allocates once, and buffers nothing that it receives. Its owner destroys it when
/// negotiation is over and nothing is pending.
class Dialer {
 public:
  /// Proposes these in order. Precondition: at least one, each a valid_protocol().
  explicit Dialer(std::span<const std::string> protocols);

  /// Exactly one protocol was given: application bytes may follow what is pending without waiting
  /// for negotiated(), and are lost if the listener refuses.
  [[nodiscard]] bool lazy() const noexcept { return lazy_; }

  /// Takes bytes of the remote; returns how many belonged to the negotiation. Fewer than given,
  /// also none, once negotiated: the rest are application bytes. A failure is final: each further
  /// call returns it again.
  std::expected<std::size_t, Error> receive(base::BytesView bytes);

  /// The protocol agreed on; valid while this object lives. Something may still be pending then,
  /// and goes out before any application byte: a remote can answer before it has been asked.
  [[nodiscard]] std::optional<std::string_view> negotiated() const noexcept;

  /// Bytes for the remote. Valid until the next call that is not const.
  [[nodiscard]] base::BytesView pending() const noexcept;
  /// Drops the first `size` pending bytes: they are on their way.
  void sent(std::size_t size) noexcept;

 private:
  enum class State : std::uint8_t { kHeader, kReply, kNegotiated, kFailed };

  [[nodiscard]] base::BytesView proposal() const noexcept;
  void propose(std::uint32_t at) noexcept;
  void receive_reply(std::uint8_t byte) noexcept;
  void receive_refusal() noexcept;
  void fail(Error error) noexcept;

  base::Bytes messages_;        // the header, then the proposals, as they go out
  std::uint32_t sent_ = 0;      // how much of them is on its way
  std::uint32_t proposal_ = 0;  // where the current proposal starts
  std::uint32_t next_ = 0;      // where it ends: what lies beyond must wait
  std::uint16_t matched_ = 0;   // bytes of the message being received that fit what they must be
  State state_ = State::kHeader;
  bool maybe_echo_ = true;  // the reply may still turn out as the proposal
  bool maybe_na_ = true;    // the reply may still turn out as `na`
  bool lazy_ = false;
  Error error_{};
};

}  // namespace ggen::p2p::multistream
