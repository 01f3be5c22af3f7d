#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <ggen/p2p/kad/routing_table.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

/// Whom a node knew when it last ran: a file with a line for each address, so that it comes back
/// without its bootstrap addresses, and so that a person can read it.
namespace ggen::p2p::marketplace {

inline constexpr std::size_t kMaxKnownPeers = 64;

/// The lines for those of the table that have not failed, latest seen first.
[[nodiscard]] std::string describe_known_peers(const kad::RoutingTable& table);
/// Replaces the file. Nothing is lost when that fails: the peers are only a hint.
[[nodiscard]] bool write_known_peers(const std::filesystem::path& path, const std::string& lines);
/// The addresses, each with /p2p; none when there is no such file. Lines that are none are skipped.
[[nodiscard]] std::vector<multiformats::Multiaddr> read_known_peers(
    const std::filesystem::path& path);

}  // namespace ggen::p2p::marketplace
