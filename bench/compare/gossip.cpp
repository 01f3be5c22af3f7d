#include "gossip.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <numeric>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/gossipsub/config.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

#include "gossip_messages.hpp"
#include "measure.hpp"
#include "parent.hpp"
#include "server.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;
using asio::awaitable;
using asio::use_awaitable;
using multiformats::Multiaddr;

// What all routers speak, and without IDONTWANT, which none is made to send or to read.
const std::string kMeshProtocol = "/meshsub/1.1.0";
constexpr std::string_view kTopic = "ggen-bench";
constexpr std::size_t kLeaves = 8;  // between the D and the D_hi of all routers
// Of messages that not all leaves have: go-libp2p-pubsub queues 32 for a peer and drops the rest.
constexpr std::size_t kWindow = 16;
constexpr auto kPatience = std::chrono::seconds{20};
constexpr auto kProbeEvery = std::chrono::milliseconds{200};

gossipsub::MessageId number_in_data(const gossipsub::MessageFields& fields) {
  const auto head = fields.data.first(std::min(kGossipNumberSize, fields.data.size()));
  return {head.begin(), head.end()};
}

gossipsub::Config router_config(bool with_signatures) {
  gossipsub::Config config;
  if (!with_signatures) {
    config.signatures = gossipsub::SignaturePolicy::kStrictNoSign;
    config.topics[std::string{kTopic}].message_id = number_in_data;
  }
  return config;
}

// Accepts every message, as a program without a validator of its own.
class AcceptAll {
 public:
  AcceptAll(asio::io_context& loop, host::Host& host) {
    host.observe([this, &loop, &host](const node::Output& output) {
      const auto* asked = std::get_if<gossipsub::Validate>(&output);
      if (asked == nullptr) return;
      // An observer must not call the host, so the verdicts come right after it.
      if (waiting_.empty()) asio::post(loop, [this, &host] { accept(host); });
      waiting_.push_back(asked->token);
    });
  }

 private:
  void accept(host::Host& host) {
    const auto tokens = std::exchange(waiting_, {});
    host.drive([&](node::Node& node, base::Instant now) {
      for (const auto token : tokens) {
        node.gossipsub(now).report(token, gossipsub::Verdict::kAccept, now);
      }
    });
  }

  std::vector<gossipsub::MessageToken> waiting_;
};

// Peers that are in the router's mesh and count what it sends them; the first one publishes.
class Leaves {
 public:
  Leaves(asio::io_context& loop, const Multiaddr& address) : progress_(loop), received_(kLeaves) {
    hosts_.reserve(kLeaves);  // a host must not move while its coroutine runs
    for (std::size_t leaf = 0; leaf < kLeaves; ++leaf) {
      host::Host& host = hosts_.emplace_back(make_host(loop));
      host.handle(kMeshProtocol,
                  [this, leaf](host::Stream stream) { return read(leaf, std::move(stream)); });
      asio::co_spawn(loop, join(host, address), [](std::exception_ptr error) {
        if (error) give_up("a leaf cannot join the router");
      });
    }
  }

