#include <thread>

#include <doctest/doctest.h>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/base/prng.hpp>

using namespace ggen::p2p::base;

TEST_CASE("buffer: slices share the block and keep it alive") {
  Buffer whole = Buffer::copy_of(as_bytes("hello world"));
  CHECK(whole.unique());
  Buffer word = whole.slice(6, 5);
  CHECK_FALSE(whole.unique());
  CHECK(word.spare() == 0);
  whole = Buffer{};
  CHECK(word.unique());
  CHECK(as_text(word.view()) == "world");
  word.remove_prefix(1);
  word.truncate(3);
  CHECK(as_text(word.view()) == "orl");
}

TEST_CASE("buffer: appends in place only while nobody shares the block") {
  Buffer buffer = Buffer::copy_of(as_bytes("ab"));
  REQUIRE(buffer.spare() > 0);
  CHECK(buffer.append_in_place(as_bytes("cd")) == 2);
  CHECK(as_text(buffer.view()) == "abcd");
  const Buffer shared = buffer;
  CHECK(buffer.append_in_place(as_bytes("e")) == 0);
}

TEST_CASE("buffer: blocks that are held are counted, however many share them") {
  const std::int64_t before = Buffer::live_blocks();
  {
    const Buffer pooled = Buffer::allocate(1000);
    const Buffer large = Buffer::allocate(1'000'000);
    const Buffer slice = pooled.slice(1, 10);
    CHECK(Buffer::live_blocks() == before + 2);
  }
  CHECK(Buffer::live_blocks() == before);
}

TEST_CASE("buffer: a released block is used again") {
  Buffer first = Buffer::allocate(60'000);
  const std::uint8_t* address = first.data();
  first = Buffer{};
  const Buffer second = Buffer::allocate(50'000);
  CHECK(second.data() == address);
}

TEST_CASE("buffer: may be released on another thread") {
  Buffer buffer = Buffer::copy_of(as_bytes("job"));
  std::thread([job = std::move(buffer)] { CHECK(as_text(job.view()) == "job"); }).join();
  CHECK(buffer.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the point
}

TEST_CASE("byte queue: what goes in comes out, however it is cut") {
  Prng prng{11};
  ByteQueue queue;
  Bytes in;
  Bytes out;
  for (int round = 0; round < 2000; ++round) {
    Bytes piece(prng.below(round % 10 == 0 ? 20'000 : 50));
    prng.fill(piece);
    append(in, piece);
    if (prng.chance(0.5)) {
      queue.push(Buffer::copy_of(piece));
    } else {
      queue.push_copy(piece);
    }
    if (prng.chance(0.3)) {
      append(out, queue.take(prng.below(5000) + 1).view());
    } else {
      Bytes read(prng.below(300));
      read.resize(queue.read(read));
      append(out, read);
    }
    CHECK(in.size() - out.size() == queue.size());
  }
  while (!queue.empty()) append(out, queue.take().view());
  CHECK(in == out);
}

TEST_CASE("byte queue: one-byte slices of large blocks do not pin the blocks") {
  ByteQueue queue;
  for (int i = 0; i < 1000; ++i) {
    const Buffer message = Buffer::allocate(65'000);
    queue.push(message.slice(100, 1));
    CHECK(message.unique());
  }
  CHECK(queue.size() == 1000);
}
