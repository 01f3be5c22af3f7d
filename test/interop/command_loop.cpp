#include "command_loop.hpp"

#include <cstdio>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace interop {

using namespace ggen::p2p;
using asio::awaitable;
using multiformats::Multiaddr;

namespace {

constexpr std::size_t kMaxLine = 1 << 20;

awaitable<void> listen(host::Host& host, Json about) {
  const auto bound = co_await host.listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
  if (!bound) throw std::runtime_error(bound.error().message);
  std::vector<std::string> addresses;
  for (const Multiaddr& address : host.addresses()) addresses.push_back(address.to_string());
  about.text("peer", host.id().to_string()).texts("addresses", addresses);
  emit("listening", std::move(about));
}

awaitable<void> answer(const RunCommand& run, const std::string& line) {
  std::istringstream input{line};
  std::vector<std::string> words;
  for (std::string word; input >> word;) words.push_back(std::move(word));
  Json reply;
  try {
    reply = co_await run(std::move(words));
    reply.flag("ok", true);
  } catch (const std::exception& error) {
    reply = Json{}.flag("ok", false).text("reason", error.what());
  }
  emit("reply", reply);
}

awaitable<void> answer_all(host::Host& host, Json about, RunCommand run) {
  co_await listen(host, std::move(about));
  asio::posix::stream_descriptor input{co_await asio::this_coro::executor, ::dup(STDIN_FILENO)};
  std::string buffer;
  for (;;) {
    std::error_code error;
    const std::size_t size =
        co_await asio::async_read_until(input, asio::dynamic_buffer(buffer, kMaxLine), '\n',
                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    const std::string line = buffer.substr(0, size);
    buffer.erase(0, size);
    co_await answer(run, line);
  }
  host.observe({});
  co_await host.stop();
}

}  // namespace

int answer_commands(std::string_view program, asio::io_context& loop, host::Host& host, Json about,
                    RunCommand run) {
  int code = 0;
  asio::co_spawn(loop, answer_all(host, std::move(about), std::move(run)),
                 [&](std::exception_ptr error) {
                   try {
                     if (error) std::rethrow_exception(error);
                   } catch (const std::exception& problem) {
                     fmt::print(stderr, "{}: {}\n", program, problem.what());
                     code = 1;
                   }
                   loop.stop();  // a timer that still runs must not keep the program
                 });
  loop.run();
  return code;
}

awaitable<Json> connect(host::Host& host, const std::string& text) {
  const auto address = Multiaddr::parse(text);
  if (!address) throw std::runtime_error(std::string{address.error().message()});
  const auto connected = co_await host.connect(*address);
  if (!connected) throw std::runtime_error(connected.error().message);
  co_return Json{};
}

}  // namespace interop
