#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/output.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/sim/fault_player.hpp>
#include <ggen/p2p/sim/invariants.hpp>
#include <ggen/p2p/sim/metrics.hpp>
#include <ggen/p2p/sim/package.hpp>
#include <ggen/p2p/sim/report.hpp>
#include <ggen/p2p/sim/simulation.hpp>
#include <ggen/p2p/sim/span_log.hpp>

namespace ggen::p2p::sim {

/// What a run tells while it goes on.
struct Progress {
  std::string_view step;  ///< what the scenario is doing
  base::Duration virtual_time{};
  base::Duration virtual_end{};  ///< an estimate; 0 when there is none
  std::size_t up = 0;            ///< nodes
  std::uint64_t events = 0;
};

struct Hooks {
  /// Asked about every 100 ms of virtual time; false ends the run early.
  std::function<bool(const Progress&)> progress{};
  /// Takes the spans of all nodes as OTLP JSON. Without it none are made.
  std::function<void(std::string_view)> spans{};
};

/// Thrown through a scenario when it was told to end, and caught by who runs it.
struct Interrupted {};

/// A marketplace in a simulation, as scenarios speak of it: nodes that find each other, packages,
/// what people do with them, and what must hold. Operations run the simulation until they are done.
class World final : public Observer {
 public:
  struct Setup {
    std::string scenario;
    std::string summary;
    std::uint32_t nodes = 0;
    /// How long the scenario is expected to take in virtual time, for estimates; of one whose
    /// duration can be chosen, how long it goes on.
    base::Duration duration{};
    FaultPlan faults{};
    /// Which of these are played; nothing: all.
    std::optional<std::vector<std::size_t>> keep_faults{};
  };
  World(Setup setup, Config config, std::unique_ptr<LatencyModel> latency, Hooks hooks);
  ~World() override;

  [[nodiscard]] Simulation& simulation() noexcept { return simulation_; }
  [[nodiscard]] base::Instant now() const noexcept { return simulation_.now(); }
  [[nodiscard]] std::uint32_t nodes() const noexcept { return setup_.nodes; }
  /// For the scenario's own choices.
  [[nodiscard]] base::Prng& prng() noexcept { return prng_; }
  [[nodiscard]] Metrics& metrics() noexcept { return metrics_; }
  [[nodiscard]] Invariants& invariants() noexcept { return invariants_; }

  // Nodes.

  /// A member of the marketplace with the settings that the program has by default, but for the
  /// number of connections.
  [[nodiscard]] static NodeSpec member(std::size_t connections = 50);
  /// Adds a node, starts it, and has it join by way of some of `bootstrap`.
  NodeIndex start(NodeSpec spec, std::span<const NodeIndex> bootstrap);
  /// Of so many nodes, the first to start, by way of whom populate() lets the others join.
  [[nodiscard]] static std::size_t known_to_all(std::size_t count);
  /// Adds `count` nodes that join by way of the first few, spread over a time that lets a network
  /// of that size form, and waits until every one has peers in its mesh.
  void populate(std::size_t count, const NodeSpec& spec = member());
  /// The same, of nodes that differ: `spec` is asked for the first, the second and so on.
  void populate(std::size_t count, const std::function<NodeSpec(std::size_t)>& spec);
  /// Starts a node again that is down; it joins as it did before.
  void restart(NodeIndex node);
  [[nodiscard]] std::vector<NodeIndex> up() const;
  /// Opens a connection, as an operator would who gives an address.
  void connect(NodeIndex from, NodeIndex to);

  /// Lets the run's faults begin: their times count from now.
  void play_faults();
  /// All of the run, those that are left out too: what it does does not depend on these.
  [[nodiscard]] const FaultPlan& faults() const noexcept { return setup_.faults; }
  /// All of them have ended.
  [[nodiscard]] bool healed() const { return now() >= healed_at_ && player_.active() == 0; }

  // Time.

  [[nodiscard]] base::Duration duration() const noexcept { return setup_.duration; }
  void run_for(base::Duration time);
  /// Until `done()`, asked every 10 ms; false when `limit` is over first.
  bool wait(const std::function<bool()>& done, base::Duration limit);
  /// Says what the run is doing, for people.
  void step(std::string_view what) { step_ = what; }

  // The marketplace.

