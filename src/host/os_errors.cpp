#include "os_errors.hpp"

#include <asio/error.hpp>

namespace ggen::p2p::host {
namespace {

// Asio's system category does not compare with std::errc; the standard's does.
std::error_code standard(std::error_code error) {
  return error.category() == asio::error::get_system_category()
             ? std::error_code{error.value(), std::system_category()}
             : error;
}

}  // namespace

swarm::DialError dial_error(std::error_code error) {
  error = standard(error);
  if (error == std::errc::connection_refused) return swarm::DialError::kRefused;
  if (error == std::errc::timed_out) return swarm::DialError::kTimedOut;
  if (error == std::errc::network_unreachable || error == std::errc::host_unreachable ||
      error == std::errc::network_down || error == std::errc::address_not_available) {
    return swarm::DialError::kUnreachable;
  }
  if (error == std::errc::connection_reset) return swarm::DialError::kReset;
  if (error == std::errc::address_family_not_supported) return swarm::DialError::kUnsupported;
  if (error == std::errc::too_many_files_open ||
      error == std::errc::too_many_files_open_in_system || error == std::errc::not_enough_memory ||
      error == std::errc::no_buffer_space) {
    return swarm::DialError::kOutOfResources;
  }
  return swarm::DialError::kOther;
}

swarm::ListenError listen_error(std::error_code error) {
  error = standard(error);
  if (error == std::errc::address_in_use) return swarm::ListenError::kAddressInUse;
  if (error == std::errc::address_not_available) return swarm::ListenError::kAddressNotAvailable;
  if (error == std::errc::permission_denied) return swarm::ListenError::kPermissionDenied;
  if (error == std::errc::address_family_not_supported) return swarm::ListenError::kUnsupported;
  if (error == std::errc::too_many_files_open ||
      error == std::errc::too_many_files_open_in_system) {
    return swarm::ListenError::kOutOfResources;
  }
  return swarm::ListenError::kOther;
}

swarm::ResolveError resolve_error(std::error_code error) {
  if (error == asio::error::host_not_found || error == asio::error::no_data) {
    return swarm::ResolveError::kNotFound;
  }
  if (error == asio::error::host_not_found_try_again) return swarm::ResolveError::kTimedOut;
  if (error == asio::error::no_recovery) return swarm::ResolveError::kUnavailable;
  return swarm::ResolveError::kOther;
}

}  // namespace ggen::p2p::host
