#include "protocols.hpp"

#include <array>
#include <vector>

#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <ggen/p2p/crypto/sha256.hpp>

namespace interop {
namespace {

using namespace ggen::p2p;
using asio::use_awaitable;

constexpr std::size_t kBlock = 64 * 1024;

asio::awaitable<void> echo(host::Stream stream) {
  std::vector<std::uint8_t> block(kBlock);
  for (;;) {
    std::error_code error;
    const std::size_t size = co_await stream.async_read_some(
        asio::buffer(block), asio::redirect_error(use_awaitable, error));
    if (error == asio::error::eof) break;
    if (error) co_return;
    co_await asio::async_write(stream, asio::buffer(block.data(), size), use_awaitable);
  }
  stream.finish();
}

asio::awaitable<void> answer_with_hash(host::Stream stream) {
  std::vector<std::uint8_t> block(kBlock);
  crypto::Sha256 hash;
  for (;;) {
    std::error_code error;
    const std::size_t size = co_await stream.async_read_some(
        asio::buffer(block), asio::redirect_error(use_awaitable, error));
    if (error == asio::error::eof) break;
    if (error) co_return;
    hash.update(base::BytesView{block}.first(size));
  }
  const crypto::Sha256Digest digest = hash.finish();
  co_await asio::async_write(stream, asio::buffer(digest), use_awaitable);
  stream.finish();
}

}  // namespace

void serve(host::Host& host) {
  host.handle(kEcho, echo);
  host.handle(kHalfClose, answer_with_hash);
}

}  // namespace interop
