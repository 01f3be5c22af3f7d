#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ggen::p2p::connection {

/// The protocol ids that a node answers on inbound streams. One set serves all channels of a node and outlives them.
class ProtocolSet {
 public:
  /// Does nothing when it is there already.
  void add(std::string protocol);
  void remove(std::string_view protocol);
  [[nodiscard]] bool contains(std::string_view protocol) const;
  /// In the order of their bytes.
  [[nodiscard]] std::span<const std::string> all() const noexcept { return protocols_; }

 private:
  std::vector<std::string> protocols_;
};

}  // namespace ggen::p2p::connection
