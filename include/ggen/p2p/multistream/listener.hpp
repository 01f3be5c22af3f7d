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

struct ListenerConfig {
  /// Proposals and requests of the list that one dialer may make.
  std::uint16_t max_proposals = 64;
  /// Bytes of one message of the dialer, newline included. At most 16,383.
  std::uint16_t max_message = kMaxMessage;
};

/// The side that answers: the header with the header, `ls` with the list of protocols, a proposal
/// with itself or with `na`.
///
/// A message that arrives whole is read in place; only one in pieces is buffered, never beyond
/// max_message. With the default limits no dialer can make more than 20 KiB pending. The owner
/// destroys the object when negotiation is over and nothing is pending.
class Listener {
 public:
  explicit Listener(ListenerConfig config = {}) noexcept;

  /// Takes bytes of the remote; returns how many belonged to the negotiation. Fewer than given,
  /// also none, once negotiated: the rest are application bytes. A failure is final: each further
  /// call returns it again. What is pending is still worth sending after kRefused, before the
  /// stream is closed: a dialer that did not wait learns why from it.
  ///
  /// `supported` is what this side speaks as of now, in any order; it is not kept.
  std::expected<std::size_t, Error> receive(base::BytesView bytes,
                                            std::span<const std::string> supported);

  /// The protocol agreed on; valid while this object lives. What is pending goes out before any
  /// application byte.
  [[nodiscard]] std::optional<std::string_view> negotiated() const noexcept;

  /// Bytes for the remote. Valid until the next call that is not const.
  [[nodiscard]] base::BytesView pending() const noexcept;
  /// Drops the first `size` pending bytes: they are on their way.
  void sent(std::size_t size) noexcept;

 private:
  enum class State : std::uint8_t { kHeader, kLength, kText, kNegotiated, kFailed };

  void receive_header(base::BytesView& bytes);
  void receive_length(std::uint8_t byte);
  void receive_text(base::BytesView& bytes, std::span<const std::string> supported);
  void answer(base::BytesView text, std::span<const std::string> supported);
  void answer_list(std::span<const std::string> supported);
  void fail(Error error) noexcept;
  void fail_message(Error error) noexcept;

  base::Bytes partial_;  // the text of a message that has not arrived whole
  base::Bytes replies_;
  std::uint32_t sent_ = 0;  // how much of the replies is on its way
  ListenerConfig config_;
  std::uint16_t proposals_ = 0;
  std::uint16_t size_ = 0;    // of the text being received; of the protocol once negotiated
  std::uint8_t matched_ = 0;  // bytes of the header that fit so far
  std::uint8_t shift_ = 0;    // of the next byte of a length
  State state_ = State::kHeader;
  bool listed_ = false;
  bool refused_ = false;
  Error error_{};
};

}  // namespace ggen::p2p::multistream
