// A request of a client of the control socket: what decodes encodes to a frame that decodes to the
// same.

#include <cstdlib>

#include <ggen/p2p/base/frame.hpp>

#include "control_protocol.hpp"

using namespace ggen::p2p;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::BytesView input{data, size};
  (void)cli::decode_response(input);
  const auto request = cli::decode_request(input);
  if (!request) {
    if (request.error().empty()) std::abort();
    return 0;
  }
  base::Buffer frame = cli::encode(*request);
  // Sixteen words of 4 KiB, all of them escaped, are the largest request there is.
  base::FrameDecoder decoder{1024 * 1024};
  const auto payload = decoder.take(frame);
  if (!payload || !*payload || !frame.empty()) std::abort();
  const auto again = cli::decode_request((*payload)->view());
  if (!again || *again != *request) std::abort();
  return 0;
}
