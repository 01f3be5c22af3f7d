#include "txt_records.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include <arpa/nameser.h>
#include <asio/error.hpp>
#include <netdb.h>
#include <resolv.h>

namespace ggen::p2p::host {
namespace {

// More than any sensible answer: longer ones are cut by the resolver library and then fail to
// parse.
constexpr std::size_t kMaxAnswer = 16 * 1024;

// A TXT record is a sequence of strings, each with a length byte; they belong together.
std::string join_strings(std::span<const std::uint8_t> data) {
  std::string text;
  while (!data.empty() && data[0] < data.size()) {
    const auto piece = data.subspan(1, data[0]);
    text.append(piece.begin(), piece.end());
    data = data.subspan(1 + piece.size());
  }
  return text;
}

std::error_code resolver_error(int h_errno_value) {
  switch (h_errno_value) {
    case HOST_NOT_FOUND:
      return asio::error::host_not_found;
    case NO_DATA:
      return asio::error::no_data;
    case TRY_AGAIN:
      return asio::error::host_not_found_try_again;
    default:
      return asio::error::no_recovery;
  }
}

}  // namespace

std::expected<std::vector<std::string>, std::error_code> txt_records(const std::string& name) {
  struct __res_state state{};
  if (res_ninit(&state) != 0) return std::unexpected(asio::error::no_recovery);
  const std::unique_ptr<struct __res_state, decltype(&res_nclose)> close{&state, &res_nclose};

  std::array<std::uint8_t, kMaxAnswer> answer{};
  const int size = res_nquery(&state, name.c_str(), ns_c_in, ns_t_txt, answer.data(),
                              static_cast<int>(answer.size()));
  if (size < 0) return std::unexpected(resolver_error(state.res_h_errno));
  if (static_cast<std::size_t>(size) > answer.size()) {
    return std::unexpected(asio::error::message_size);  // it was cut off: never read past it
  }

  ns_msg message{};
  if (ns_initparse(answer.data(), size, &message) != 0) {
    return std::unexpected(asio::error::no_recovery);
  }
  std::vector<std::string> records;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record{};
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) {
      return std::unexpected(asio::error::no_recovery);
    }
    if (ns_rr_type(record) == ns_t_txt) {
      const auto length = static_cast<std::size_t>(ns_rr_rdlen(record));
      records.push_back(join_strings({ns_rr_rdata(record), length}));
    }
  }
  return records;
}

}  // namespace ggen::p2p::host
