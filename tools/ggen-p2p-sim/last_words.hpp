#pragma once

#include <string>

namespace ggen::p2p::sim_cli {

/// From now on the program prints this on standard error when it aborts, as a broken invariant lets
/// it: what else is known by then, is known to a debugger only.
void set_last_words(std::string text);

}  // namespace ggen::p2p::sim_cli
