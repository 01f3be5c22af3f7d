#include <algorithm>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/noise/handshake.hpp>

#include "payload.hpp"

namespace ggen::p2p::noise {
namespace {

Error to_error(crypto::KeyError error) {
  switch (error) {
    case crypto::KeyError::kUnknownType:
    case crypto::KeyError::kUnsupported:
    case crypto::KeyError::kTooLarge:
    case crypto::KeyError::kWeak:
      return Error::kUnsupportedKey;
    case crypto::KeyError::kMalformed:
    case crypto::KeyError::kInvalid:
      return Error::kBadPayload;
  }
  return Error::kBadPayload;
}

std::expected<std::optional<std::string>, Error> choose_muxer(
    std::span<const std::string> initiators, std::span<const std::string> responders) {
  if (initiators.empty() || responders.empty()) return std::nullopt;
  const auto chosen = std::ranges::find_first_of(initiators, responders);
  if (chosen == initiators.end()) return std::unexpected(Error::kNoCommonMuxer);
  return *chosen;
}

// Moves bytes until `buffer` has `target` bytes, or the input is used up.
void gather_up_to(std::size_t target, base::Bytes& buffer, base::BytesView& input) {
  const std::size_t size = std::min(target - std::min(target, buffer.size()), input.size());
  base::append(buffer, input.first(size));
  input = input.subspan(size);
}

}  // namespace

Handshake::Handshake(Role role, const StaticKey& static_key, crypto::Crypto& crypto,
                     HandshakeConfig config)
    : role_(role),
      static_key_(&static_key),
      crypto_(&crypto),
      config_(std::move(config)),
      state_(role, static_key.key_pair(), crypto) {
  // What the first message carries is not secret: nothing is said in it. It cannot fail, because
  // no key of the remote goes into it.
  if (role_ == Role::kInitiator) GGEN_INVARIANT(write_message({}).has_value());
}

std::expected<std::optional<Session>, Error> Handshake::receive(base::BytesView& input) {
  if (failure_) return std::unexpected(*failure_);
  auto session = advance(input);
  if (!session) {
    failure_ = session.error();
    outbox_.clear();
    sent_ = 0;
  }
  return session;
}

std::expected<std::optional<Session>, Error> Handshake::advance(base::BytesView& input) {
  while (!state_.finished()) {
    const auto whole = gather(input);
    if (!whole) return std::unexpected(whole.error());
    if (!*whole) return std::nullopt;
    if (const auto read = read_message(); !read) return std::unexpected(read.error());
    if (!state_.writes_next()) continue;
    if (const auto written = write_message(static_key_->payload()); !written) {
      return std::unexpected(written.error());
    }
  }
  return make_session();
}

// True once a whole frame is in the inbox. What it announces is refused before its bytes are taken.
std::expected<bool, Error> Handshake::gather(base::BytesView& input) {
  gather_up_to(kLengthSize, inbox_, input);
  if (inbox_.size() < kLengthSize) return false;
  const std::size_t size = base::load_big_endian<std::uint16_t>(inbox_.data());
  if (size > config_.max_message) return std::unexpected(Error::kMessageTooLong);
  if (size < state_.overhead()) return std::unexpected(Error::kMalformedFrame);
  gather_up_to(kLengthSize + size, inbox_, input);
  return inbox_.size() == kLengthSize + size;
}

std::expected<void, Error> Handshake::read_message() {
  const auto payload = state_.read_message(base::BytesView{inbox_}.subspan(kLengthSize));
  inbox_.clear();
  if (!payload) return std::unexpected(payload.error());
  // The first message proves nothing and must carry nothing: what it brings is passed over.
  if (!state_.remote_static()) return {};
  return check_payload(*payload, *state_.remote_static());
}

std::expected<void, Error> Handshake::check_payload(base::BytesView bytes,
                                                    const crypto::X25519PublicKey& remote_static) {
  auto payload = decode_payload(bytes, config_.max_muxers);
  if (!payload) return std::unexpected(payload.error());
  auto key = crypto::PublicKey::decode(payload->identity_key);
  if (!key) return std::unexpected(to_error(key.error()));
  if (!crypto_->verify(*key, signed_text(remote_static), payload->identity_signature)) {
    return std::unexpected(Error::kBadSignature);
  }
  if (config_.expected_peer && *config_.expected_peer != multiformats::PeerId::of(*key)) {
    return std::unexpected(Error::kWrongPeer);
  }
  remote_key_ = std::move(*key);
  remote_muxers_ = std::move(payload->muxers);
  return {};
}

std::expected<void, Error> Handshake::write_message(base::BytesView payload) {
  const std::size_t start = outbox_.size();
  outbox_.resize(start + kLengthSize);
  if (const auto written = state_.write_message(payload, outbox_); !written) return written;
  const std::size_t size = outbox_.size() - start - kLengthSize;
  base::store_big_endian(outbox_.data() + start, static_cast<std::uint16_t>(size));
  return {};
}

std::expected<Session, Error> Handshake::make_session() {
  GGEN_INVARIANT(remote_key_.has_value());  // there is one session a handshake
  const std::span<const std::string> own = static_key_->muxers();
  auto muxer = role_ == Role::kInitiator ? choose_muxer(own, remote_muxers_)
                                         : choose_muxer(remote_muxers_, own);
  if (!muxer) return std::unexpected(muxer.error());
  crypto::PublicKey key = *std::exchange(remote_key_, std::nullopt);
  const multiformats::PeerId peer = multiformats::PeerId::of(key);
  Ciphers ciphers = state_.split();
  return Session{
      .remote_key = std::move(key),
      .remote_peer = peer,
      .remote_muxers = std::move(remote_muxers_),
      .muxer = std::move(*muxer),
      .sender = Sender{std::move(ciphers.send)},
      .receiver = Receiver{std::move(ciphers.receive)},
  };
}

std::size_t Handshake::transmit(base::MutableBytes out) noexcept {
  const std::size_t size = std::min(out.size(), outbox_.size() - sent_);
  std::ranges::copy(base::BytesView{outbox_}.subspan(sent_, size), out.begin());
  sent_ += size;
  return size;
}

}  // namespace ggen::p2p::noise
