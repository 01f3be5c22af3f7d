#include "commands.hpp"

#include <map>
#include <stdexcept>
#include <utility>

#include <asio/post.hpp>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

#include "../../command_loop.hpp"

namespace interop {

using namespace ggen::p2p;
using asio::awaitable;

namespace {

std::runtime_error failure(std::string_view reason) {
  return std::runtime_error(std::string{reason});
}

void tell(const gossipsub::Message& message) {
  emit("message", Json{}
                      .text("topic", message.topic)
                      .text("author", message.author ? message.author->to_string() : "")
                      .number("size", static_cast<double>(message.data.size()))
                      .text("sha256", base::to_hex(crypto::sha256(message.data.view()))));
}

void tell(const swarm::ConnectionRecord& connection) {
  emit("connected",
       Json{}
           .text("peer", connection.peer->to_string())
           .flag("outbound", connection.direction == connection::Direction::kOutbound));
}

}  // namespace

Commands::Commands(asio::io_context& loop, host::Host& host)
    : loop_(loop), host_(host), watch_(host) {
  host_.observe([this](const node::Output& output) { observe(output); });
  watch_.start(loop);
}

void Commands::observe(const node::Output& output) {
  if (const auto* asked = std::get_if<gossipsub::Validate>(&output)) {
    // An observer must not call the host, so the verdicts come right after it.
    if (waiting_.empty()) asio::post(loop_, [this] { accept_all(); });
    waiting_.push_back(asked->token);
  } else if (const auto* delivered = std::get_if<gossipsub::Delivered>(&output)) {
    tell(delivered->message);
  } else if (const auto* of_swarm = std::get_if<swarm::Output>(&output)) {
    if (const auto* opened = std::get_if<swarm::event::ConnectionOpened>(of_swarm)) {
      tell(opened->record);
    }
  }
}

void Commands::accept_all() {
  const auto tokens = std::exchange(waiting_, {});
  host_.drive([&](node::Node& node, base::Instant now) {
    for (const auto token : tokens) {
      node.gossipsub(now).report(token, gossipsub::Verdict::kAccept, now);
    }
  });
}

awaitable<Json> Commands::connect(Words words) {
  return interop::connect(host_, words[0]);
}

awaitable<Json> Commands::subscribe(Words words) {
  bool joined = false;
  host_.drive([&](node::Node& node, base::Instant now) {
    joined = node.gossipsub(now).subscribe(words[0], now);
  });
  if (!joined) throw failure("the topic's name is too long");
  co_return Json{};
}

awaitable<Json> Commands::unsubscribe(Words words) {
  host_.drive(
      [&](node::Node& node, base::Instant now) { node.gossipsub(now).unsubscribe(words[0], now); });
  watch_.look();  // before the topic is joined again
  co_return Json{};
}

awaitable<Json> Commands::publish(Words words) {
  const auto data = base::from_hex(words[1]);
  if (!data) throw failure("not hexadecimal");
  std::string problem;
  host_.drive([&](node::Node& node, base::Instant now) {
    const auto published = node.gossipsub(now).publish(words[0], *data, now);
    if (!published) problem = to_string(published.error());
  });
  if (!problem.empty()) throw failure(problem);
  co_return Json{};
}

awaitable<Json> Commands::counts(Words) {
  const gossipsub::Stats stats = host_.node().gossipsub()->stats();
  co_return Json{}.number("idontwant", static_cast<double>(stats.idontwant));
}

awaitable<Json> Commands::run(std::vector<std::string> words) {
  struct Command {
    std::size_t words;  // behind the command's name
    awaitable<Json> (Commands::*run)(Words);
  };
  static const std::map<std::string, Command> kCommands{
      {"connect", {1, &Commands::connect}},         {"subscribe", {1, &Commands::subscribe}},
      {"unsubscribe", {1, &Commands::unsubscribe}}, {"publish", {2, &Commands::publish}},
      {"counts", {0, &Commands::counts}},
  };
  if (words.empty()) throw failure("an empty line is no command");
  const auto found = kCommands.find(words.front());
  words.erase(words.begin());
  if (found == kCommands.end() || found->second.words != words.size()) {
    throw failure("unknown command, or another number of words than it takes");
  }
  co_return co_await (this->*found->second.run)(words);
}

}  // namespace interop
