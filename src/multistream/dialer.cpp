#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/multistream/dialer.hpp>

#include "message.hpp"

namespace ggen::p2p::multistream {

Dialer::Dialer(std::span<const std::string> protocols) : lazy_(protocols.size() == 1) {
  GGEN_INVARIANT(!protocols.empty());
  std::size_t size = kHeaderMessage.size();
  for (const std::string& protocol : protocols) {
    GGEN_INVARIANT(valid_protocol(protocol));
    size += message_size(protocol);
  }
  messages_.reserve(size);
  base::append(messages_, base::as_bytes(kHeaderMessage));
  for (const std::string& protocol : protocols) append_message(messages_, protocol);
  propose(kHeaderMessage.size());
}

void Dialer::propose(std::uint32_t at) noexcept {
  const auto text = base::decode_varint(base::BytesView(messages_).subspan(at));
  proposal_ = at;
  next_ = at + static_cast<std::uint32_t>(text->size + text->value);
  matched_ = 0;
  maybe_echo_ = true;
  maybe_na_ = true;
}

base::BytesView Dialer::proposal() const noexcept {
  return base::BytesView(messages_).subspan(proposal_, next_ - proposal_);
}

std::expected<std::size_t, Error> Dialer::receive(base::BytesView bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && (state_ == State::kHeader || state_ == State::kReply)) {
    const std::uint8_t byte = bytes[used++];
    if (state_ == State::kReply) {
      receive_reply(byte);
    } else if (byte != static_cast<std::uint8_t>(kHeaderMessage[matched_])) {
      fail(Error::kNotMultistream);
    } else if (++matched_ == kHeaderMessage.size()) {
      state_ = State::kReply;
      matched_ = 0;
    }
  }
  if (state_ == State::kFailed) return std::unexpected(error_);
  return used;
}

void Dialer::receive_reply(std::uint8_t byte) noexcept {
  // There are only two replies, so comparing with both beats reading the message: neither a length
  // has to be believed nor a text to be kept.
  const base::BytesView echo = proposal();
  maybe_echo_ = maybe_echo_ && byte == echo[matched_];
  maybe_na_ = maybe_na_ && byte == static_cast<std::uint8_t>(kRefusalMessage[matched_]);
  ++matched_;
  if (maybe_echo_ && matched_ == echo.size()) {
    state_ = State::kNegotiated;
  } else if (maybe_na_ && matched_ == kRefusalMessage.size()) {
    receive_refusal();
  } else if (!maybe_echo_ && !maybe_na_) {
    fail(Error::kUnexpectedReply);
  }
}

void Dialer::receive_refusal() noexcept {
  if (next_ == messages_.size()) {
    fail(Error::kRefused);
  } else {
    propose(next_);
  }
}

void Dialer::fail(Error error) noexcept {
  state_ = State::kFailed;
  error_ = error;
}

std::optional<std::string_view> Dialer::negotiated() const noexcept {
  if (state_ != State::kNegotiated) return std::nullopt;
  const std::string_view message = base::as_text(proposal());
  const std::size_t prefix = message.size() > 0x80 ? 2 : 1;
  return message.substr(prefix, message.size() - prefix - 1);
}

base::BytesView Dialer::pending() const noexcept {
  return base::BytesView(messages_).subspan(sent_, next_ - sent_);
}

void Dialer::sent(std::size_t size) noexcept {
  GGEN_INVARIANT(size <= pending().size());
  sent_ += static_cast<std::uint32_t>(size);
}

}  // namespace ggen::p2p::multistream
