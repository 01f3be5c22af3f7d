#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>

/// Our messages are msgpack maps whose keys are strings. MapBuilder writes them; Message reads what
/// a remote sent.
namespace ggen::p2p::reqresp {

enum class MessageError : std::uint8_t {
  kMalformed,      ///< not one complete msgpack value
  kTrailingBytes,  ///< something follows the map
  kNotAMap,        ///< another value than a map
  kBadKey,         ///< a key that is not a string, or that comes twice in one map
  kBadText,        ///< a string that is not UTF-8
  kTooDeep,        ///< nested deeper than the limit
  kTooManyValues,  ///< more values than the limit
};
[[nodiscard]] std::string_view to_string(MessageError error) noexcept;

/// Bounds on one message, beside its size in bytes.
struct MessageLimits {
  /// Maps and arrays within each other, the outermost counted.
  std::size_t max_depth = 8;
  /// Values of all kinds, keys included. Reading takes 24 bytes of memory each.
  std::size_t max_values = 16 * 1024;
};

namespace detail {

enum class Kind : std::uint8_t {
  kNil,
  kBool,
  kUnsigned,
  kNegative,
  kFloat,
  kText,
  kBinary,
  kExtension,
  kArray,
  kMap
};

// One value of a message. A container's children follow it; `end` is where the next sibling stands.
struct Node {
  Kind kind{};
  std::uint32_t end = 0;
  std::uint64_t number = 0;  // integers (two's complement), booleans, counts, lengths
  const std::uint8_t* bytes = nullptr;
};

}  // namespace detail

class Map;

/// One value. Borrowed: valid while its Message lives. A getter of another type than the value's
/// returns nothing.
class Value {
 public:
  [[nodiscard]] std::optional<bool> as_bool() const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> as_uint() const noexcept;
  [[nodiscard]] std::optional<std::int64_t> as_int() const noexcept;
  [[nodiscard]] std::optional<std::string_view> as_text() const noexcept;
  [[nodiscard]] std::optional<base::BytesView> as_binary() const noexcept;
  [[nodiscard]] std::optional<std::vector<Value>> as_array() const;
  [[nodiscard]] std::optional<Map> as_map() const noexcept;

 private:
  friend class Map;
  Value(const detail::Node* nodes, std::uint32_t index) noexcept : nodes_(nodes), index_(index) {}
  [[nodiscard]] const detail::Node& node() const noexcept { return nodes_[index_]; }

  const detail::Node* nodes_;
  std::uint32_t index_;
};

/// A map. Borrowed: valid while its Message lives. Keys that nobody asks for are ignored, so that
/// later versions may add some.
class Map {
 public:
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] bool contains(std::string_view key) const noexcept { return find(key).has_value(); }
  [[nodiscard]] std::optional<Value> find(std::string_view key) const noexcept;

  // Nothing when the key is absent or its value is of another type.
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> uint(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<std::string_view> text(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<base::BytesView> binary(std::string_view key) const noexcept;
  [[nodiscard]] std::optional<std::vector<Value>> array(std::string_view key) const;
  /// Nothing also when one element is not a string.
  [[nodiscard]] std::optional<std::vector<std::string_view>> texts(std::string_view key) const;
  [[nodiscard]] std::optional<Map> map(std::string_view key) const noexcept;

  struct Entry {
    std::string_view key;
    Value value;
  };
  /// All entries in the order of the message.
  [[nodiscard]] std::vector<Entry> entries() const;

 private:
  friend class Value;
  friend class Message;
  Map(const detail::Node* nodes, std::uint32_t index) noexcept : nodes_(nodes), index_(index) {}

  const detail::Node* nodes_;
  std::uint32_t index_;
};

/// A received map, validated as a whole before anything is read from it. Owns its bytes. Moving it
/// keeps borrowed values valid.
class Message {
 public:
  /// Memory is bounded by `limits` and by the bytes, never by a count that they announce.
  [[nodiscard]] static std::expected<Message, MessageError> parse(base::Buffer bytes,
                                                                  const MessageLimits& limits = {});

  Message(Message&&) noexcept = default;
  Message& operator=(Message&&) noexcept = default;

  [[nodiscard]] Map map() const noexcept { return {nodes_.data(), 0}; }
  /// The message as received.
  [[nodiscard]] base::BytesView bytes() const noexcept { return bytes_.view(); }

 private:
  Message(base::Buffer bytes, std::vector<detail::Node> nodes) noexcept
      : bytes_(std::move(bytes)), nodes_(std::move(nodes)) {}

  base::Buffer bytes_;
  std::vector<detail::Node> nodes_;
};

class MapBuilder;

/// Writes an array.
class ArrayBuilder {
 public:
  ArrayBuilder& boolean(bool value);
  ArrayBuilder& uint(std::uint64_t value);
  ArrayBuilder& integer(std::int64_t value);
  ArrayBuilder& text(std::string_view value);
  ArrayBuilder& binary(base::BytesView value);
  ArrayBuilder& map(const MapBuilder& value);

 private:
  friend class MapBuilder;
  base::Bytes elements_;
  std::uint32_t count_ = 0;
};

/// Writes a map, entries in the order of the calls: the same calls give the same bytes, integers in
/// their shortest form. Keys must differ; texts must be UTF-8.
class MapBuilder {
 public:
  MapBuilder& boolean(std::string_view key, bool value);
  MapBuilder& uint(std::string_view key, std::uint64_t value);
  MapBuilder& integer(std::string_view key, std::int64_t value);
  MapBuilder& text(std::string_view key, std::string_view value);
  MapBuilder& binary(std::string_view key, base::BytesView value);
  MapBuilder& texts(std::string_view key, std::span<const std::string> values);
  MapBuilder& array(std::string_view key, const ArrayBuilder& value);
  MapBuilder& map(std::string_view key, const MapBuilder& value);

  [[nodiscard]] base::Bytes encode() const;

 private:
  void key(std::string_view key);

  base::Bytes entries_;
  std::uint32_t count_ = 0;
};

}  // namespace ggen::p2p::reqresp
