#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <ggen/p2p/host/pool.hpp>
#include <ggen/p2p/marketplace/registry.hpp>
#include <ggen/p2p/storage/pack.hpp>

namespace ggen::p2p::marketplace {

/// Said on the executor, heard on a thread of the pool: give it up.
using CancelFlag = std::shared_ptr<std::atomic<bool>>;

/// Runs a long job on the pool. A coroutine that is cancelled meanwhile raises the flag, and goes
/// on when the job has ended.
template <class Job>
asio::awaitable<std::invoke_result_t<Job&>> on_pool(host::Pool& pool, CancelFlag cancelled,
                                                    Job job) {
  const auto state = co_await asio::this_coro::cancellation_state;
  auto slot = state.slot();
  auto raise = [cancelled](asio::cancellation_type) { cancelled->store(true); };
  if (slot.is_connected()) slot.assign(std::move(raise));
  auto running = pool.run(std::move(job));
  auto result = co_await std::move(running);
  if (slot.is_connected()) slot.clear();
  co_return result;
}

/// Carries progress from a thread of the pool to the handler on the executor, a few times a second;
/// what comes when the operation has ended, and its handler with it, is dropped. Tells the thread
/// in return whether to go on.
[[nodiscard]] inline storage::Progress pool_progress(asio::any_io_executor executor,
                                                     const std::shared_ptr<ProgressHandler>& to,
                                                     Progress::Step step, CancelFlag cancelled) {
  using Clock = std::chrono::steady_clock;
  return [executor = std::move(executor), weak = std::weak_ptr{to}, step,
          cancelled = std::move(cancelled),
          last = Clock::time_point{}](std::uint64_t done, std::uint64_t total) mutable {
    const auto now = Clock::now();
    if (done == total || now - last >= std::chrono::milliseconds{100}) {
      last = now;
      asio::post(executor, [weak, step, done, total] {
        const auto handler = weak.lock();
        if (handler && *handler) (*handler)({step, done, total, 0});
      });
    }
    return !cancelled->load();
  };
}

}  // namespace ggen::p2p::marketplace
