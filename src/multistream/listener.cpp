#include <algorithm>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/multistream/listener.hpp>

#include "message.hpp"

namespace ggen::p2p::multistream {
namespace {

// Two bytes of a length hold so much.
constexpr std::uint16_t kMaxLength = (1U << 14) - 1;
// The list is cut to what rust-libp2p still reads as one message.
constexpr std::size_t kMaxList = kMaxLength;
// The header and the echo of a protocol of usual length: one allocation holds both.
constexpr std::size_t kUsualReply = 96;

}  // namespace

Listener::Listener(ListenerConfig config) noexcept : config_(config) {
  GGEN_INVARIANT(config.max_message <= kMaxLength);
}

std::expected<std::size_t, Error> Listener::receive(base::BytesView bytes,
                                                    std::span<const std::string> supported) {
  const std::size_t given = bytes.size();
  while (!bytes.empty() && state_ != State::kNegotiated && state_ != State::kFailed) {
    if (state_ == State::kHeader) {
      receive_header(bytes);
    } else if (state_ == State::kLength) {
      receive_length(bytes.front());
      bytes = bytes.subspan(1);
    } else {
      receive_text(bytes, supported);
    }
  }
  if (state_ == State::kFailed) return std::unexpected(error_);
  return given - bytes.size();
}

void Listener::receive_header(base::BytesView& bytes) {
  const std::string_view missing = kHeaderMessage.substr(matched_);
  const std::size_t size = std::min(bytes.size(), missing.size());
  if (!base::as_text(bytes).starts_with(missing.substr(0, size))) {
    fail(Error::kNotMultistream);
    return;
  }
  bytes = bytes.subspan(size);
  matched_ = static_cast<std::uint8_t>(matched_ + size);
  if (matched_ < kHeaderMessage.size()) return;
  replies_.reserve(kUsualReply);
  base::append(replies_, base::as_bytes(kHeaderMessage));
  state_ = State::kLength;
}

void Listener::receive_length(std::uint8_t byte) {
  // Zero is either an empty message or a length that ends in needless zeros.
  if (byte == 0) return fail_message(Error::kMalformed);
  size_ = static_cast<std::uint16_t>(size_ | (byte & 0x7f) << shift_);
  const bool more = byte >= 0x80;
  if (size_ > config_.max_message || (more && shift_ > 0)) return fail_message(Error::kTooLong);
  if (more) {
    shift_ = 7;
  } else {
    state_ = State::kText;
  }
}

void Listener::receive_text(base::BytesView& bytes, std::span<const std::string> supported) {
  base::BytesView text = bytes.first(std::min<std::size_t>(bytes.size(), size_ - partial_.size()));
  bytes = bytes.subspan(text.size());
  if (text.size() < size_) {
    base::append(partial_, text);
    text = partial_;
  }
  if (text.size() < size_) return;
  state_ = State::kLength;
  size_ = 0;
  shift_ = 0;
  if (text.back() == '\n') {
    answer(text.first(text.size() - 1), supported);
  } else {
    fail_message(Error::kMalformed);
  }
  partial_ = {};
}

void Listener::answer(base::BytesView text, std::span<const std::string> supported) {
  if (++proposals_ > config_.max_proposals) return fail(Error::kTooManyProposals);
  const std::string_view protocol = base::as_text(text);
  if (std::ranges::find(supported, protocol) != supported.end()) {
    append_message(replies_, protocol);
    size_ = static_cast<std::uint16_t>(protocol.size());
    state_ = State::kNegotiated;
  } else if (protocol == "ls" && !listed_) {
    answer_list(supported);
  } else {
    base::append(replies_, base::as_bytes(kRefusalMessage));
    refused_ = true;
  }
}

void Listener::answer_list(std::span<const std::string> supported) {
  // A list costs the dialer three bytes and us thousands: it is given once.
  listed_ = true;
  std::size_t size = 1;
  std::size_t count = 0;
  for (; count < supported.size(); ++count) {
    const std::size_t more = message_size(supported[count]);
    if (size + more > kMaxList) break;
    size += more;
  }
  base::append_varint(replies_, size);
  for (const std::string& protocol : supported.first(count)) append_message(replies_, protocol);
  replies_.push_back('\n');
}

void Listener::fail_message(Error error) noexcept {
  fail(refused_ ? Error::kRefused : error);
}

void Listener::fail(Error error) noexcept {
  state_ = State::kFailed;
  error_ = error;
}

std::optional<std::string_view> Listener::negotiated() const noexcept {
  if (state_ != State::kNegotiated) return std::nullopt;
  // The echo is the last of the replies, and ends in a newline.
  return base::as_text(replies_).substr(replies_.size() - 1 - size_, size_);
}

base::BytesView Listener::pending() const noexcept {
  return base::BytesView(replies_).subspan(sent_);
}

void Listener::sent(std::size_t size) noexcept {
  GGEN_INVARIANT(size <= pending().size());
  sent_ += static_cast<std::uint32_t>(size);
  if (sent_ < replies_.size() || state_ == State::kNegotiated) return;
  replies_.clear();
  sent_ = 0;
}

}  // namespace ggen::p2p::multistream
