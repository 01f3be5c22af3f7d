#pragma once

#include <array>
#include <span>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/secret.hpp>

namespace ggen::p2p::crypto {

/// Noise's HKDF with SHA-256 (Noise specification, section 4.3): RFC 5869 with the chaining key as
/// salt and no info. Fills `outputs`, of which there are two or three.
void hkdf_sha256(const Secret<32>& chaining_key, base::BytesView input,
                 std::span<Secret<32>> outputs);

}  // namespace ggen::p2p::crypto
