#include <algorithm>

#include <msgpack.hpp>

#include <ggen/p2p/reqresp/message.hpp>

namespace ggen::p2p::reqresp {

using detail::Kind;
using detail::Node;

namespace {

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i++]);
    if (lead < 0x80) continue;
    const std::size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc0 || lead > 0xf7 || text.size() - i < more) return false;
    std::uint32_t point = lead & (0x3fU >> more);
    for (const std::size_t end = i + more; i < end; ++i) {
      const auto byte = static_cast<std::uint8_t>(text[i]);
      if ((byte & 0xc0) != 0x80) return false;
      point = point << 6 | (byte & 0x3fU);
    }
    constexpr std::uint32_t kSmallest[] = {0x80, 0x800, 0x10000};
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < kSmallest[more - 1] || point > 0x10ffff || surrogate) return false;
  }
  return true;
}

// Turns the parser's callbacks into the flat list of nodes. It grows by what is there, never by a
// count that a header announces; returning false ends the parser.
class Reader : public msgpack::null_visitor {
 public:
  explicit Reader(const MessageLimits& limits) : limits_(limits) {}

  [[nodiscard]] std::optional<MessageError> error() const noexcept { return error_; }
  [[nodiscard]] std::vector<Node> take_nodes() noexcept { return std::move(nodes_); }

  bool visit_nil() { return add(Kind::kNil, 0); }
  bool visit_boolean(bool value) { return add(Kind::kBool, value ? 1 : 0); }
  bool visit_positive_integer(std::uint64_t value) { return add(Kind::kUnsigned, value); }
  bool visit_negative_integer(std::int64_t value) {
    // The parser also comes here for a number that is not negative but sent as a signed one.
    return add(value < 0 ? Kind::kNegative : Kind::kUnsigned, static_cast<std::uint64_t>(value));
  }
  bool visit_float32(float) { return add(Kind::kFloat, 0); }
  bool visit_float64(double) { return add(Kind::kFloat, 0); }
  bool visit_str(const char* data, std::uint32_t size) {
    if (!is_utf8({data, size})) return fail(MessageError::kBadText);
    return add(Kind::kText, size, data);
  }
  bool visit_bin(const char* data, std::uint32_t size) { return add(Kind::kBinary, size, data); }
  bool visit_ext(const char* data, std::uint32_t size) { return add(Kind::kExtension, size, data); }

  bool start_array(std::uint32_t count) { return open(Kind::kArray, count); }
  bool start_map(std::uint32_t count) { return open(Kind::kMap, count); }
  bool start_map_key() {
    key_comes_ = true;
    return true;
  }
  bool end_array() {
    close();
    return true;
  }
  bool end_map() {
    const bool distinct = keys_differ(open_.back());
    close();
    return distinct || fail(MessageError::kBadKey);
  }

 private:
  bool fail(MessageError error) {
    error_ = error;
    return false;
  }
  bool add(Kind kind, std::uint64_t number, const char* bytes = nullptr) {
    if (std::exchange(key_comes_, false) && kind != Kind::kText) return fail(MessageError::kBadKey);
    if (nodes_.size() >= limits_.max_values) return fail(MessageError::kTooManyValues);
    nodes_.push_back({kind, static_cast<std::uint32_t>(nodes_.size() + 1), number,
                      reinterpret_cast<const std::uint8_t*>(bytes)});
    return true;
  }
  bool open(Kind kind, std::uint32_t count) {
    if (open_.size() >= limits_.max_depth) return fail(MessageError::kTooDeep);
    if (!add(kind, count)) return false;
    open_.push_back(static_cast<std::uint32_t>(nodes_.size() - 1));
    return true;
  }
  void close() {
    nodes_[open_.back()].end = static_cast<std::uint32_t>(nodes_.size());
    open_.pop_back();
  }
  bool keys_differ(std::uint32_t map) {
    keys_.clear();
    for (std::size_t at = map + 1; at < nodes_.size(); at = nodes_[at + 1].end) {
      const Node& key = nodes_[at];
      keys_.push_back(base::as_text({key.bytes, static_cast<std::size_t>(key.number)}));
    }
    std::ranges::sort(keys_);
    return std::ranges::adjacent_find(keys_) == keys_.end();
  }

  const MessageLimits& limits_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> open_;
  std::vector<std::string_view> keys_;
  std::optional<MessageError> error_;
  bool key_comes_ = false;
};

}  // namespace

std::string_view to_string(MessageError error) noexcept {
  switch (error) {
    case MessageError::kMalformed:
      return "not a complete msgpack value";
    case MessageError::kTrailingBytes:
      return "bytes follow the msgpack map";
    case MessageError::kNotAMap:
      return "not a msgpack map";
    case MessageError::kBadKey:
      return "a key is not a string, or comes twice";
    case MessageError::kBadText:
      return "a string is not UTF-8";
    case MessageError::kTooDeep:
      return "nested too deep";
    case MessageError::kTooManyValues:
      return "too many values";
  }
  return "unknown message error";
}

