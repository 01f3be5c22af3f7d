#include "test_validator.hpp"

namespace interop {

using ggen::p2p::base::BytesView;

std::optional<std::uint32_t> sequence_of(BytesView value) {
  constexpr std::size_t kMaxDigits = 9;
  std::uint32_t sequence = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == ':') return i > 0 ? std::optional{sequence} : std::nullopt;
    const bool digit = value[i] >= '0' && value[i] <= '9';
    const bool leading_zero = i > 0 && sequence == 0;
    if (!digit || leading_zero || i == kMaxDigits) return std::nullopt;
    sequence = 10 * sequence + (value[i] - '0');
  }
  return std::nullopt;
}

bool TestValidator::valid(BytesView, BytesView value) const {
  return sequence_of(value).has_value();
}

bool TestValidator::better(BytesView, BytesView candidate, BytesView held) const {
  return sequence_of(candidate) > sequence_of(held);
}

}  // namespace interop
