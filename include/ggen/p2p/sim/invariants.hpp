#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/sim/package.hpp>
#include <ggen/p2p/sim/report.hpp>
#include <ggen/p2p/sim/simulation.hpp>

namespace ggen::p2p::sim {

/// A moment at which something did not hold that must.
struct Violation {
  base::Instant when;
  NodeIndex node = 0;
  std::string what;  ///< a sentence
};

/// Something that must hold at all times: how often it was looked at, and when it did not hold.
class Invariant {
 public:
  /// Of more violations than this only the number is kept.
  static constexpr std::size_t kKept = 16;

  /// `looked_at`: what one look is at, in the plural, such as "chunks sent".
  Invariant(std::string_view name, std::string_view looked_at)
      : name_(name), looked_at_(looked_at) {}

  void look(std::uint64_t times = 1) noexcept { looks_ += times; }
  void violate(base::Instant when, NodeIndex node, std::string what);
  /// Something went unnoticed that may: `why`, in the plural, is shown with the number.
  void excuse(std::string_view why) noexcept {
    ++excused_;
    why_excused_ = why;
  }

  [[nodiscard]] std::uint64_t looks() const noexcept { return looks_; }
  [[nodiscard]] std::span<const Violation> violations() const noexcept { return violations_; }
  /// Its name is "invariant: " and that of this. Passed when nothing was seen to violate it; the
  /// detail says so when there was nothing to see.
  [[nodiscard]] Check check() const;

 private:
  std::string_view name_;
  std::string_view looked_at_;
  std::uint64_t looks_ = 0;
  std::uint64_t excused_ = 0;
  std::string_view why_excused_;
  std::uint64_t violated_ = 0;
  std::vector<Violation> violations_;
};

/// What must hold in every simulation, whatever happens in it: watched all the time, on what nodes
/// say, send and store. It changes nothing, and costs little: of the bytes of streams it reads
/// those of gossip, of requests to the DHT and of archives that are served.
///
/// Nodes with NodeSpec::checked off are left alone.
class Invariants final : public Inspector {
 public:
  /// Before the first node starts. `simulation` outlives it.
  explicit Invariants(Simulation& simulation);
  ~Invariants() override;
  Invariants(const Invariants&) = delete;
  Invariants& operator=(const Invariants&) = delete;

  // What only those know who act on the nodes.

  /// Its chunks are known from here on: those of others are not checked.
  void published(const Package& package);
  /// The node puts a value of its own into the DHT.
  void put_value(NodeIndex node, base::BytesView key, base::BytesView value);
  enum class Lookup : std::uint8_t { kQuery, kSearch, kFetch };
  /// `id` is the engine's. It must end by `deadline`, unless its node goes before; a fetch gets
  /// more time whenever its node is brought a chunk.
  void began(NodeIndex node, Lookup lookup, std::uint64_t id, base::Duration deadline);
  /// A network that was disturbed is whole again, and had time to become one: do all know the same?
  void settled(bool all_know, std::string what);

  /// Looks at all nodes: once a second of virtual time.
  void sample();
  /// After Simulation::wind_down() and discard(). `at_rest` is what the former said.
  void ended(bool at_rest);

  /// One for each invariant.
  [[nodiscard]] std::vector<Check> checks() const;

  void output(NodeIndex node, const node::Output& output, base::Instant now) override;
  void stopped(NodeIndex node, base::Instant now) override;
  [[nodiscard]] StreamObserver* started(NodeIndex node) override;
  void storing(NodeIndex node, const registry::Store& operation) override;
  void stored(NodeIndex node, const registry::StoreDone& done) override;
  void crashing(NodeIndex node) override;

 private:
  struct Rules;
  std::unique_ptr<Rules> rules_;
};

}  // namespace ggen::p2p::sim
