#include "known_peers.hpp"

#include <algorithm>
#include <fstream>

namespace ggen::p2p::marketplace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAddressesEach = 2;
constexpr std::size_t kMaxLine = 512;

}  // namespace

std::string describe_known_peers(const kad::RoutingTable& table) {
  std::vector<const kad::TableEntry*> peers;
  for (std::size_t i = 0; i < table.buckets(); ++i) {
    for (const kad::TableEntry& entry : table.bucket(i)) {
      if (entry.failures == 0) peers.push_back(&entry);
    }
  }
  std::ranges::stable_sort(peers, std::ranges::greater{}, &kad::TableEntry::last_seen);
  if (peers.size() > kMaxKnownPeers) peers.resize(kMaxKnownPeers);
  std::string lines;
  for (const kad::TableEntry* entry : peers) {
    std::size_t count = 0;
    for (const multiformats::Multiaddr& address : entry->addresses) {
      if (++count > kAddressesEach) break;
      lines += address.without_peer_id().to_string() + "/p2p/" + entry->peer.to_string() + '\n';
    }
  }
  return lines;
}

bool write_known_peers(const fs::path& path, const std::string& lines) {
  fs::path fresh = path;
  fresh += ".new";
  std::ofstream file{fresh, std::ios::trunc};
  file << lines;
  file.close();
  std::error_code error;
  if (file) fs::rename(fresh, path, error);
  return file && !error;
}

std::vector<multiformats::Multiaddr> read_known_peers(const fs::path& path) {
  std::vector<multiformats::Multiaddr> addresses;
  std::ifstream file{path};
  std::string line;
  while (addresses.size() < kMaxKnownPeers * kAddressesEach && std::getline(file, line)) {
    if (line.size() > kMaxLine) continue;
    auto address = multiformats::Multiaddr::parse(line);
    if (address && address->peer_id()) addresses.push_back(*std::move(address));
  }
  return addresses;
}

}  // namespace ggen::p2p::marketplace
