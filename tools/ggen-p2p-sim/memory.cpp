#include "memory.hpp"

#include <fstream>
#include <limits>
#include <string>

namespace ggen::p2p::sim_cli {
namespace {

constexpr std::uint64_t kKiB = 1024;
// What a node with its connections takes while a run is busy, about, as seen at ten thousand nodes
// on the wire and a thousand by messages.
constexpr std::uint64_t kWireNode = 940 * kKiB;
constexpr std::uint64_t kMessageNode = 600 * kKiB;

}  // namespace

std::uint64_t memory_needed(std::uint64_t nodes, sim::Fidelity fidelity, double node_size) {
  const std::uint64_t node = fidelity == sim::Fidelity::kWire ? kWireNode : kMessageNode;
  return static_cast<std::uint64_t>(static_cast<double>(nodes * node) * node_size);
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