  struct Publishing {
    NodeIndex node = 0;
    registry::OperationId id = 0;
  };
  /// Puts the archive on the node's disk and announces the release.
  Publishing start_publish(NodeIndex node, const Package& package);
  /// The entry's id; nothing when it was refused, or not done within a minute.
  std::optional<registry::EntryId> publish(NodeIndex node, const Package& package);
  [[nodiscard]] const registry::event::PublishDone* published(const Publishing& begun) const;
  /// Nodes that have the entry, the publisher's included, whether up or not.
  [[nodiscard]] std::size_t reached(const registry::EntryId& entry) const;
  /// Whether a node that is up has the entry, which somebody here published.
  [[nodiscard]] bool knows(NodeIndex node, const registry::EntryId& entry) const;
  /// Every node that is up has it, within `limit`.
  bool spread(const registry::EntryId& entry, base::Duration limit);

  /// The DHT has taken a record of who holds the archive, within `limit`.
  bool provided(const Package& package, base::Duration limit);

  [[nodiscard]] std::optional<registry::Resolved> resolve(NodeIndex node, std::string_view name);
  registry::OperationId start_search(NodeIndex node, std::vector<std::string> words,
                                     base::Duration timeout);
  [[nodiscard]] const registry::event::SearchDone* searched(NodeIndex node,
                                                            registry::OperationId id) const;
  /// Nothing when it did not end at all.
  std::optional<registry::event::SearchDone> search(NodeIndex node, std::vector<std::string> words,
                                                    base::Duration timeout);
  registry::OperationId start_fetch(NodeIndex node, const Package& package);
  [[nodiscard]] const registry::event::FetchDone* fetched(NodeIndex node,
                                                          registry::OperationId id) const;
  std::optional<registry::event::FetchDone> fetch(NodeIndex node, const Package& package,
                                                  base::Duration limit = std::chrono::minutes{2});

  // The DHT.

  using Query = std::expected<kad::QueryId, kad::InputError>;
  Query start_put_value(NodeIndex node, base::BytesView key, base::BytesView value);
  /// From all of the closest nodes.
  Query start_get_value(NodeIndex node, base::BytesView key);

  // How they ended; nothing when they did not, or were refused at once.

  std::optional<kad::QueryDone> put_value(NodeIndex node, base::BytesView key,
                                          base::BytesView value);
  std::optional<kad::QueryDone> get_value(NodeIndex node, base::BytesView key);
  /// Begins a lookup of the nodes nearest to `key`; nothing when it was refused.
  std::optional<kad::QueryId> start_closest(NodeIndex node, base::BytesView key);
  /// How it ended; null until then.
  [[nodiscard]] const kad::QueryDone* looked_up(NodeIndex node, kad::QueryId query) const;

  // What must hold.

  void check(std::string name, bool passed, std::string detail);
  [[nodiscard]] bool passed() const;
  /// After all that disturbed the network is over: waits until every node that is up knows all
  /// entries that any of them knows, at most for `limit`. Becomes a check as one of the invariants.
  bool settled(base::Duration limit);

  /// Ends the run: the report of all that was seen up to here, and its digest. Unless it was
  /// interrupted, all nodes then stop, which shows what has leaked.
  Report finish(bool interrupted);

  void output(NodeIndex node, const node::Output& output, base::Instant now) override;
  void stopped(NodeIndex node, base::Instant now) override;

 private:
  using Operation = std::pair<NodeIndex, registry::OperationId>;

  void entry_added(NodeIndex node, const registry::Entry& entry, base::Instant now);
  std::optional<kad::QueryDone> await_query(NodeIndex node, const Query& query);
  void began(NodeIndex node, const Query& query);
  void sample();
  void tick();
  [[nodiscard]] std::optional<std::string> missing() const;

  /// An entry that this run follows from node to node.
  struct Followed {
    base::Instant published;
    multiformats::PeerId publisher;
    std::uint64_t seq = 0;
    std::vector<bool> has;
    std::size_t count = 0;
  };

  Setup setup_;
  Config config_;
  Hooks hooks_;
  Simulation simulation_;
  Invariants invariants_;
  base::Prng prng_;
  Metrics metrics_;
  std::optional<SpanLog> spans_;
  std::string step_;
  base::Instant next_sample_;
  base::Instant next_telling_;
  std::map<NodeIndex, std::vector<NodeIndex>> bootstrap_;
  std::map<registry::EntryId, Followed> followed_;
  std::map<Operation, registry::event::PublishDone> published_;
  std::map<Operation, base::Instant> searching_;  // since when
  std::map<Operation, registry::event::SearchDone> searched_;
  std::map<Operation, registry::event::FetchDone> fetched_;
  std::set<crypto::Sha256Digest> provided_;
  std::map<std::pair<NodeIndex, kad::QueryId>, kad::QueryDone> queried_;
  FaultPlayer player_;
  base::Instant healed_at_;
  std::vector<ReportedFault> faults_;
  std::vector<Check> checks_;
};

}  // namespace ggen::p2p::sim
