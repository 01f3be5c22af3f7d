#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/host/pool.hpp>
#include <ggen/p2p/node/node.hpp>

namespace ggen::p2p::host {

/// Runs a node on sockets: carries out what it asks for (look up, dial, listen, send, close), tells
/// it what came of that, and arms one timer for its next deadline. Everything else the node says
/// goes to the sink.
///
/// Made by make_shared: what it has started on the executor keeps it alive until shutdown() has
/// ended that.
class Driver : public std::enable_shared_from_this<Driver> {
 public:
  using Sink = std::function<void(node::Output)>;

  Driver(asio::any_io_executor executor, Pool& pool, std::unique_ptr<node::Node> node, Sink sink);

  /// Carries the node's storage operations out on the pool. Before the first of them; `storage`
  /// outlives the pool. `answered` runs after the node was told the result of one.
  void use_storage(registry::Storage& storage, std::function<void()> answered);
  [[nodiscard]] std::size_t storage_operations() const noexcept { return storage_operations_; }

  /// The monotonic time, as the node counts it.
  [[nodiscard]] static base::Instant now();

  /// Lets `act(node, now)` work on the node, then does what follows from it.
  template <class Act>
  void drive(Act&& act) {
    if (stopped_) return;
    const base::Instant at = now();
    const auto deadline = base::step(
        *node_, at,
        [&](node::Node& node) {
          consume_now(at);
          act(node, at);
        },
        [this](node::Output output) { outputs_.push(std::move(output)); });
    arm(deadline);
    execute_all();
  }

  using Completion = std::move_only_function<void(std::error_code, std::size_t)>;
  /// Calls `done` as soon as the driver has nothing else under way, never within this call.
  void complete(Completion done, std::error_code error, std::size_t size);
  /// The application has taken bytes of a stream. The node hears of it with what comes next, and at
  /// the latest when the event of the socket that brought the bytes is dealt with.
  void consumed(connection::StreamRef stream, std::size_t size);

  [[nodiscard]] const node::Node& node() const noexcept { return *node_; }
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

  /// Closes every socket and the timer, without a goodbye. Nothing reaches the node or the sink
  /// afterwards.
  void shutdown();
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

 private:
  using tcp = asio::ip::tcp;

  // Enough for what a connection at rest hears: pings, window updates, gossip.
  static constexpr std::size_t kFirstReadBytes = 256;
  // Completions called in a row before the sockets get another look.
  static constexpr int kCompletionsAtOnce = 32;

  struct Connection {
    explicit Connection(tcp::socket s) : socket(std::move(s)), deadline(socket.get_executor()) {}

    tcp::socket socket;
    connection::ConnectionId id;
    std::array<std::uint8_t, kFirstReadBytes> first;  // filled by the socket while nothing else is
    std::vector<std::uint8_t> unsent;  // what the socket did not take of the last transmit
    std::size_t unsent_from = 0;
    bool waiting_to_write = false;
    bool closing = false;  // the node is done with it: flush, then close
    bool open = true;
    asio::steady_timer deadline;  // of the flush
  };
  using ConnectionPtr = std::shared_ptr<Connection>;

  struct Listener {
    explicit Listener(tcp::acceptor a) : acceptor(std::move(a)), retry(acceptor.get_executor()) {}

    tcp::acceptor acceptor;
    asio::steady_timer retry;
  };
  using ListenerPtr = std::shared_ptr<Listener>;

  struct Consumed {
    connection::StreamRef stream;
    std::size_t size;
  };
  struct Completed {
    Completion done;
    std::error_code error;
    std::size_t size;
  };
  // While it lives, what is completed waits; whatever still does at its end is left to the
  // executor.
  struct Completing {
    explicit Completing(Driver& d) : driver(d) { driver.completing_ = true; }
    ~Completing() {
      driver.completing_ = false;
      if (!driver.completed_.empty()) driver.call_completed_later();
    }
    Completing(const Completing&) = delete;
    Completing& operator=(const Completing&) = delete;
    Driver& driver;
  };
  // Runs `act` for an event of a socket, then calls what it has completed, tells the node what was
  // taken, and sends what has come of it: what the application writes piece by piece leaves as one.
  // Leaving completions to the executor would cost a look at all sockets for each.
  template <class Act>
  void on_event(Act&& act) {
    const Completing completing{*this};
    act();
    int left = kCompletionsAtOnce;
    do {
      call_completed(left);
      if (!consumed_.empty()) drive([](node::Node&, base::Instant) {});
      send_waiting();
    } while (left > 0 && !completed_.empty());
  }
  void call_completed(int& left);
  void call_completed_later();
  void consume_now(base::Instant now);
  void send_waiting();

  struct ReadAgain {
    ~ReadAgain();
    Driver& driver;
    const ConnectionPtr& connection;
  };

  // Outputs of the node.
  void arm(std::optional<base::Instant> deadline);
  void execute_all();
  void execute(node::Output output);
  void execute(swarm::Output output);
  void resolve_host(const swarm::output::ResolveHost& request);
  void resolve_text(const swarm::output::ResolveText& request);
  void dial(const swarm::output::Dial& request);
  void connected(swarm::AttemptId attempt, tcp::socket socket, std::error_code error);
  void cancel_dial(const swarm::output::CancelDial& request);
  void listen(const swarm::output::Listen& request);
  void stop_listening(const swarm::output::StopListening& request);
  void store(registry::Store request);
  static asio::awaitable<void> carry_out(std::shared_ptr<Driver> self, registry::Store request);

  // Connections.
  void adopt(ConnectionPtr connection, connection::ConnectionId id);
  void read_when_ready(const ConnectionPtr& connection);
  void received(const ConnectionPtr& connection, std::error_code error, std::size_t size);
  void read(const ConnectionPtr& connection, std::size_t size);
  void writable(const ConnectionPtr& connection, std::error_code error);
  void pump(const ConnectionPtr& connection);
  void flush(const ConnectionPtr& connection);
  bool write_unsent(const ConnectionPtr& connection);
  void write_when_ready(const ConnectionPtr& connection);
  void close_transport(connection::ConnectionId id);
  void close(const ConnectionPtr& connection);
  void transport_failed(const ConnectionPtr& connection, bool clean);

  // Listeners.
  void accept_next(const ListenerPtr& listener);
  void accepted(tcp::socket socket);

  asio::any_io_executor executor_;
  Pool& pool_;
  std::unique_ptr<node::Node> node_;
  Sink sink_;
  registry::Storage* storage_ = nullptr;
  std::function<void()> storage_answered_;
  std::size_t storage_operations_ = 0;  // on the pool
  bool stopped_ = false;

  base::Fifo<node::Output> outputs_;
  bool executing_ = false;

  std::vector<Consumed> consumed_;
  base::Fifo<Completed> completed_;
  bool completing_ = false;
  bool completed_posted_ = false;
  std::vector<connection::ConnectionId> sending_;  // have bytes for the end of on_event()

  asio::steady_timer timer_;
  std::optional<base::Instant> armed_for_;

  tcp::resolver resolver_;
  base::HashMap<swarm::AttemptId, std::shared_ptr<tcp::socket>> attempts_;
  base::HashMap<swarm::ListenId, ListenerPtr> listeners_;
  base::HashMap<connection::ConnectionId, ConnectionPtr> connections_;

  // One buffer each way serves all connections: an idle one costs no buffer, and a busy one finds
  // it in the cache.
  std::unique_ptr<std::uint8_t[]> read_buffer_;
  std::unique_ptr<std::uint8_t[]> write_buffer_;
};

}  // namespace ggen::p2p::host
