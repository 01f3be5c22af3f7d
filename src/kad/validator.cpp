#include <utility>

#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/kad/validator.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::kad {

bool PublicKeyValidator::valid(base::BytesView key, base::BytesView value) const {
  constexpr std::string_view kPrefix = "/pk/";
  if (key.size() <= kPrefix.size()) return false;
  const auto peer = multiformats::PeerId::decode(key.subspan(kPrefix.size()));
  const auto public_key = crypto::PublicKey::decode(value);
  return peer && public_key && multiformats::PeerId::of(*public_key) == *peer;
}

bool PublicKeyValidator::better(base::BytesView, base::BytesView, base::BytesView) const {
  return false;  // a peer id has one key
}

void Validators::add(std::string name_space, std::unique_ptr<Validator> validator) {
  by_namespace_.insert_or_assign(std::move(name_space), std::move(validator));
}

const Validator* Validators::find(base::BytesView key) const {
  const std::string_view text = base::as_text(key);
  if (!text.starts_with('/')) return nullptr;
  const std::size_t end = text.find('/', 1);
  if (end == std::string_view::npos) return nullptr;
  const auto at = by_namespace_.find(text.substr(1, end - 1));
  return at == by_namespace_.end() ? nullptr : at->second.get();
}

}  // namespace ggen::p2p::kad
