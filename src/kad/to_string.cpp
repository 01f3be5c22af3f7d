#include <ggen/p2p/kad/engine.hpp>

namespace ggen::p2p::kad {

std::string_view to_string(RequestError error) noexcept {
  switch (error) {
    case RequestError::kUnreachable:
      return "the peer could not be reached";
    case RequestError::kRefused:
      return "this node opens no stream to the peer";
    case RequestError::kUnsupported:
      return "the peer does not serve the protocol";
    case RequestError::kTimeout:
      return "no answer in time";
    case RequestError::kClosed:
      return "the stream ended before the answer";
    case RequestError::kMalformed:
      return "the answer is not one to what was asked";
  }
  return "unknown request error";
}

std::string_view to_string(QueryEnd end) noexcept {
  switch (end) {
    case QueryEnd::kConverged:
      return "the nearest peers have all answered";
    case QueryEnd::kEnough:
      return "enough was found";
    case QueryEnd::kExhausted:
      return "everybody known was asked";
    case QueryEnd::kTimeout:
      return "the time is over";
    case QueryEnd::kNoPeers:
      return "no peer is known";
  }
  return "unknown end";
}

std::string_view to_string(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::kClientMode:
      return "this node answers no requests";
    case DropReason::kTooManyStreams:
      return "too many streams";
    case DropReason::kIdle:
      return "no request for too long";
    case DropReason::kMalformed:
      return "the peer sent no valid message";
    case DropReason::kFlooded:
      return "the peer sends requests without reading the answers";
    case DropReason::kBadRequest:
      return "the request has a bad key or lacks its record";
    case DropReason::kRefusedValue:
      return "the value is not accepted";
    case DropReason::kRefusedProvider:
      return "the provider record is not accepted";
  }
  return "unknown reason";
}

std::string_view to_string(InputError error) noexcept {
  switch (error) {
    case InputError::kBadKey:
      return "the key is empty or too long";
    case InputError::kNoValidator:
      return "nobody can tell whether values of this key are genuine";
    case InputError::kTooLarge:
      return "the value is too large";
    case InputError::kInvalid:
      return "the value is not genuine";
    case InputError::kOld:
      return "a better value is known";
  }
  return "unknown input error";
}

}  // namespace ggen::p2p::kad
