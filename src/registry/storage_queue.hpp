#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/registry/storage.hpp>

namespace ggen::p2p::registry {

/// The engine's side of the storage seam: operations that wait to be taken by the driver, and what
/// to do when their results come. Continuations stay within the engine, whose parts outlive the
/// queue.
class StorageQueue {
 public:
  using Continuation = std::move_only_function<void(StoreResult result, base::Instant now)>;

  void submit(StoreOp op, Continuation then) {
    const StoreId id = waiting_.emplace(std::move(then));
    ops_.push(Store{id, std::move(op)});
  }
  /// Runs the continuation of an operation. A second answer to one finds nothing.
  void done(StoreDone answer, base::Instant now) {
    Continuation* found = waiting_.find(answer.id);
    if (found == nullptr) return;
    Continuation then = std::move(*found);
    waiting_.erase(answer.id);
    then(std::move(answer.result), now);
  }
  [[nodiscard]] std::optional<Store> poll() { return ops_.pop(); }
  /// Operations without an answer yet.
  [[nodiscard]] std::size_t pending() const noexcept { return waiting_.size(); }

 private:
  base::SlotMap<Continuation, StoreTag> waiting_;
  base::Fifo<Store> ops_;
};

}  // namespace ggen::p2p::registry
