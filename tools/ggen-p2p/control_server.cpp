#include "control_server.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/overloaded.hpp>

#include "control_path.hpp"

namespace ggen::p2p::cli {

using asio::local::stream_protocol;

class ControlServer::Impl : public std::enable_shared_from_this<ControlServer::Impl> {
 public:
  Impl(asio::any_io_executor executor, Service& service, ControlLimits limits)
      : executor_(std::move(executor)),
        service_(service),
        limits_(limits),
        acceptor_(executor_),
        retry_(executor_) {}

  Result<void> open(const std::filesystem::path& home);
  void serve(Socket socket);
  void close();

  [[nodiscard]] Service& service() noexcept { return service_; }
  [[nodiscard]] const ControlLimits& limits() const noexcept { return limits_; }
  [[nodiscard]] std::size_t clients() const noexcept { return sessions_.size(); }
  void ended(const std::shared_ptr<Session>& session) { sessions_.erase(session); }
  void wait_for_end(Socket socket) { waiting_for_end_.push_back(std::move(socket)); }
  std::vector<Socket> take_waiting_for_end() { return std::exchange(waiting_for_end_, {}); }

 private:
  void accept_next();

  asio::any_io_executor executor_;
  Service& service_;
  ControlLimits limits_;
  stream_protocol::acceptor acceptor_;
  asio::steady_timer retry_;  // when descriptors have run out
  std::optional<ControlPath> path_;
  std::set<std::shared_ptr<Session>> sessions_;
  std::vector<Socket> waiting_for_end_;
  bool closed_ = false;
};

/// One client: reads its request, has it carried out, and writes what comes of it. Each of its
/// handlers keeps it alive.
class ControlServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::weak_ptr<Impl> server, Service& service, const ControlLimits& limits, Socket socket)
      : server_(std::move(server)),
        service_(service),
        limits_(limits),
        socket_(std::move(socket)),
        deadline_(socket_.get_executor()),
        taken_(socket_.get_executor(), asio::steady_timer::time_point::max()) {}

  void start() {
    expire_in(limits_.request_timeout);
    read();
  }
  /// The node is stopping.
  void cancel() {
    if (state_ == State::kReading) return end();
    cancel_.emit(asio::cancellation_type::terminal);
  }

 private:
  enum class State : std::uint8_t { kReading, kWorking, kAnswering, kEnded };

  void read() {
    socket_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](std::error_code error, std::size_t size) {
                              self->on_read(error, size);
                            });
  }

  void on_read(std::error_code error, std::size_t size) {
    if (state_ == State::kEnded) return;
    // After the request a client only listens: whatever it does otherwise, it has gone.
    if (error || state_ != State::kReading) return gone();
    base::Buffer data = base::Buffer::copy_of(base::BytesView{input_}.first(size));
    auto frame = decoder_.take(data);
    if (!frame) return answer(bad_request(to_string(frame.error())));
    if (!*frame) return read();
    auto request = decode_request((*frame)->view());
    if (!request) return answer(bad_request(request.error()));
    if (!data.empty()) return answer(bad_request("a connection carries one request"));
    work(*std::move(request));
  }

  static Result<Json> bad_request(std::string_view why) {
    return fail(Exit::kFailed, fmt::format("The node did not understand the request: {}", why),
                "The program and the running node may be of different versions: restart the node.");
  }

  void gone() {
    if (state_ != State::kWorking) return end();
    // The operation ends by itself, and then this.
    cancel_.emit(asio::cancellation_type::terminal);
    is_gone_ = true;
  }

  void work(Request request) {
    state_ = State::kWorking;
    deadline_.cancel();
    stops_node_ = std::holds_alternative<request::Stop>(request);
    read();  // sees the client go
    auto done = [self = shared_from_this()](const std::exception_ptr& thrown,
                                            const Result<Json>& result) {
      self->answer(thrown ? explain(thrown) : result);
    };
    asio::co_spawn(socket_.get_executor(), call(std::move(request)),
                   asio::bind_cancellation_slot(cancel_.slot(), std::move(done)));
  }

  Service::Answer call(Request request) {
    auto report = [weak = weak_from_this()](const Json& state) {
      if (const auto self = weak.lock()) self->report(state);
    };
    return std::visit(
        base::Overloaded{
            [&](request::Publish& r) { return service_.publish(std::move(r), std::move(report)); },
            [&](request::Search& r) { return service_.search(std::move(r), std::move(report)); },
            [&](request::Get& r) { return service_.get(std::move(r), std::move(report)); },
            [&](request::DhtQuery& r) { return service_.dht_query(std::move(r)); },
            [&](request::DhtTable&) { return service_.dht_table(); },
            [&](request::PubsubLook& r) { return service_.pubsub_look(std::move(r)); },
            [&](request::PubsubSubscribe& r) {
              return service_.pubsub_subscribe(std::move(r), sender());
            },
            [&](request::PubsubPublish& r) { return service_.pubsub_publish(std::move(r)); },
            [&](request::Status&) { return service_.status(); },
            [&](request::Peers&) { return service_.peers(); },
            [&](request::Stop&) { return service_.stop(); },
        },
        request);
  }

  // The operation keeps the session alive.
  Service::Send sender() {
    return [this](Json state) { return send(std::move(state)); };
  }

  // Done when the client has taken what was sent before this: one frame is being written then, and
  // none waits.
  asio::awaitable<void> send(Json state) {
    report(state);
    while (progress_ && state_ == State::kWorking) {
      std::error_code woken;
      auto waiting = taken_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      co_await std::move(waiting);
    }
  }

  static Result<Json> explain(const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::system_error& error) {
      if (error.code() == asio::error::operation_aborted) {
        return fail(Exit::kInterrupted, "The node is stopping: it gave the operation up.",
                    "Start the node again and repeat the command.");
      }
      return fail(Exit::kFailed, fmt::format("The node failed: {}.", error.what()));
    } catch (const std::exception& error) {
      return fail(Exit::kFailed, fmt::format("The node failed: {}.", error.what()));
    } catch (...) {
      return fail(Exit::kFailed, "The node failed.");
    }
  }

  void report(const Json& state) {
    if (state_ != State::kWorking || is_gone_) return;
    progress_ = encode_progress(state);
    write();
  }

  void answer(const Result<Json>& result) {
    if (state_ == State::kEnded) return;
    if (is_gone_) return end();
    state_ = State::kAnswering;
    last_ = result ? encode_ok(*result) : encode_error(result.error());
    expire_in(limits_.answer_timeout);
    write();
  }

  // At most one frame is being written and two wait, however slowly the client reads.
  void write() {
    if (writing_) return;
    if (last_) {
      sending_ = *std::exchange(last_, {});
      progress_.reset();
      finishing_ = true;
    } else if (progress_) {
      sending_ = *std::exchange(progress_, {});
    } else {
      return;
    }
    writing_ = true;
    asio::async_write(socket_, asio::buffer(sending_.data(), sending_.size()),
                      [self = shared_from_this()](std::error_code error, std::size_t) {
                        self->on_written(error);
                      });
  }

  void on_written(std::error_code error) {
    writing_ = false;
    if (state_ == State::kEnded) return;
    if (error) return gone();
    if (finishing_) return end();
    write();
    taken_.cancel();
  }

  void expire_in(base::Duration time) {
    deadline_.expires_after(time);
    deadline_.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error) self->end();
    });
  }

  void end() {
    if (state_ == State::kEnded) return;
    state_ = State::kEnded;
    deadline_.cancel();
    std::error_code ignored;
    socket_.cancel(ignored);
    const auto server = server_.lock();
    if (server && stops_node_ && finishing_ && !writing_) {
      server->wait_for_end(std::move(socket_));
    } else {
      socket_.close(ignored);
    }
    if (server) server->ended(shared_from_this());
  }

  std::weak_ptr<Impl> server_;
  Service& service_;
  const ControlLimits limits_;
  Socket socket_;
  asio::steady_timer deadline_;
  asio::steady_timer taken_;  // never expires: cancelled when the client has taken a frame
  asio::cancellation_signal cancel_;
  State state_ = State::kReading;
  bool stops_node_ = false;
  bool is_gone_ = false;
  bool writing_ = false;
  bool finishing_ = false;  // the last frame is being written
  std::array<std::uint8_t, 4096> input_{};
  base::FrameDecoder decoder_{kMaxRequestFrame};
  std::optional<base::Buffer> progress_;
  std::optional<base::Buffer> last_;
  base::Buffer sending_;
};

