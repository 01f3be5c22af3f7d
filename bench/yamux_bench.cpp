#include <optional>
#include <vector>

#include <fmt/format.h>

#include <ggen/p2p/noise/sender.hpp>
#include <ggen/p2p/yamux/session.hpp>

#include "measure.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;

constexpr std::size_t kBytes = 256 * 1024 * 1024;
constexpr int kRounds = 7;

// Two sessions, and what passes between them without a network.
struct Link {
  base::Instant now;
  yamux::Session client{yamux::Role::kClient, {}, now};
  yamux::Session server{yamux::Role::kServer, {}, now};
  std::size_t received = 0;

  void carry(yamux::Session& from, yamux::Session& to) {
    while (from.wants_transmit()) {
      base::Buffer message = base::Buffer::allocate(noise::kBestPlaintext);
      message.truncate(from.transmit(message.writable(), now));
      to.receive(std::move(message), now);
      while (auto event = to.poll()) {
        if (const auto* data = std::get_if<yamux::event::Data>(&*event)) {
          received += data->data.size();
          to.consume(data->stream, data->data.size(), now);
        }
      }
    }
    while (from.poll()) {
    }
  }
};

// MiB/s of `streams` streams that all send as fast as they may.
double bulk(std::size_t streams) {
  Link link;
  std::vector<yamux::StreamId> ids;
  for (std::size_t i = 0; i < streams; ++i) ids.push_back(*link.client.open(link.now));
  const std::vector<std::uint8_t> block(64 * 1024, 7);
  const auto start = Clock::now();
  while (link.received < kBytes) {
    for (const yamux::StreamId id : ids) link.client.write(id, block);
    link.carry(link.client, link.server);
    link.carry(link.server, link.client);
    link.now += std::chrono::microseconds{50};
  }
  return static_cast<double>(link.received) / 1048576.0 / seconds_since(start);
}

double opens() {
  Link link;
  const std::vector<std::uint8_t> request(1024, 7);
  return rate(std::chrono::milliseconds{300}, [&] {
    const auto id = *link.client.open(link.now);
    link.client.write(id, request);
    link.client.finish(id);
    link.carry(link.client, link.server);
    link.server.finish(id);
    link.carry(link.server, link.client);
  });
}

template <class Work>
double repeated(Work&& work) {
  std::vector<double> values;
  for (int i = 0; i < kRounds; ++i) values.push_back(work());
  return median(values);
}

}  // namespace

void yamux_rows(Table& table) {
  pin(0);
  const std::string how = fmt::format("pinned, one core does both sides, median of {}", kRounds);
  table.push_back({"yamux in memory, 1 stream",
                   fmt::format("{:.0f} MiB/s", repeated([] { return bulk(1); })), how});
  table.push_back({"yamux in memory, 100 streams",
                   fmt::format("{:.0f} MiB/s", repeated([] { return bulk(100); })), how});
  table.push_back({"yamux in memory, streams opened, used for 1 KiB and closed",
                   fmt::format("{:.0f} /s", repeated([] { return opens(); })), how});
  pin(-1);
}

}  // namespace bench
