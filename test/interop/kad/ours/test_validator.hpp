#pragma once

#include <cstdint>
#include <optional>

#include <ggen/p2p/kad/validator.hpp>

namespace interop {

inline constexpr const char* kTestNamespace = "ggen-interop";

/// The sequence number of a test value, SEQUENCE:TEXT of README.md; nothing when it is not one.
[[nodiscard]] std::optional<std::uint32_t> sequence_of(ggen::p2p::base::BytesView value);

/// Values of SEQUENCE:TEXT, of which the higher sequence is better.
class TestValidator final : public ggen::p2p::kad::Validator {
 public:
  [[nodiscard]] bool valid(ggen::p2p::base::BytesView key,
                           ggen::p2p::base::BytesView value) const override;
  [[nodiscard]] bool better(ggen::p2p::base::BytesView key, ggen::p2p::base::BytesView candidate,
                            ggen::p2p::base::BytesView held) const override;
};

/// Takes everything, so that a node can send what honest ones must refuse.
class NoValidator final : public ggen::p2p::kad::Validator {
 public:
  [[nodiscard]] bool valid(ggen::p2p::base::BytesView, ggen::p2p::base::BytesView) const override {
    return true;
  }
  [[nodiscard]] bool better(ggen::p2p::base::BytesView, ggen::p2p::base::BytesView,
                            ggen::p2p::base::BytesView) const override {
    return true;
  }
};

}  // namespace interop
