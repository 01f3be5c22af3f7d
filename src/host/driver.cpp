#include "driver.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <asio/bind_executor.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/post.hpp>

#include <ggen/p2p/base/overloaded.hpp>

#include "endpoint.hpp"
#include "os_errors.hpp"
#include "txt_records.hpp"

namespace ggen::p2p::host {
namespace {

using asio::ip::tcp;
using connection::ConnectionId;

// What one read takes at most, so that one busy peer does not keep the loop from the others.
constexpr std::size_t kReadBytes = 256 * 1024;
// What is sealed before the socket is asked: two Noise frames and a bit.
constexpr std::size_t kWriteBytes = 2 * 65'536;
// For the goodbye to leave through a socket that is full.
constexpr std::chrono::seconds kFlushTime{1};
// After accept() has failed for want of file descriptors or memory.
constexpr std::chrono::milliseconds kAcceptRetry{100};

std::vector<multiformats::IpAddress> addresses_of(const tcp::resolver::results_type& results,
                                                  swarm::AddressFamily family) {
  std::vector<multiformats::IpAddress> addresses;
  for (const auto& result : results) {
    const asio::ip::address address = result.endpoint().address();
    if (address.is_v4() && family != swarm::AddressFamily::kIp6) {
      addresses.push_back(multiformats::IpAddress::v4(address.to_v4().to_bytes()));
    } else if (address.is_v6() && family != swarm::AddressFamily::kIp4) {
      addresses.push_back(multiformats::IpAddress::v6(address.to_v6().to_bytes()));
    }
  }
  return addresses;
}

registry::Store* storage_operation(node::Output& output) {
  auto* of_registry = std::get_if<registry::Output>(&output);
  return of_registry == nullptr ? nullptr : std::get_if<registry::Store>(of_registry);
}

}  // namespace

Driver::Driver(asio::any_io_executor executor, Pool& pool, std::unique_ptr<node::Node> node,
               Sink sink)
    : executor_(std::move(executor)),
      pool_(pool),
      node_(std::move(node)),
      sink_(std::move(sink)),
      timer_(executor_),
      resolver_(executor_),
      // Left uninitialised: memory that is never used is never resident.
      read_buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kReadBytes)),
      write_buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kWriteBytes)) {}

base::Instant Driver::now() {
  return base::Instant{std::chrono::steady_clock::now().time_since_epoch()};
}

// ---- The node's outputs ----

void Driver::arm(std::optional<base::Instant> deadline) {
  // A timer that fires early finds nothing due and is armed again: cheaper than moving it back each
  // time.
  if (!deadline || stopped_ || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  timer_.expires_at(std::chrono::steady_clock::time_point{
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          deadline->time_since_epoch())});
  timer_.async_wait([self = shared_from_this()](std::error_code error) {
    if (error || self->stopped_) return;
    self->armed_for_.reset();
    self->drive([](node::Node&, base::Instant) {});  // step() handles what is due
  });
}

// ---- Completions ----

void Driver::complete(Completion done, std::error_code error, std::size_t size) {
  completed_.push({std::move(done), error, size});
  if (!completing_) call_completed_later();
}

void Driver::call_completed_later() {
  // Handlers may keep the driver alive, so they must not outlive an executor that is destroyed
  // before it gets to them.
  struct Call {
    explicit Call(std::shared_ptr<Driver> d) : driver(std::move(d)) {}
    Call(Call&&) noexcept = default;
    ~Call() {
      if (driver) std::exchange(driver->completed_, {});
    }
    void operator()() {
      const auto self = std::move(driver);
      self->completed_posted_ = false;
      self->on_event([] {});
    }
    std::shared_ptr<Driver> driver;
  };
  if (!std::exchange(completed_posted_, true)) asio::post(executor_, Call{shared_from_this()});
}

void Driver::call_completed(int& left) {
  for (; left > 0; --left) {
    auto next = completed_.pop();
    if (!next) return;
    next->done(next->error, next->size);
  }
}

void Driver::consumed(connection::StreamRef stream, std::size_t size) {
  consumed_.push_back({stream, size});
  if (!completing_) drive([](node::Node&, base::Instant) {});
}

void Driver::consume_now(base::Instant now) {
  for (const Consumed& each : consumed_) node_->consume(each.stream, each.size, now);
  consumed_.clear();
}

void Driver::send_waiting() {
  for (std::size_t i = 0; i < sending_.size() && !stopped_; ++i) {
    // A copy: a socket that breaks takes its entry off the table.
    if (const ConnectionPtr* found = connections_.find(sending_[i])) flush(ConnectionPtr{*found});
  }
  sending_.clear();
}

// ---- Storage ----

void Driver::use_storage(registry::Storage& storage, std::function<void()> answered) {
  storage_ = &storage;
  storage_answered_ = std::move(answered);
}

