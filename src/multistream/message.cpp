#include "message.hpp"

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/multistream/negotiation.hpp>

namespace ggen::p2p::multistream {

void append_message(base::Bytes& to, std::string_view text) {
  base::append_varint(to, text.size() + 1);
  base::append(to, base::as_bytes(text));
  to.push_back('\n');
}

std::size_t message_size(std::string_view text) noexcept {
  return base::varint_size(text.size() + 1) + text.size() + 1;
}

bool valid_protocol(std::string_view protocol) noexcept {
  return !protocol.empty() && protocol.size() < kMaxMessage &&
         protocol.find('\n') == std::string_view::npos && protocol != "na" && protocol != "ls";
}

std::string_view to_string(Error error) noexcept {
  switch (error) {
    case Error::kNotMultistream:
      return "the remote does not speak multistream-select";
    case Error::kMalformed:
      return "malformed multistream message";
    case Error::kTooLong:
      return "multistream message above the limit";
    case Error::kTooManyProposals:
      return "too many protocols proposed";
    case Error::kUnexpectedReply:
      return "the reply is neither the proposed protocol nor a refusal";
    case Error::kRefused:
      return "no protocol in common";
  }
  return "unknown multistream error";
}

}  // namespace ggen::p2p::multistream
