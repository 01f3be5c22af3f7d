#include "memory.hpp"

#include <fstream>
#include <limits>
#include <string>

namespace ggen::p2p::sim_cli {
namespace {

constexpr std::uint64_t kKiB = 1024;
// Rough figures of a node with its connections; a run can take twice as much while it is busy.
constexpr std::uint64_t kWireNode = 350 * kKiB;
constexpr std::uint64_t kMessageNode = 200 * kKiB;

}  // namespace

std::uint64_t memory_needed(std::uint64_t nodes, sim::Fidelity fidelity) {
  return nodes * (fidelity == sim::Fidelity::kWire ? kWireNode : kMessageNode);
}

std::optional<std::uint64_t> memory_available() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::uint64_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == "MemAvailable:") return kibibytes * kKiB;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

}  // namespace ggen::p2p::sim_cli
