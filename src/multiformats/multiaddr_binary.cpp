#include <limits>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

#include "component_reader.hpp"
#include "value_codec.hpp"

namespace ggen::p2p::multiformats {
namespace {

using Kind = MultiaddrError::Kind;

std::unexpected<MultiaddrError> failure(Kind kind, std::size_t position, std::string component,
                                        const ProtocolInfo* protocol = nullptr) {
  return std::unexpected(MultiaddrError{kind, position, excerpt(component), protocol});
}

Kind kind_of(base::VarintError error) {
  return error == base::VarintError::kTruncated ? Kind::kTruncated : Kind::kNonMinimalVarint;
}

std::unexpected<MultiaddrError> failure(const ComponentFault& fault, std::size_t position) {
  std::string component = "protocol code";
  if (fault.kind == Kind::kUnknownProtocol) component = std::to_string(fault.code);
  if (fault.protocol != nullptr) component = fault.protocol->name;
  return failure(fault.kind, position, std::move(component), fault.protocol);
}

const ProtocolInfo* find_code(std::uint64_t code) {
  if (code > std::numeric_limits<std::uint32_t>::max()) return nullptr;
  return find_protocol(static_cast<Protocol>(code));
}

}  // namespace

std::expected<BinaryComponent, ComponentFault> read_component(base::BytesView bytes,
                                                              std::size_t position) {
  const auto code = base::decode_varint(bytes.subspan(position));
  if (!code) return std::unexpected(ComponentFault{.kind = kind_of(code.error())});
  const ProtocolInfo* const info = find_code(code->value);
  const auto fault = [&](Kind kind) {
    return std::unexpected(ComponentFault{kind, code->value, info});
  };
  if (info == nullptr) return fault(Kind::kUnknownProtocol);
  std::size_t at = position + code->size;
  std::uint64_t size = static_cast<std::uint64_t>(std::max(info->size_bits, 0)) / 8;
  if (info->size_bits == ProtocolInfo::kVariable) {
    const auto length = base::decode_varint(bytes.subspan(at));
    if (!length) return fault(kind_of(length.error()));
    at += length->size;
    size = length->value;
  }
  if (size > bytes.size() - at) return fault(Kind::kTruncated);
  const base::BytesView value = bytes.subspan(at, static_cast<std::size_t>(size));
  return BinaryComponent{info, value, at + value.size()};
}

void append_component(base::Bytes& to, const ProtocolInfo& info, base::BytesView value) {
  base::append_varint(to, static_cast<std::uint64_t>(info.code));
  if (info.size_bits == ProtocolInfo::kVariable) base::append_varint(to, value.size());
  base::append(to, value);
}

std::expected<Multiaddr, MultiaddrError> Multiaddr::decode(base::BytesView bytes) {
  if (bytes.empty()) return failure(Kind::kEmpty, 0, "");
  if (bytes.size() > kMaxBytes) return failure(Kind::kTooLong, 0, "");
  for (std::size_t at = 0; at < bytes.size();) {
    const auto component = read_component(bytes, at);
    if (!component) return failure(component.error(), at);
    if (!is_valid_value(component->info->kind, component->value)) {
      return failure(Kind::kInvalidValue, at, "0x" + base::to_hex(component->value),
                     component->info);
    }
    at = component->end;
    if (component->info->is_path() && at < bytes.size()) {
      return failure(Kind::kAfterPath, at, std::string(component->info->name), component->info);
    }
  }
  return Multiaddr{base::to_bytes(bytes)};
}

}  // namespace ggen::p2p::multiformats
