#include <msgpack.hpp>

#include <ggen/p2p/reqresp/message.hpp>

namespace ggen::p2p::reqresp {
namespace {

// Where the packer writes to.
struct Sink {
  base::Bytes& bytes;
  void write(const char* data, std::size_t size) {
    base::append(bytes, base::as_bytes({data, size}));
  }
};

template <class Pack>
void pack(base::Bytes& to, Pack&& call) {
  Sink sink{to};
  msgpack::packer<Sink> packer{sink};
  call(packer);
}

void pack_bool(base::Bytes& to, bool value) {
  pack(to, [&](auto& packer) { value ? packer.pack_true() : packer.pack_false(); });
}
void pack_uint(base::Bytes& to, std::uint64_t value) {
  pack(to, [&](auto& packer) { packer.pack_uint64(value); });
}
void pack_int(base::Bytes& to, std::int64_t value) {
  pack(to, [&](auto& packer) { packer.pack_int64(value); });
}
void pack_text(base::Bytes& to, std::string_view value) {
  pack(to, [&](auto& packer) { packer.pack_str(static_cast<std::uint32_t>(value.size())); });
  base::append(to, base::as_bytes(value));
}
void pack_binary(base::Bytes& to, base::BytesView value) {
  pack(to, [&](auto& packer) { packer.pack_bin(static_cast<std::uint32_t>(value.size())); });
  base::append(to, value);
}

}  // namespace

ArrayBuilder& ArrayBuilder::boolean(bool value) {
  pack_bool(elements_, value);
  ++count_;
  return *this;
}
ArrayBuilder& ArrayBuilder::uint(std::uint64_t value) {
  pack_uint(elements_, value);
  ++count_;
  return *this;
}
ArrayBuilder& ArrayBuilder::integer(std::int64_t value) {
  pack_int(elements_, value);
  ++count_;
  return *this;
}
ArrayBuilder& ArrayBuilder::text(std::string_view value) {
  pack_text(elements_, value);
  ++count_;
  return *this;
}
ArrayBuilder& ArrayBuilder::binary(base::BytesView value) {
  pack_binary(elements_, value);
  ++count_;
  return *this;
}
ArrayBuilder& ArrayBuilder::map(const MapBuilder& value) {
  base::append(elements_, value.encode());
  ++count_;
  return *this;
}

void MapBuilder::key(std::string_view key) {
  pack_text(entries_, key);
  ++count_;
}
MapBuilder& MapBuilder::boolean(std::string_view key, bool value) {
  this->key(key);
  pack_bool(entries_, value);
  return *this;
}
MapBuilder& MapBuilder::uint(std::string_view key, std::uint64_t value) {
  this->key(key);
  pack_uint(entries_, value);
  return *this;
}
MapBuilder& MapBuilder::integer(std::string_view key, std::int64_t value) {
  this->key(key);
  pack_int(entries_, value);
  return *this;
}
MapBuilder& MapBuilder::text(std::string_view key, std::string_view value) {
  this->key(key);
  pack_text(entries_, value);
  return *this;
}
MapBuilder& MapBuilder::binary(std::string_view key, base::BytesView value) {
  this->key(key);
  pack_binary(entries_, value);
  return *this;
}
MapBuilder& MapBuilder::texts(std::string_view key, std::span<const std::string> values) {
  ArrayBuilder array;
  for (const std::string& value : values) array.text(value);
  return this->array(key, array);
}
MapBuilder& MapBuilder::array(std::string_view key, const ArrayBuilder& value) {
  this->key(key);
  pack(entries_, [&](auto& packer) { packer.pack_array(value.count_); });
  base::append(entries_, value.elements_);
  return *this;
}
MapBuilder& MapBuilder::map(std::string_view key, const MapBuilder& value) {
  this->key(key);
  base::append(entries_, value.encode());
  return *this;
}

base::Bytes MapBuilder::encode() const {
  base::Bytes bytes;
  pack(bytes, [&](auto& packer) { packer.pack_map(count_); });
  base::append(bytes, entries_);
  return bytes;
}

}  // namespace ggen::p2p::reqresp
