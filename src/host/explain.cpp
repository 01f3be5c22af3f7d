#include "explain.hpp"

#include <string>

#include <fmt/format.h>

namespace ggen::p2p::host {
namespace {

Errc code_of(swarm::DialFailureKind kind) {
  switch (kind) {
    case swarm::DialFailureKind::kNoAddresses:
      return Errc::kInvalidAddress;
    case swarm::DialFailureKind::kDeadline:
      return Errc::kTimedOut;
    case swarm::DialFailureKind::kSelf:
    case swarm::DialFailureKind::kPeerDenied:
    case swarm::DialFailureKind::kPeerNotAllowed:
    case swarm::DialFailureKind::kTooManyDials:
    case swarm::DialFailureKind::kBackoff:
      return Errc::kRefusedLocally;
    case swarm::DialFailureKind::kStopping:
      return Errc::kStopped;
    default:
      return Errc::kNotConnected;
  }
}

Failure plain(Errc code, std::string_view message) {
  return {code, std::string{message}};
}

}  // namespace

Failure explain(const swarm::DialFailure& failure) {
  std::string message{to_string(failure.kind)};
  for (const swarm::AddressFailure& address : failure.addresses) {
    message += fmt::format("{} {}: {}", &address == failure.addresses.data() ? ":" : ";",
                           address.address.to_string(), to_string(address.reason));
  }
  return {code_of(failure.kind), std::move(message)};
}

Failure explain(const swarm::event::ListenFailed& event) {
  const bool bad = event.error == swarm::ListenError::kUnsupported;
  const std::error_code code =
      event.error == swarm::ListenError::kAddressInUse
          ? std::make_error_code(std::errc::address_in_use)
          : std::error_code{bad ? Errc::kInvalidAddress : Errc::kRefusedLocally};
  return {code, fmt::format("cannot listen on {}: {}", event.address.to_string(),
                            to_string(event.error))};
}

Failure explain(connection::OpenFailure failure) {
  switch (failure) {
    case connection::OpenFailure::kNotConnected:
      return plain(Errc::kNotConnected, to_string(failure));
    case connection::OpenFailure::kTooManyStreams:
      return plain(Errc::kTooManyStreams, to_string(failure));
    case connection::OpenFailure::kRefusedLocally:
      return plain(Errc::kRefusedLocally, to_string(failure));
  }
  return plain(Errc::kNotConnected, to_string(failure));
}

Failure explain(connection::StreamEnd end) {
  switch (end) {
    case connection::StreamEnd::kProtocolRefused:
      return plain(Errc::kProtocolRefused, to_string(end));
    case connection::StreamEnd::kNegotiationFailed:
      return plain(Errc::kNegotiationFailed, to_string(end));
    case connection::StreamEnd::kConnectionClosed:
      return plain(Errc::kConnectionClosed, to_string(end));
    default:
      return plain(Errc::kStreamReset, to_string(end));
  }
}

Failure explain(ping::PingError error) {
  switch (error) {
    case ping::PingError::kTimeout:
      return plain(Errc::kTimedOut, to_string(error));
    case ping::PingError::kOpenFailed:
      return plain(Errc::kNotConnected, to_string(error));
    case ping::PingError::kUnsupported:
      return plain(Errc::kProtocolRefused, to_string(error));
    case ping::PingError::kWrongEcho:
      return plain(Errc::kProtocolViolation, to_string(error));
    case ping::PingError::kStreamClosed:
      return plain(Errc::kStreamReset, to_string(error));
  }
  return plain(Errc::kStreamReset, to_string(error));
}

Failure explain(perf::PerfError error) {
  switch (error) {
    case perf::PerfError::kOpenFailed:
      return plain(Errc::kNotConnected, to_string(error));
    case perf::PerfError::kUnsupported:
      return plain(Errc::kProtocolRefused, to_string(error));
    case perf::PerfError::kStalled:
      return plain(Errc::kTimedOut, to_string(error));
    case perf::PerfError::kTooMuch:
    case perf::PerfError::kEndedEarly:
      return plain(Errc::kProtocolViolation, to_string(error));
    case perf::PerfError::kStreamClosed:
      return plain(Errc::kStreamReset, to_string(error));
  }
  return plain(Errc::kStreamReset, to_string(error));
}

}  // namespace ggen::p2p::host
