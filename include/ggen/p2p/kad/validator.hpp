#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::kad {

/// Decides which values of a namespace are genuine and which of two is the better one (libp2p/specs
/// kad-dht, "Entry validation"). Both answers depend on the arguments alone, so that all nodes
/// agree.
class Validator {
 public:
  virtual ~Validator() = default;
  /// Whether `value` may stand under `key`: signatures, lengths, form. Sees bytes of anybody.
  [[nodiscard]] virtual bool valid(base::BytesView key, base::BytesView value) const = 0;
  /// Whether `candidate` should take the place of `held`; both are valid. False when they are
  /// equally good.
  [[nodiscard]] virtual bool better(base::BytesView key, base::BytesView candidate,
                                    base::BytesView held) const = 0;
};

/// Public keys by their peer id, as others use it: `/pk/` and the id's multihash hold the encoded
/// key.
class PublicKeyValidator final : public Validator {
 public:
  static constexpr std::string_view kNamespace = "pk";
  [[nodiscard]] bool valid(base::BytesView key, base::BytesView value) const override;
  [[nodiscard]] bool better(base::BytesView key, base::BytesView candidate,
                            base::BytesView held) const override;
};

/// The validators by namespace: the key `/pk/...` is of namespace `pk`. A key without a known
/// namespace has no valid value.
class Validators {
 public:
  /// Replaces one that is there already.
  void add(std::string name_space, std::unique_ptr<Validator> validator);
  /// Null when nobody answers for the key.
  [[nodiscard]] const Validator* find(base::BytesView key) const;

 private:
  std::map<std::string, std::unique_ptr<Validator>, std::less<>> by_namespace_;
};

}  // namespace ggen::p2p::kad
