#include "mesh_watch.hpp"

#include <chrono>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "../../report.hpp"

namespace interop {

using namespace ggen::p2p;

namespace {

constexpr std::chrono::milliseconds kLookAgain{20};

void tell(const char* event, const std::set<std::string>& peers, const std::set<std::string>& but,
          const std::string& topic) {
  for (const std::string& peer : peers) {
    if (!but.contains(peer)) emit(event, Json{}.text("peer", peer).text("topic", topic));
  }
}

}  // namespace

void MeshWatch::start(asio::io_context& loop) {
  asio::co_spawn(loop, look_again(), asio::detached);
}

asio::awaitable<void> MeshWatch::look_again() {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;;) {
    look();
    timer.expires_after(kLookAgain);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

void MeshWatch::look() {
  const gossipsub::Engine& engine = *host_.node().gossipsub();
  std::map<std::string, Mesh> now;
  for (const std::string& topic : engine.subscriptions()) {
    Mesh& mesh = now[topic];
    for (const auto& peer : engine.mesh(topic)) mesh.insert(peer.to_string());
  }
  for (const auto& [topic, mesh] : seen_) tell("pruned", mesh, now[topic], topic);
  for (const auto& [topic, mesh] : now) tell("grafted", mesh, seen_[topic], topic);
  seen_ = std::move(now);
}

}  // namespace interop
