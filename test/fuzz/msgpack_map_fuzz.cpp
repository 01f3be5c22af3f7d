// Our messages: whatever is accepted lies within the bytes and the limits, can be walked as a
// whole, and is no longer accepted when it is cut or followed by something.

#include <cstdlib>

#include <ggen/p2p/reqresp/message.hpp>

using namespace ggen::p2p;
using reqresp::Map;
using reqresp::Message;
using reqresp::Value;

namespace {

constexpr reqresp::MessageLimits kLimits{.max_depth = 5, .max_values = 200};

void require(bool holds) {
  if (!holds) std::abort();
}

// Counts what it finds, and looks at every byte of it.
struct Walk {
  base::BytesView message;
  std::size_t values = 0;
  std::size_t bytes = 0;

  void bytes_within(base::BytesView part) {
    if (part.empty()) return;
    require(part.data() >= message.data());
    require(part.data() + part.size() <= message.data() + message.size());
    bytes += part.size();
  }
  void map(const Map& map, std::size_t depth) {
    require(depth <= kLimits.max_depth);
    const auto entries = map.entries();
    require(entries.size() == map.size());
    for (const Map::Entry& entry : entries) {
      ++values;
      bytes_within(base::as_bytes(entry.key));
      require(map.contains(entry.key));
      value(entry.value, depth);
    }
  }
  void value(const Value& value, std::size_t depth) {
    ++values;
    int types = 0;
    if (value.as_bool()) ++types;
    if (value.as_uint() || value.as_int()) ++types;
    if (const auto text = value.as_text()) {
      ++types;
      bytes_within(base::as_bytes(*text));
    }
    if (const auto binary = value.as_binary()) {
      ++types;
      bytes_within(*binary);
    }
    if (const auto array = value.as_array()) {
      ++types;
      require(depth + 1 <= kLimits.max_depth);
      for (const Value& element : *array) this->value(element, depth + 1);
    }
    if (const auto inner = value.as_map()) {
      ++types;
      map(*inner, depth + 1);
    }
    require(types <= 1);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::BytesView input{data, size};
  const auto message = Message::parse(base::Buffer::copy_of(input), kLimits);
  if (!message) return 0;
  Walk walk{message->bytes()};
  walk.values = 1;
  walk.map(message->map(), 1);
  require(walk.values <= kLimits.max_values);
  require(walk.bytes + walk.values <= size);

  base::Bytes longer = base::to_bytes(input);
  longer.push_back(0xc0);
  const auto followed = Message::parse(base::Buffer::copy_of(longer), kLimits);
  require(!followed && followed.error() == reqresp::MessageError::kTrailingBytes);
  require(!Message::parse(base::Buffer::copy_of(input.first(size - 1)), kLimits));
  return 0;
}
