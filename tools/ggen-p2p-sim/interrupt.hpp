#pragma once

namespace ggen::p2p::sim_cli {

/// From now on SIGINT and SIGTERM are taken as a wish to end. The second of a kind ends the program
/// at once, as ever.
void catch_interrupts();
[[nodiscard]] bool interrupted();

}  // namespace ggen::p2p::sim_cli