std::expected<Message, MessageError> Message::parse(base::Buffer bytes,
                                                    const MessageLimits& limits) {
  Reader reader{limits};
  const std::string_view text = base::as_text(bytes.view());
  std::size_t end = 0;
  bool complete = false;
  try {
    complete = msgpack::parse(text.data(), text.size(), end, reader);
  } catch (const msgpack::unpack_error&) {
    return std::unexpected(MessageError::kMalformed);
  }
  if (!complete) return std::unexpected(reader.error().value_or(MessageError::kMalformed));
  if (end != text.size()) return std::unexpected(MessageError::kTrailingBytes);
  std::vector<Node> nodes = reader.take_nodes();
  if (nodes.front().kind != Kind::kMap) return std::unexpected(MessageError::kNotAMap);
  return Message{std::move(bytes), std::move(nodes)};
}

// Values.

std::optional<bool> Value::as_bool() const noexcept {
  if (node().kind != Kind::kBool) return std::nullopt;
  return node().number != 0;
}

std::optional<std::uint64_t> Value::as_uint() const noexcept {
  if (node().kind != Kind::kUnsigned) return std::nullopt;
  return node().number;
}

std::optional<std::int64_t> Value::as_int() const noexcept {
  const bool fits = node().kind == Kind::kNegative ||
                    (node().kind == Kind::kUnsigned && node().number <= INT64_MAX);
  if (!fits) return std::nullopt;
  return static_cast<std::int64_t>(node().number);
}

std::optional<std::string_view> Value::as_text() const noexcept {
  if (node().kind != Kind::kText) return std::nullopt;
  return base::as_text({node().bytes, static_cast<std::size_t>(node().number)});
}

std::optional<base::BytesView> Value::as_binary() const noexcept {
  if (node().kind != Kind::kBinary) return std::nullopt;
  return base::BytesView{node().bytes, static_cast<std::size_t>(node().number)};
}

std::optional<std::vector<Value>> Value::as_array() const {
  if (node().kind != Kind::kArray) return std::nullopt;
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(node().number));
  for (std::uint32_t at = index_ + 1; at < node().end; at = nodes_[at].end) {
    values.push_back(Value{nodes_, at});
  }
  return values;
}

std::optional<Map> Value::as_map() const noexcept {
  if (node().kind != Kind::kMap) return std::nullopt;
  return Map{nodes_, index_};
}

// Maps.

std::size_t Map::size() const noexcept {
  return static_cast<std::size_t>(nodes_[index_].number);
}

std::vector<Map::Entry> Map::entries() const {
  std::vector<Entry> entries;
  entries.reserve(size());
  for (std::uint32_t at = index_ + 1; at < nodes_[index_].end; at = nodes_[at + 1].end) {
    entries.push_back({*Value{nodes_, at}.as_text(), Value{nodes_, at + 1}});
  }
  return entries;
}

std::optional<Value> Map::find(std::string_view key) const noexcept {
  for (std::uint32_t at = index_ + 1; at < nodes_[index_].end; at = nodes_[at + 1].end) {
    if (Value{nodes_, at}.as_text() == key) return Value{nodes_, at + 1};
  }
  return std::nullopt;
}

std::optional<bool> Map::boolean(std::string_view key) const noexcept {
  const auto value = find(key);
  return value ? value->as_bool() : std::nullopt;
}
std::optional<std::uint64_t> Map::uint(std::string_view key) const noexcept {
  const auto value = find(key);
  return value ? value->as_uint() : std::nullopt;
}
std::optional<std::int64_t> Map::integer(std::string_view key) const noexcept {
  const auto value = find(key);
  return value ? value->as_int() : std::nullopt;
}
std::optional<std::string_view> Map::text(std::string_view key) const noexcept {
  const auto value = find(key);
  return value ? value->as_text() : std::nullopt;
}
std::optional<base::BytesView> Map::binary(std::string_view key) const noexcept {
  const auto value = find(key);
  return value ? value->as_binary() : std::nullopt;
}
std::optional<std::vector<Value>> Map::array(std::string_view key) const {
  const auto value = find(key);
  return value ? value->as_array() : std::nullopt;
}
std::optional<Map> Map::map(std::string_view key) const noexcept {
  const auto value = find(key);
  return value ? value->as_map() : std::nullopt;
}
std::optional<std::vector<std::string_view>> Map::texts(std::string_view key) const {
  const auto values = array(key);
  if (!values) return std::nullopt;
  std::vector<std::string_view> texts;
  texts.reserve(values->size());
  for (const Value& value : *values) {
    const auto text = value.as_text();
    if (!text) return std::nullopt;
    texts.push_back(*text);
  }
  return texts;
}

}  // namespace ggen::p2p::reqresp
