#pragma once

#include <optional>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/kad/key.hpp>

#include "prefix.hpp"
#include "random_id.hpp"

namespace ggen::p2p::kad {

/// One id in each quarter of the smallest part of the key space that begins with bits of `key` and
/// holds all that lies within `radius` of it. Finding them takes about as many hashes as there are
/// such quarters; where these would be too many, some are missing.
[[nodiscard]] std::vector<RandomId> ids_around(const Key& key, const Distance& radius,
                                               base::Prng& prng);

/// An id in this part of the key space. Takes about as many hashes as there are such parts; nothing
/// where these would be too many.
[[nodiscard]] std::optional<RandomId> random_id_in(const Prefix& part, base::Prng& prng);

}  // namespace ggen::p2p::kad
