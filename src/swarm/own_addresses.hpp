#pragma once

#include <expected>
#include <set>
#include <vector>

#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/swarm/config.hpp>

#include "observed_addresses.hpp"
#include "outbox.hpp"

namespace ggen::p2p::swarm {

/// Where this node listens, and what others see it at.
class OwnAddresses {
 public:
  OwnAddresses(const Config& config, Outbox& outbox)
      : config_(config), outbox_(outbox), observed_(config.observed, outbox) {}

  ListenId listen(const multiformats::Multiaddr& address);
  void stop_listening(ListenId id);
  void listening(ListenId id,
                 std::expected<std::vector<multiformats::Multiaddr>, ListenError> result);
  /// `connection` is secured.
  void observed(const multiformats::Multiaddr& address, const ConnectionRecord& connection,
                base::Instant now);

  [[nodiscard]] bool contains(const IpEndpoint& endpoint) const { return own_.contains(endpoint); }
  /// Bound ones, then external ones.
  [[nodiscard]] std::vector<multiformats::Multiaddr> all() const;

  void stop();
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const {
    return observed_.next_deadline();
  }

 private:
  struct Listener {
    multiformats::Multiaddr asked;
    std::vector<multiformats::Multiaddr> bound;
  };

  ListenId refuse(const multiformats::Multiaddr& address, ListenError error);
  void changed();

  const Config& config_;
  Outbox& outbox_;
  bool stopping_ = false;
  base::SlotMap<Listener, ListenTag> listeners_;
  ObservedAddresses observed_;
  /// What all() holds, to be looked up.
  std::set<IpEndpoint> own_;
};

}  // namespace ggen::p2p::swarm
