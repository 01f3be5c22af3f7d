#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

namespace ggen::p2p::host {

/// The few threads that do what would block the loop: hashing, compression, disk, SQLite, DNS
/// records. A job owns everything it touches and returns its result to the executor that waits for
/// it.
class Pool {
 public:
  /// The threads start with the first job. `count` is at least 1.
  explicit Pool(std::size_t count = 2) : count_(count) {}
  /// Waits for the jobs that were given.
  ~Pool() {
    if (threads_) threads_->join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Runs `job` on a thread of the pool and resumes the caller with its result. The job must not
  /// throw.
  template <class Job>
  auto run(Job job) -> asio::awaitable<std::invoke_result_t<Job&>> {
    using Result = std::invoke_result_t<Job&>;
    if (!threads_) threads_.emplace(count_);
    auto initiate = [this](auto handler, Job work) {
      auto guard = asio::make_work_guard(asio::get_associated_executor(handler));
      asio::post(*threads_, [handler = std::move(handler), work = std::move(work),
                             guard = std::move(guard)]() mutable {
        auto resume = [handler = std::move(handler), result = work()]() mutable {
          std::move(handler)(std::move(result));
        };
        asio::dispatch(guard.get_executor(), std::move(resume));
      });
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(Result)>(
        std::move(initiate), asio::use_awaitable, std::move(job));
  }

 private:
  std::size_t count_;
  std::optional<asio::thread_pool> threads_;
};

}  // namespace ggen::p2p::host
