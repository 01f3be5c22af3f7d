#include <cstdlib>

#include <ggen/p2p/base/varint.hpp>

// What decodes encodes back to the same bytes, since only the shortest form decodes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ggen::p2p::base;
  const auto decoded = decode_varint({data, size});
  if (!decoded) return 0;
  Bytes encoded;
  append_varint(encoded, decoded->value);
  if (decoded->size > size || !equal(encoded, BytesView{data, decoded->size})) std::abort();
  return 0;
}