Result<void> ControlServer::Impl::open(const std::filesystem::path& home) {
  const auto failed = [&](std::string_view what, const std::error_code& error) {
    return fail(
        Exit::kHome,
        fmt::format("The control socket in {} {}: {}.", home.string(), what, error.message()),
        "Choose a folder on a local file system with --home.");
  };
  auto path = ControlPath::in(home);
  if (!path) return std::unexpected(std::move(path.error()));

  struct stat info{};
  if (::lstat(path->text().c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) {
      return fail(Exit::kHome, fmt::format("{} is not a socket.", (home / "control.sock").string()),
                  "Move it away.");
    }
    ::unlink(path->text().c_str());
  }
  std::error_code error;
  acceptor_.open(stream_protocol{}, error);
  if (error) return failed("cannot be made", error);
  // The name gets the mode of the socket: nobody else can open it, not even for a moment.
  ::fchmod(acceptor_.native_handle(), 0600);
  acceptor_.bind(stream_protocol::endpoint{path->text()}, error);
  if (error) return failed("cannot be made", error);
  acceptor_.listen(stream_protocol::acceptor::max_listen_connections, error);
  if (error) return failed("cannot be listened on", error);
  path_ = *std::move(path);
  accept_next();
  return {};
}

void ControlServer::Impl::accept_next() {
  acceptor_.async_accept([self = shared_from_this()](std::error_code error, Socket socket) {
    if (self->closed_) return;
    if (!error) self->serve(std::move(socket));
    if (!error || error == asio::error::connection_aborted) return self->accept_next();
    self->retry_.expires_after(std::chrono::milliseconds{100});
    self->retry_.async_wait([self](std::error_code) {
      if (!self->closed_) self->accept_next();
    });
  });
}

