#include "control_client.hpp"

#include <array>
#include <csignal>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include <ggen/p2p/base/frame.hpp>

#include "control_path.hpp"
#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using asio::local::stream_protocol;

/// One request on its way. The loop ends when it is done.
class Call {
 public:
  Call(asio::io_context& loop, const Request& request, std::function<void(const Json&)> on_progress)
      : loop_(loop),
        socket_(loop),
        signals_(loop, SIGINT, SIGTERM),
        timer_(loop),
        until_end_(std::holds_alternative<request::Stop>(request)),
        until_interrupted_(std::holds_alternative<request::PubsubSubscribe>(request)),
        on_progress_(std::move(on_progress)) {}

  Result<Json> run(const std::string& path, const std::filesystem::path& home,
                   const Request& request, std::optional<base::Duration> patience) {
    std::error_code error;
    socket_.connect(stream_protocol::endpoint{path}, error);
    if (error) return cannot_connect(home, error);

    signals_.async_wait([this](std::error_code failed, int) {
      if (failed) return;
      if (until_interrupted_) return done(Json::object());
      done(fail(Exit::kInterrupted, "Interrupted: the node was told to give it up."));
    });
    if (patience) {
      timer_.expires_after(*patience);
      timer_.async_wait([this, time = *patience](std::error_code failed) {
        if (!failed) {
          done(fail(Exit::kTimeout,
                    fmt::format("The node has not answered within {}.", format_duration(time)),
                    "It may be busy: try again, or look into node.log in its home."));
        }
      });
    }
    const base::Buffer frame = encode(request);
    asio::async_write(socket_, asio::buffer(frame.data(), frame.size()),
                      [this](std::error_code failed, std::size_t) {
                        if (failed) done(gone());
                      });
    read();
    loop_.run();
    return std::move(*result_);
  }

 private:
  static Result<Json> cannot_connect(const std::filesystem::path& home, std::error_code error) {
    if (error == std::errc::permission_denied || error == asio::error::access_denied) {
      return fail(Exit::kHome,
                  fmt::format("The node in {} belongs to another user.", home.string()),
                  "Run ggen-p2p as that user, or choose another home with --home.");
    }
    return std::unexpected(no_node(home));
  }

  static Result<Json> gone() {
    return fail(Exit::kNodeGone, "The node went away before it had answered.",
                "Look into node.log in its home for the reason, and start it again.");
  }

  void read() {
    socket_.async_read_some(asio::buffer(input_), [this](std::error_code error, std::size_t size) {
      if (error == asio::error::operation_aborted) return;
      if (error) return done(last_word_ ? std::move(*last_word_) : gone());
      take(base::Buffer::copy_of(base::BytesView{input_}.first(size)));
    });
  }

  void take(base::Buffer data) {
    while (!data.empty() && !last_word_) {
      auto frame = decoder_.take(data);
      if (!frame) return done(fail(Exit::kFailed, "The node's answer makes no sense."));
      if (!*frame) break;
      auto response = decode_response((*frame)->view());
      if (!response) {
        return done(fail(Exit::kFailed, std::move(response.error()),
                         "The program and the running node may be of different versions: restart "
                         "the node."));
      }
      if (const auto* progress = std::get_if<Progress>(&*response)) {
        if (on_progress_) on_progress_(progress->state);
      } else {
        last_word_ = std::get<Result<Json>>(std::move(*response));
      }
    }
    // A node that stops closes the connection when nothing of it is left.
    if (last_word_ && !(until_end_ && *last_word_)) return done(std::move(*last_word_));
    read();
  }

  void done(Result<Json> result) {
    if (!result_) result_ = std::move(result);
    loop_.stop();
  }

  asio::io_context& loop_;
  stream_protocol::socket socket_;
  asio::signal_set signals_;
  asio::steady_timer timer_;
  bool until_end_;
  bool until_interrupted_;
  std::function<void(const Json&)> on_progress_;
  base::FrameDecoder decoder_{kMaxResponseFrame};
  std::array<std::uint8_t, 64 * 1024> input_{};
  std::optional<Result<Json>> last_word_;
  std::optional<Result<Json>> result_;
};

}  // namespace

Result<Json> call_node(const std::filesystem::path& home, const Request& request,
                       std::function<void(const Json&)> on_progress,
                       std::optional<base::Duration> patience) {
  const auto path = ControlPath::in(home);
  if (!path) return std::unexpected(path.error());
  asio::io_context loop{1};
  Call call{loop, request, std::move(on_progress)};
  return call.run(path->text(), home, request, patience);
}

}  // namespace ggen::p2p::cli
