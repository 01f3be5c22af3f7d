#pragma once

#include <functional>
#include <utility>

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

namespace ggen::p2p::host {

/// Resumes, once, the coroutine that waits for a T.
template <class T>
using Promise = std::move_only_function<void(T)>;

/// When a promise that is called resumes its coroutine.
enum class Resume {
  kLater,  ///< when the executor gets to it: the promise may be called from anywhere
  kNow,    ///< before the call returns, where the caller is on the coroutine's executor
};

/// Suspends the coroutine and calls `start` with the promise that will resume it.
template <class T, Resume when = Resume::kLater, class Start>
asio::awaitable<T> promised(Start start) {
  auto initiate = [](auto handler, Start begin) {
    auto work = asio::make_work_guard(asio::get_associated_executor(handler));
    begin(Promise<T>{[handler = std::move(handler), work = std::move(work)](T result) mutable {
      const auto executor = work.get_executor();
      auto resume = [handler = std::move(handler), result = std::move(result)]() mutable {
        std::move(handler)(std::move(result));
      };
      work.reset();
      if constexpr (when == Resume::kNow) {
        asio::dispatch(executor, std::move(resume));
      } else {
        asio::post(executor, std::move(resume));
      }
    }});
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      std::move(initiate), asio::use_awaitable, std::move(start));
}

}  // namespace ggen::p2p::host
