#include <string>
#include <utility>
#include <vector>

#include <ggen/p2p/node/channel_factory.hpp>
#include <ggen/p2p/noise/static_key.hpp>

namespace ggen::p2p::node {
namespace {

class SecureChannels final : public ChannelFactory {
 public:
  SecureChannels(connection::Config config, crypto::Crypto& crypto, const crypto::KeyPair& identity)
      : static_key_(
            noise::StaticKey::create(crypto, identity, {std::string{connection::kYamuxProtocol}})),
        shared_{std::move(config), static_key_, crypto} {}

  std::unique_ptr<connection::Channel> make(connection::ConnectionId,
                                            connection::Direction direction,
                                            std::optional<multiformats::PeerId> expected_peer,
                                            const connection::ProtocolSet& protocols,
                                            base::Instant now) override {
    return std::make_unique<connection::SecureChannel>(shared_, direction, std::move(expected_peer),
                                                       protocols, now);
  }

 private:
  noise::StaticKey static_key_;
  connection::SecureChannel::Shared shared_;
};

}  // namespace

std::unique_ptr<ChannelFactory> make_secure_channels(connection::Config config,
                                                     crypto::Crypto& crypto,
                                                     const crypto::KeyPair& identity) {
  return std::make_unique<SecureChannels>(std::move(config), crypto, identity);
}

}  // namespace ggen::p2p::node