void Driver::store(registry::Store request) {
  ++storage_operations_;
  asio::co_spawn(executor_, carry_out(shared_from_this(), std::move(request)), asio::detached);
}

asio::awaitable<void> Driver::carry_out(std::shared_ptr<Driver> self, registry::Store request) {
  auto job = [storage = self->storage_, op = std::move(request.op)]() mutable {
    return storage->run(std::move(op));
  };
  registry::StoreResult result = co_await self->pool_.run(std::move(job));
  --self->storage_operations_;
  if (self->stopped_) co_return;
  self->drive([&](node::Node& node, base::Instant at) {
    node.stored({request.id, std::move(result)}, at);
  });
  self->storage_answered_();
}

// Carrying out an output may drive the node again: its outputs then wait their turn here.
void Driver::execute_all() {
  if (std::exchange(executing_, true)) return;
  while (auto output = outputs_.pop()) execute(std::move(*output));
  executing_ = false;
}

void Driver::execute(node::Output output) {
  if (stopped_) return;
  if (const auto* transmit = std::get_if<node::output::Transmit>(&output)) {
    sending_.push_back(transmit->connection);
    if (!completing_) call_completed_later();
  } else if (const auto* close = std::get_if<node::output::CloseTransport>(&output)) {
    close_transport(close->connection);
  } else if (auto* of_swarm = std::get_if<swarm::Output>(&output)) {
    execute(std::move(*of_swarm));
  } else if (auto* operation = storage_operation(output)) {
    store(std::move(*operation));
  } else {
    sink_(std::move(output));
  }
}

void Driver::execute(swarm::Output output) {
  std::visit(base::Overloaded{
                 [&](const swarm::output::ResolveHost& request) { resolve_host(request); },
                 [&](const swarm::output::ResolveText& request) { resolve_text(request); },
                 [&](const swarm::output::Dial& request) { dial(request); },
                 [&](const swarm::output::CancelDial& request) { cancel_dial(request); },
                 [&](const swarm::output::Listen& request) { listen(request); },
                 [&](const swarm::output::StopListening& request) { stop_listening(request); },
                 [](const auto&) {},
             },
             output);
  sink_(std::move(output));
}

void Driver::resolve_host(const swarm::output::ResolveHost& request) {
  resolver_.async_resolve(
      request.name, "",
      [self = shared_from_this(), request](std::error_code error,
                                           const tcp::resolver::results_type& results) {
        if (self->stopped_) return;
        self->drive([&](node::Node& node, base::Instant at) {
          if (error) {
            node.swarm(at).resolved(request.id, std::unexpected(resolve_error(error)), at);
          } else {
            node.swarm(at).resolved(request.id, addresses_of(results, request.family), at);
          }
        });
      });
}

void Driver::resolve_text(const swarm::output::ResolveText& request) {
  // Named first: a temporary lambda inside co_await is miscompiled by g++ 12.
  auto look_up = [name = request.name] { return txt_records(name); };
  auto task = [](std::shared_ptr<Driver> self, swarm::ResolveId id,
                 decltype(look_up) job) -> asio::awaitable<void> {
    auto records = co_await self->pool_.run(std::move(job));
    if (self->stopped_) co_return;
    self->drive([&](node::Node& node, base::Instant at) {
      if (records) {
        node.swarm(at).resolved_text(id, std::move(*records), at);
      } else {
        node.swarm(at).resolved_text(id, std::unexpected(resolve_error(records.error())), at);
      }
    });
  };
  asio::co_spawn(executor_, task(shared_from_this(), request.id, std::move(look_up)),
                 asio::detached);
}

// ---- Dialling ----

void Driver::dial(const swarm::output::Dial& request) {
  const auto failed = [&](swarm::DialError error) {
    drive([&](node::Node& node, base::Instant at) {
      node.dialed(request.attempt, std::unexpected(error), at);
    });
  };
  const auto endpoint = to_endpoint(request.address);
  if (!endpoint) return failed(swarm::DialError::kUnsupported);
  auto socket = std::make_shared<tcp::socket>(executor_);
  std::error_code error;
  socket->open(endpoint->protocol(), error);
  if (error) return failed(dial_error(error));
  attempts_[request.attempt] = socket;
  socket->async_connect(*endpoint, [self = shared_from_this(), socket,
                                    attempt = request.attempt](std::error_code connect_error) {
    if (self->stopped_ || !self->attempts_.erase(attempt)) return;  // given up
    self->connected(attempt, std::move(*socket), connect_error);
  });
}