  /// Until a message reaches every leaf and no more of such messages are under way.
  awaitable<void> wait_for_mesh(const std::vector<base::Buffer>& probes) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    for (const base::Buffer& probe : probes) {
      const bool met = all_have(1);
      const std::size_t before = total();
      if (!met && streams_.size() == kLeaves) co_await write(probe);
      timer.expires_after(kProbeEvery);
      co_await timer.async_wait(use_awaitable);
      if (met && total() == before) co_return;
    }
    give_up("the router has not grafted every leaf");
  }

  awaitable<double> publish(const std::vector<base::Buffer>& frames) {
    std::ranges::fill(received_, 0);
    const auto start = Clock::now();
    for (std::size_t sent = 0; sent < frames.size(); ++sent) {
      if (sent >= kWindow) co_await wait_for(sent - kWindow + 1);
      co_await write(frames[sent]);
    }
    co_await wait_for(frames.size());
    co_return seconds_since(start);
  }

 private:
  awaitable<void> join(host::Host& host, Multiaddr address) {
    const auto router = checked(co_await host.connect(std::move(address)));
    std::vector<std::string> protocols{kMeshProtocol};
    host::Stream stream = checked(co_await host.open_stream(router, std::move(protocols)));
    const base::Buffer hello = gossipsub::control_frame(
        gossipsub::encode_subscription(true, kTopic), gossipsub::encode_graft(kTopic));
    co_await asio::async_write(stream, asio::buffer(hello.data(), hello.size()), use_awaitable);
    if (&host == &hosts_.front()) publisher_ = streams_.size();
    streams_.push_back(std::move(stream));
  }

  awaitable<void> read(std::size_t leaf, host::Stream stream) {
    base::FrameDecoder frames{gossipsub::Limits{}.max_frame};
    std::vector<std::uint8_t> block(64 * 1024);
    for (;;) {
      std::error_code end;
      const std::size_t size = co_await stream.async_read_some(
          asio::buffer(block), asio::redirect_error(use_awaitable, end));
      if (end) co_return;
      base::Buffer bytes = base::Buffer::copy_of(base::BytesView{block}.first(size));
      for (;;) {
        const auto frame = frames.take(bytes);
        if (!frame) give_up("what the router sends are no frames");
        if (!*frame) break;
        count(leaf, **frame);
      }
    }
  }

  void count(std::size_t leaf, const base::Buffer& frame) {
    const auto rpc = gossipsub::decode_rpc(frame.view(), {});
    if (!rpc) give_up("what the router sends is no RPC");
    if (!rpc->prune.empty()) give_up("the router prunes a leaf");
    received_[leaf] += rpc->messages.size();
    progress_.cancel();
  }

  awaitable<void> write(const base::Buffer& frame) {
    co_await asio::async_write(streams_[publisher_], asio::buffer(frame.data(), frame.size()),
                               use_awaitable);
  }

  awaitable<void> wait_for(std::size_t count) {
    while (!all_have(count)) {
      progress_.expires_after(kPatience);
      std::error_code cancelled;
      co_await progress_.async_wait(asio::redirect_error(use_awaitable, cancelled));
      if (!cancelled) give_up("messages do not reach every leaf");
    }
  }

  // What the publisher sends does not come back to it.
  [[nodiscard]] bool all_have(std::size_t count) const {
    return std::all_of(received_.begin() + 1, received_.end(),
                       [count](std::size_t received) { return received >= count; });
  }
  [[nodiscard]] std::size_t total() const {
    return std::accumulate(received_.begin(), received_.end(), std::size_t{0});
  }

  std::vector<host::Host> hosts_;
  std::vector<host::Stream> streams_;
  std::size_t publisher_ = 0;  // in streams_
  asio::steady_timer progress_;
  std::vector<std::size_t> received_;  // by each of hosts_
};

awaitable<void> run(Leaves& leaves, std::size_t count, bool with_signatures) {
  const auto frames = [&](std::size_t first, std::size_t of) {
    return gossip_frames(
        {.topic = kTopic, .count = of, .first = first, .with_signature = with_signatures});
  };
  const auto probes = frames(0, 100);
  const auto warm_up = frames(probes.size(), count / 10);
  const auto messages = frames(probes.size() + warm_up.size(), count);
  co_await leaves.wait_for_mesh(probes);
  co_await leaves.publish(warm_up);
  wait_for_start();
  tell_result(seconds_json(co_await leaves.publish(messages)));
}

}  // namespace

int serve_gossip(bool with_signatures) {
  asio::io_context loop{1};
  host::Host host = make_host(loop, {.gossipsub = router_config(with_signatures)});
  AcceptAll accept_all{loop, host};
  host.drive(
      [](node::Node& node, base::Instant now) { node.gossipsub(now).subscribe(kTopic, now); });
  return serve(loop, host);
}

int gossip(const Multiaddr& address, std::size_t count, bool with_signatures) {
  asio::io_context loop{1};
  Leaves leaves{loop, address};
  asio::co_spawn(loop, run(leaves, count, with_signatures), [&](std::exception_ptr error) {
    if (error) give_up("the case failed");
    loop.stop();
  });
  loop.run();
  return 0;
}

}  // namespace bench
