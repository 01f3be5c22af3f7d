#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <ggen/p2p/marketplace/unique_fd.hpp>
#include <ggen/p2p/telemetry/span_tracker.hpp>

#include "error.hpp"

namespace ggen::p2p::cli {

/// What a node does, as spans in a file: OTLP's JSON encoding, one document a line, added to what
/// is there. See docs/telemetry.md.
///
/// A file that fails (a full disk, or it was removed) is given up, and the node goes on: what it
/// has held so far stays whole. Not thread-safe.
class SpanFile {
 public:
  [[nodiscard]] static Result<SpanFile> open(const std::filesystem::path& path);

  /// Whom to tell of what the node does. Moves with this object.
  [[nodiscard]] telemetry::SpanTracker& tracker() noexcept { return tracker_; }
  /// Writes what has ended since the last time. An error, once, when the file is given up.
  [[nodiscard]] Result<void> flush(const std::string& peer_id);
  /// The node has stopped: ends what is open, and writes it.
  [[nodiscard]] Result<void> finish(const std::string& peer_id);
  /// Spans left out because there were too many at a time.
  [[nodiscard]] std::uint64_t left_out() const noexcept { return tracker_.dropped(); }

 private:
  SpanFile(std::filesystem::path path, marketplace::UniqueFd file);
  [[nodiscard]] std::string take_document(const std::string& peer_id);
  [[nodiscard]] Result<void> write(std::string_view line);
  std::unexpected<Error> give_up(std::string_view why);

  std::filesystem::path path_;
  marketplace::UniqueFd file_;  // none when it was given up
  telemetry::SpanTracker tracker_;
};

}  // namespace ggen::p2p::cli