void Driver::connected(swarm::AttemptId attempt, tcp::socket socket, std::error_code error) {
  std::expected<swarm::Endpoints, swarm::DialError> result;
  if (!error) {
    std::error_code local_error;
    const auto local = socket.local_endpoint(local_error);
    const auto remote = socket.remote_endpoint(error);
    if (!error) result = swarm::Endpoints{to_multiaddr(local), to_multiaddr(remote)};
  }
  if (error) result = std::unexpected(dial_error(error));
  auto connection = std::make_shared<Connection>(std::move(socket));
  drive([&](node::Node& node, base::Instant at) {
    // Known here before the node's outputs speak of it.
    if (const auto id = node.dialed(attempt, std::move(result), at)) adopt(connection, *id);
  });
  if (connections_.find(connection->id) != nullptr) read_when_ready(connection);
}

void Driver::cancel_dial(const swarm::output::CancelDial& request) {
  const auto* attempt = attempts_.find(request.attempt);
  if (attempt == nullptr) return;
  std::error_code ignored;
  (*attempt)->close(ignored);
  attempts_.erase(request.attempt);
}

// ---- Listening ----

void Driver::listen(const swarm::output::Listen& request) {
  const auto failed = [&](swarm::ListenError error) {
    drive([&](node::Node& node, base::Instant at) {
      node.swarm(at).listening(request.id, std::unexpected(error), at);
    });
  };
  const auto endpoint = to_endpoint(request.address);
  if (!endpoint) return failed(swarm::ListenError::kUnsupported);
  tcp::acceptor acceptor{executor_};
  std::error_code error;
  acceptor.open(endpoint->protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  // /ip6/:: is IPv6 alone: whoever wants both listens on both.
  if (!error && endpoint->protocol() == tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only{true}, error);
  }
  if (!error) acceptor.bind(*endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(listen_error(error));
  const auto bound = reachable_at(acceptor.local_endpoint(error));
  auto listener = std::make_shared<Listener>(std::move(acceptor));
  listeners_[request.id] = listener;
  drive(
      [&](node::Node& node, base::Instant at) { node.swarm(at).listening(request.id, bound, at); });
  accept_next(listener);
}

void Driver::stop_listening(const swarm::output::StopListening& request) {
  const ListenerPtr* listener = listeners_.find(request.id);
  if (listener == nullptr) return;
  std::error_code ignored;
  (*listener)->acceptor.close(ignored);
  (*listener)->retry.cancel();
  listeners_.erase(request.id);
}

void Driver::accept_next(const ListenerPtr& listener) {
  if (!listener->acceptor.is_open()) return;
  listener->acceptor.async_accept(
      [self = shared_from_this(), listener](std::error_code error, tcp::socket socket) {
        if (self->stopped_ || !listener->acceptor.is_open()) return;
        if (!error) {
          self->accepted(std::move(socket));
          self->accept_next(listener);
          return;
        }
        // Out of file descriptors, most likely: accepting again at once would spin.
        listener->retry.expires_after(kAcceptRetry);
        listener->retry.async_wait([self, listener](std::error_code cancelled) {
          if (!cancelled && !self->stopped_) self->accept_next(listener);
        });
      });
}

void Driver::accepted(tcp::socket socket) {
  std::error_code error;
  const auto local = socket.local_endpoint(error);
  if (error) return;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;  // gone already
  auto connection = std::make_shared<Connection>(std::move(socket));
  drive([&](node::Node& node, base::Instant at) {
    if (const auto id = node.accept(to_multiaddr(local), to_multiaddr(remote), at)) {
      adopt(connection, *id);
    }
  });
  if (connections_.find(connection->id) != nullptr) read_when_ready(connection);
}

// ---- Connections ----

void Driver::adopt(ConnectionPtr connection, ConnectionId id) {
  std::error_code ignored;
  connection->socket.non_blocking(true, ignored);
  connection->socket.set_option(tcp::no_delay{true}, ignored);
  connection->id = id;
  connections_[id] = std::move(connection);
}

// Waiting for the socket alone would cost a system call in which Asio arms it anew, and a wake-up
// because it can be written to. A read that takes what there is costs less.
void Driver::read_when_ready(const ConnectionPtr& connection) {
  connection->socket.async_read_some(
      asio::buffer(connection->first),
      [self = shared_from_this(), connection](std::error_code error, std::size_t size) {
        if (self->stopped_ || !connection->open) return;
        // Last, for it may try to read: an answer to what has come leaves before.
        const ReadAgain again{*self, connection};
        self->on_event([&] { self->received(connection, error, size); });
      });
}

Driver::ReadAgain::~ReadAgain() {
  if (!driver.stopped_ && connection->open) driver.read_when_ready(connection);
}

void Driver::received(const ConnectionPtr& connection, std::error_code error, std::size_t size) {
  if (error) {
    transport_failed(connection, error == asio::error::eof);
  } else {
    read(connection, size);
  }
}

// Takes the rest of what has come when there is more than fitted into the connection's own buffer.
// An error shows again at the next read.
void Driver::read(const ConnectionPtr& connection, std::size_t size) {
  base::MutableBytes bytes{connection->first.data(), size};
  if (size == connection->first.size()) {
    std::ranges::copy(bytes, read_buffer_.get());
    std::error_code ignored;
    size += connection->socket.read_some(asio::buffer(read_buffer_.get() + size, kReadBytes - size),
                                         ignored);
    bytes = {read_buffer_.get(), size};
  }
  drive([&](node::Node& node, base::Instant at) { node.receive(connection->id, bytes, at); });
}

void Driver::transport_failed(const ConnectionPtr& connection, bool clean) {
  connection->closing = true;  // nothing can be flushed any more
  drive([&](node::Node& node, base::Instant at) { node.receive_end(connection->id, clean, at); });
  close(connection);
}

// Pulls bytes from the node for as long as the socket takes them.
void Driver::pump(const ConnectionPtr& connection) {
  bool more = true;
  while (more && connection->open && !connection->waiting_to_write) {
    std::size_t size = 0;
    drive([&](node::Node& node, base::Instant at) {
      size = node.transmit(connection->id, {write_buffer_.get(), kWriteBytes}, at);
    });
    if (size == 0) return;
    more = node_->wants_transmit(connection->id);
    std::error_code error;
    const std::size_t sent =
        connection->socket.write_some(asio::buffer(write_buffer_.get(), size), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) {
      return transport_failed(connection, false);
    }
    if (sent < size) {
      connection->unsent.assign(write_buffer_.get() + sent, write_buffer_.get() + size);
      connection->unsent_from = 0;
      write_when_ready(connection);
    }
  }
}

// As an output: no other connection may be pumped before these bytes have left the shared buffer.
void Driver::flush(const ConnectionPtr& connection) {
  executing_ = true;
  pump(connection);
  executing_ = false;
  execute_all();
}

void Driver::write_when_ready(const ConnectionPtr& connection) {
  connection->waiting_to_write = true;
  connection->socket.async_wait(tcp::socket::wait_write,
                                [self = shared_from_this(), connection](std::error_code error) {
                                  if (self->stopped_ || !connection->open) return;
                                  self->on_event([&] { self->writable(connection, error); });
                                });
}

void Driver::writable(const ConnectionPtr& connection, std::error_code error) {
  connection->waiting_to_write = false;
  if (error || !write_unsent(connection)) return transport_failed(connection, false);
  if (connection->waiting_to_write) return;
  flush(connection);
  if (connection->closing && !connection->waiting_to_write) close(connection);
}

// False when the socket is broken.
bool Driver::write_unsent(const ConnectionPtr& connection) {
  const asio::const_buffer rest = asio::buffer(connection->unsent) + connection->unsent_from;
  std::error_code error;
  connection->unsent_from += connection->socket.write_some(rest, error);
  if (error && error != asio::error::would_block && error != asio::error::try_again) return false;
  if (connection->unsent_from < connection->unsent.size()) {
    write_when_ready(connection);
  } else {
    std::vector<std::uint8_t>{}.swap(connection->unsent);  // an idle connection holds no buffer
  }
  return true;
}

void Driver::close_transport(ConnectionId id) {
  const ConnectionPtr* found = connections_.find(id);
  if (found == nullptr) return;
  const ConnectionPtr connection = *found;
  if (connection->closing) return;  // transport_failed() is on it
  connection->closing = true;
  pump(connection);
  if (!connection->open) return;
  if (!connection->waiting_to_write) return close(connection);
  connection->deadline.expires_after(kFlushTime);
  connection->deadline.async_wait([self = shared_from_this(), connection](std::error_code error) {
    if (!error && connection->open) self->close(connection);
  });
}

void Driver::close(const ConnectionPtr& connection) {
  if (!std::exchange(connection->open, false)) return;
  connection->deadline.cancel();
  std::error_code ignored;
  connection->socket.shutdown(tcp::socket::shutdown_both, ignored);
  connection->socket.close(ignored);
  connections_.erase(connection->id);
  drive([&](node::Node& node, base::Instant at) { node.transport_closed(connection->id, at); });
}

void Driver::shutdown() {
  if (std::exchange(stopped_, true)) return;
  std::error_code ignored;
  timer_.cancel();
  resolver_.cancel();
  for (auto* entry : attempts_.sorted()) entry->second->close(ignored);
  for (auto* entry : listeners_.sorted()) {
    entry->second->acceptor.close(ignored);
    entry->second->retry.cancel();
  }
  for (auto* entry : connections_.sorted()) {
    entry->second->open = false;
    entry->second->deadline.cancel();
    entry->second->socket.close(ignored);
  }
  attempts_.clear();
  listeners_.clear();
  connections_.clear();
}

}  // namespace ggen::p2p::host
