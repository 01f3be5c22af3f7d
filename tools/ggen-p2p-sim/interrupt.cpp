#include "interrupt.hpp"

#include <atomic>
#include <csignal>

namespace ggen::p2p::sim_cli {
namespace {

std::atomic<bool> wished_to_end = false;
static_assert(std::atomic<bool>::is_always_lock_free, "it is set by a signal handler");

void on_signal(int) {
  wished_to_end = true;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return wished_to_end;
}

}  // namespace ggen::p2p::sim_cli
