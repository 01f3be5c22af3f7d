// What no stack on this TCP can pass: seal a frame, send it, receive it, open it, and nothing else.
// README.md defines the command line and the output.

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/aead.hpp>

#include "measure.hpp"
#include "parent.hpp"

namespace bench {
namespace {

using ggen::p2p::crypto::ChaChaPoly;

// As ours: a plaintext that fills whole strides of the cipher, and both lengths of its frame.
constexpr std::size_t kPlaintext = 65'408;
constexpr std::size_t kSealed = kPlaintext + ChaChaPoly::kTagSize;
constexpr std::size_t kFrame = 2 + kSealed;
constexpr std::array<std::uint8_t, 32> kKey{1};

void check(bool good, const char* what) {
  if (good) return;
  fmt::print(stderr, "compare-ceiling: {}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

void send_all(int socket, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(socket, bytes, size, MSG_NOSIGNAL);
    check(sent > 0, "send");
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

bool receive_all(int socket, void* data, std::size_t size) {
  const ssize_t got = ::recv(socket, data, size, MSG_WAITALL);
  return got == static_cast<ssize_t>(size);
}

void send_frames(int socket, std::uint64_t count) {
  ChaChaPoly cipher{kKey};
  std::vector<std::uint8_t> frame(kFrame);
  frame[0] = kSealed >> 8;
  frame[1] = kSealed & 0xff;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::span body = std::span{frame}.subspan(2);
    cipher.seal(i, {}, body.first(kPlaintext), body);
    send_all(socket, frame.data(), frame.size());
  }
}

void receive_frames(int socket, std::uint64_t count) {
  ChaChaPoly cipher{kKey};
  std::vector<std::uint8_t> frame(kFrame);
  for (std::uint64_t i = 0; i < count; ++i) {
    check(receive_all(socket, frame.data(), frame.size()), "receive");
    const std::span body = std::span{frame}.subspan(2);
    check(cipher.open(i, {}, body, body.first(kPlaintext)), "open");
  }
}

// What the client asks for, in its own byte order: both ends are one program on one machine.
struct Request {
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

void serve_connection(int socket) {
  for (Request request; receive_all(socket, &request, sizeof(request));) {
    receive_frames(socket, request.up);
    send_frames(socket, request.down);
    send_all(socket, "", 1);
  }
  ::close(socket);
}

int serve() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  check(::bind(listener, generic, size) == 0 && ::listen(listener, 1) == 0, "listen");
  check(::getsockname(listener, generic, &size) == 0, "getsockname");
  fmt::print("{}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  check(socket >= 0, "accept");
  serve_connection(socket);
  wait_for_line();
  return 0;
}

double transfer(int socket, Request request) {
  const auto start = Clock::now();
  send_all(socket, &request, sizeof(request));
  send_frames(socket, request.up);
  receive_frames(socket, request.down);
  char end = 0;
  check(receive_all(socket, &end, 1), "receive");
  return seconds_since(start);
}

int dial(std::uint64_t port, Request request) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  check(::connect(socket, generic, sizeof(address)) == 0, "connect");
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  transfer(socket, {request.up / 10, request.down / 10});
  wait_for_start();
  tell_result(seconds_json(transfer(socket, request)));
  ::close(socket);
  return 0;
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 1 && words[0] == "serve") return serve();
  if (words.size() != 4) return usage("compare-ceiling");
  const auto numbers = parse_numbers({words.begin() + 1, words.end()});
  if (numbers.size() != 3 || numbers[1] != 1) return usage("compare-ceiling");
  const std::uint64_t frames = (numbers[2] + kPlaintext - 1) / kPlaintext;
  if (words[0] == "upload") return dial(numbers[0], {frames, 0});
  if (words[0] == "download") return dial(numbers[0], {0, frames});
  return usage("compare-ceiling");
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::run({argv + 1, argv + argc});
}
