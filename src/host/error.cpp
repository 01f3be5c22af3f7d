#include <ggen/p2p/host/error.hpp>

namespace ggen::p2p::host {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "ggen-p2p"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::kStreamReset:
        return "the stream was reset";
      case Errc::kProtocolRefused:
        return "the remote does not speak the protocol";
      case Errc::kNegotiationFailed:
        return "the protocol negotiation failed";
      case Errc::kConnectionClosed:
        return "the connection closed";
      case Errc::kNotConnected:
        return "the peer could not be reached";
      case Errc::kTooManyStreams:
        return "too many streams are open";
      case Errc::kRefusedLocally:
        return "this node's rules do not allow it";
      case Errc::kTimedOut:
        return "it took too long";
      case Errc::kProtocolViolation:
        return "the remote broke the protocol's rules";
      case Errc::kInvalidAddress:
        return "this node cannot use that address";
      case Errc::kInvalidProtocol:
        return "that is not a protocol id";
      case Errc::kStopped:
        return "the host has been stopped";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc error) noexcept {
  return {static_cast<int>(error), error_category()};
}

}  // namespace ggen::p2p::host
