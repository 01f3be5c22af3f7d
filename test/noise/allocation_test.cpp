// Replaces the allocators of its whole process, which is why it is a program of its own.
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include <doctest/doctest.h>
#include <openssl/crypto.h>

#include "support.hpp"

namespace {

std::atomic<std::size_t> allocations = 0;
std::atomic<std::size_t> allocated_bytes = 0;

void* allocate(std::size_t size) {
  ++allocations;
  allocated_bytes += size;
  return std::malloc(size);
}

// OpenSSL takes other allocators only before it has used its own.
const bool counts_openssl =
    CRYPTO_set_mem_functions([](std::size_t size, const char*, int) { return allocate(size); },
                             [](void* old, std::size_t size, const char*, int) {
                               ++allocations;
                               return std::realloc(old, size);
                             },
                             [](void* old, const char*, int) { std::free(old); }) == 1;

}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

using namespace ggen::p2p;
using namespace ggen::p2p::noise;
using test::cipher;

TEST_CASE("frames: sealing and opening allocate nothing once warm") {
  REQUIRE(counts_openssl);
  Sender sender{cipher()};
  Receiver receiver{cipher()};
  base::Bytes frame(kMaxPlaintext + kOverhead);
  std::size_t opened = 0;
  const auto pass = [&](std::size_t plaintext, std::size_t piece) {
    const std::size_t size = sender.seal(frame, plaintext).value();
    base::BytesView rest = base::BytesView{frame}.first(size);
    while (!rest.empty()) {
      base::BytesView input = rest.first(std::min(piece, rest.size()));
      rest = rest.subspan(input.size());
      while (const auto message = receiver.next(input).value()) opened += message->size();
    }
  };
  const auto pass_all = [&] {
    for (const std::size_t plaintext :
         {std::size_t{1}, std::size_t{1000}, std::size_t{0}, kBestPlaintext, kMaxPlaintext}) {
      for (const std::size_t piece : {SIZE_MAX, std::size_t{7000}, std::size_t{100}}) {
        pass(plaintext, piece);
      }
    }
  };
  pass_all();
  const std::size_t before = allocations;
  for (int i = 0; i < 20; ++i) pass_all();
  CHECK(allocations - before == 0);
  CHECK(opened == 21 * 3 * (1 + 1000 + kBestPlaintext + kMaxPlaintext));
}

TEST_CASE("frames: an announced length costs nothing before its bytes have come") {
  // A thread of its own has a pool that is still empty.
  std::size_t of_header = 0;
  std::size_t of_some = 0;
  std::size_t at_rest = 0;
  std::thread([&] {
    Receiver receiver{cipher()};
    Sender sender{cipher()};
    const std::size_t start = allocated_bytes;
    base::BytesView none;
    CHECK_FALSE(receiver.next(none).value());
    at_rest = allocated_bytes - start;
    const base::Bytes header = {0xff, 0xff};
    base::BytesView input = header;
    CHECK_FALSE(receiver.next(input).value());
    of_header = allocated_bytes - start;
    const base::Bytes some(1000, 1);
    input = some;
    CHECK_FALSE(receiver.next(input).value());
    of_some = allocated_bytes - start;
  }).join();
  CHECK(at_rest == 0);
  CHECK(of_header <= 300);
  CHECK(of_some <= 300 + 1000 + 4 * 1002);
}

TEST_CASE("connection at rest: what two directions take") {
  const std::size_t before = allocated_bytes;
  const Sender sender{cipher()};
  const Receiver receiver{cipher()};
  CHECK(allocated_bytes - before + sizeof(sender) + sizeof(receiver) <= 2560);
}
