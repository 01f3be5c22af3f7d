#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/name.hpp>
#include <ggen/p2p/registry/range.hpp>
#include <ggen/p2p/registry/version.hpp>
#include <ggen/p2p/reqresp/message.hpp>

namespace ggen::p2p::registry {

// Reads the fields of a received map. The first one that is missing, of the wrong type or outside
// its limits is remembered, and everything read is worth nothing then: ask bad_field() at the end.
//
// The functions that return an optional without a value for a missing key are those with `_if`.
class FieldReader {
 public:
  explicit FieldReader(reqresp::Map map) noexcept : map_(map) {}

  [[nodiscard]] std::uint64_t uint(std::string_view key, std::uint64_t max);
  [[nodiscard]] std::optional<bool> boolean_if(std::string_view key);
  [[nodiscard]] std::string_view text(std::string_view key, std::size_t max_bytes);
  [[nodiscard]] std::optional<std::string_view> text_if(std::string_view key,
                                                        std::size_t max_bytes);
  [[nodiscard]] std::vector<std::string> texts_if(std::string_view key, std::size_t max_count,
                                                  std::size_t max_bytes);
  [[nodiscard]] base::BytesView binary(std::string_view key, std::size_t max_bytes);
  [[nodiscard]] std::optional<base::BytesView> binary_if(std::string_view key,
                                                         std::size_t max_bytes);
  [[nodiscard]] std::vector<base::BytesView> binaries(std::string_view key, std::size_t max_count,
                                                      std::size_t max_bytes);
  [[nodiscard]] std::vector<reqresp::Map> maps(std::string_view key, std::size_t max_count);
  [[nodiscard]] std::vector<reqresp::Map> maps_if(std::string_view key, std::size_t max_count);
  [[nodiscard]] std::optional<reqresp::Map> map(std::string_view key);

  // Values with a type of their own: nothing when the field is bad, or missing and `_if`.
  [[nodiscard]] std::optional<crypto::Sha256Digest> digest(std::string_view key);
  [[nodiscard]] std::optional<crypto::Sha256Digest> digest_if(std::string_view key);
  [[nodiscard]] std::optional<multiformats::PeerId> peer(std::string_view key);
  [[nodiscard]] std::optional<multiformats::PeerId> peer_if(std::string_view key);
  [[nodiscard]] std::optional<Name> name(std::string_view key);
  [[nodiscard]] std::optional<Version> version(std::string_view key);
  [[nodiscard]] std::optional<Version> version_if(std::string_view key);
  // A missing range is any release.
  [[nodiscard]] std::optional<Range> range_if(std::string_view key);

  void refuse(std::string_view key);
  [[nodiscard]] const std::optional<std::string>& bad_field() const noexcept { return bad_; }

 private:
  // The value of a key that need not be there; `read` takes what it wants from it, or nothing.
  template <class Read>
  auto optional(std::string_view key, Read read)
      -> std::invoke_result_t<Read, const reqresp::Value&>;
  // Refuses the key when `found` holds nothing.
  template <class T>
  std::optional<T> required(std::string_view key, std::optional<T> found);

  reqresp::Map map_;
  std::optional<std::string> bad_;
};

}  // namespace ggen::p2p::registry