void ControlServer::Impl::serve(Socket socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  const int asked = ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  if (closed_ || asked != 0 || peer.uid != ::geteuid()) return;
  if (sessions_.size() >= limits_.max_clients) {
    // A fresh socket has room for so little: it cannot block.
    const base::Buffer refusal = encode_error(
        {Exit::kFailed, "The node serves too many commands already.", "Try again in a moment."});
    std::error_code ignored;
    socket.write_some(asio::buffer(refusal.data(), refusal.size()), ignored);
    return;
  }
  const auto session =
      std::make_shared<Session>(weak_from_this(), service_, limits_, std::move(socket));
  sessions_.insert(session);
  session->start();
}

void ControlServer::Impl::close() {
  if (std::exchange(closed_, true)) return;
  std::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  if (path_) ::unlink(path_->text().c_str());
  for (const auto& session : std::set{sessions_}) session->cancel();
}

ControlServer::ControlServer(asio::any_io_executor executor, Service& service, ControlLimits limits)
    : impl_(std::make_shared<Impl>(std::move(executor), service, limits)) {}

ControlServer::~ControlServer() {
  impl_->close();
}

Result<void> ControlServer::open(const std::filesystem::path& home) {
  return impl_->open(home);
}

void ControlServer::serve(Socket socket) {
  impl_->serve(std::move(socket));
}

void ControlServer::close() {
  impl_->close();
}

std::size_t ControlServer::clients() const {
  return impl_->clients();
}

std::vector<ControlServer::Socket> ControlServer::take_waiting_for_end() {
  return impl_->take_waiting_for_end();
}

}  // namespace ggen::p2p::cli
