#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>

#include <ggen/p2p/marketplace/registry.hpp>
#include <ggen/p2p/storage/pack.hpp>

namespace ggen::p2p::marketplace {

/// Carries progress from a thread of the pool to the handler on the executor, a few times a second.
/// What comes when the operation has ended, and its handler with it, is dropped.
[[nodiscard]] inline storage::Progress pool_progress(asio::any_io_executor executor,
                                                     const std::shared_ptr<ProgressHandler>& to,
                                                     Progress::Step step) {
  using Clock = std::chrono::steady_clock;
  if (!*to) return {};
  return [executor = std::move(executor), weak = std::weak_ptr{to}, step,
          last = Clock::time_point{}](std::uint64_t done, std::uint64_t total) mutable {
    const auto now = Clock::now();
    if (done != total && now - last < std::chrono::milliseconds{100}) return;
    last = now;
    asio::post(executor, [weak, step, done, total] {
      if (const auto handler = weak.lock()) (*handler)({step, done, total, 0});
    });
  };
}

}  // namespace ggen::p2p::marketplace
