#pragma once

#include <cstddef>
#include <span>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/gossipsub/message.hpp>

namespace ggen::p2p::gossipsub {

/// Calls use(part) with parts of `ids` whose encodings take at most `max_bytes` each, unless a
/// single id takes more.
template <class Use>
void for_each_chunk(std::span<const MessageId> ids, std::size_t max_bytes, Use&& use) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const MessageId& id : ids) {
    const std::size_t size = 1 + base::varint_size(id.size()) + id.size();
    if (count > 0 && bytes + size > max_bytes) {
      use(ids.first(count));
      ids = ids.subspan(count);
      count = 0;
      bytes = 0;
    }
    ++count;
    bytes += size;
  }
  if (count > 0) use(ids);
}

}  // namespace ggen::p2p::gossipsub
