#include "memory.hpp"

#include <fstream>
#include <limits>
#include <string>

namespace ggen::p2p::sim_cli {
namespace {

constexpr std::uint64_t kKiB = 1024;
// What a node with its connections takes while a run is busy, as seen at a hundred nodes, about.
constexpr std::uint64_t kWireNode = 750 * kKiB;
constexpr std::uint64_t kMessageNode = 500 * kKiB;

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
