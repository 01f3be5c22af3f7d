#include <unistd.h>

#include <ggen/p2p/marketplace/unique_fd.hpp>

namespace ggen::p2p::marketplace {

void UniqueFd::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace ggen::p2p::marketplace
