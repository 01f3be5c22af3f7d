#pragma once

#include <string_view>
#include <utility>
#include <variant>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/engine.hpp>

#include "storage_queue.hpp"

namespace ggen::p2p::registry {

/// What the parts of the engine share. It outlives them.
struct Context {
  Config config;
  Engine::Below below;
  multiformats::PeerId local;
  base::Prng prng;
  base::WallTime wall_at_zero;
  StorageQueue storage{};
  base::Fifo<Output> outputs{};

  void emit(Output output) { outputs.push(std::move(output)); }
  void misbehaved(const multiformats::PeerId& peer, std::string_view what) {
    emit(event::PeerMisbehaved{peer, what});
  }
  void storage_failed(const StoreError& error) { emit(event::StorageFailed{error}); }
};

/// What an operation that gives a T gave. A driver that answers with something else has failed.
template <class T>
std::expected<T, StoreError> taken(StoreResult result) {
  if (!result) return std::unexpected(std::move(result.error()));
  if (T* value = std::get_if<T>(&*result)) return std::move(*value);
  return std::unexpected(StoreError{StoreError::Kind::kIo, "the store answered something else"});
}

/// After a failure of the store, the same is tried again so much later.
inline constexpr base::Duration kStoreRetry = std::chrono::seconds{5};

}  // namespace ggen::p2p::registry
