#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/sim/world.hpp>

namespace ggen::p2p::sim {
namespace {

constexpr base::Duration kTick = std::chrono::milliseconds{10};
constexpr base::Duration kSampling = std::chrono::seconds{1};
constexpr base::Duration kTelling = std::chrono::milliseconds{100};
constexpr base::Duration kAnswer = std::chrono::minutes{1};
// A search may look into its own index once more when the time for peers is over.
constexpr base::Duration kLastLook = std::chrono::milliseconds{1100};
// For what is under way when all nodes have stopped.
constexpr base::Duration kWindDown = std::chrono::minutes{10};
// A newcomer is told this many addresses, of so many that are known to all: of a hundred nodes one
// in a large network.
constexpr std::size_t kBootstrapTold = 3;
constexpr std::size_t kBootstrapNodes = 10;
constexpr std::size_t kNodesForOneKnown = 100;
// A node that is known to all is asked by one newcomer in this time.
constexpr base::Duration kNewcomers = std::chrono::milliseconds{200};

std::string hex(const crypto::Sha256Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace

World::World(Setup setup, Config config, std::unique_ptr<LatencyModel> latency, Hooks hooks)
    : setup_(std::move(setup)),
      config_(config),
      hooks_(std::move(hooks)),
      simulation_(config, std::move(latency)),
      invariants_(simulation_),
      prng_(simulation_.prng("scenario")),
      metrics_(simulation_),
      player_(simulation_, config.disk, [this](NodeIndex node) { restart(node); }) {
  if (hooks_.spans) spans_.emplace(simulation_, config_.started, hooks_.spans);
  simulation_.observe(*this);
}

World::~World() = default;

// ---- Nodes ----

NodeSpec World::member(std::size_t connections) {
  NodeSpec spec;
  spec.node.kad.emplace();
  spec.node.gossipsub.emplace();
  spec.node.swarm.limits = swarm::Config::Limits::for_connections(connections);
  spec.node.swarm.trimming = swarm::Config::Trimming::for_connections(connections);
  // Nobody reads them here, and full ones are a sixteenth of a node's memory.
  spec.node.swarm.history = {.max_closed = 8, .max_refused = 8, .max_failed_dials = 8};
  spec.publishes = true;
  return spec;
}

NodeIndex World::start(NodeSpec spec, std::span<const NodeIndex> bootstrap) {
  const NodeIndex node = simulation_.add(std::move(spec));
  bootstrap_[node].assign(bootstrap.begin(), bootstrap.end());
  restart(node);
  return node;
}

void World::restart(NodeIndex node) {
  simulation_.start(node);
  const auto& bootstrap = bootstrap_[node];
  if (bootstrap.empty()) return;
  if (spans_) spans_->of(node).joined(simulation_.id(node), bootstrap.size(), now());
  simulation_.join(node, bootstrap);
}

std::size_t World::known_to_all(std::size_t count) {
  return std::min(count, std::max(kBootstrapNodes, count / kNodesForOneKnown));
}

void World::populate(std::size_t count, const NodeSpec& spec) {
  populate(count, [&](std::size_t) { return spec; });
}

void World::populate(std::size_t count, const std::function<NodeSpec(std::size_t)>& spec) {
  step("nodes join");
  const auto first = static_cast<NodeIndex>(simulation_.size());
  const std::size_t known = known_to_all(count);
  const base::Duration spread = kNewcomers * static_cast<std::int64_t>(count / known);
  for (std::size_t i = 0; i < count; ++i) {
    const NodeIndex node = simulation_.add(spec(i));
    auto& bootstrap = bootstrap_[node];
    for (std::size_t k = 0; k < kBootstrapTold && i > 0; ++k) {
      const auto other = first + static_cast<NodeIndex>(prng_.below(std::min(i, known)));
      if (std::ranges::find(bootstrap, other) == bootstrap.end()) bootstrap.push_back(other);
    }
    const auto pause =
        i < known ? base::Duration{std::chrono::milliseconds{i * 10}}
                  : base::Duration{static_cast<std::int64_t>(
                        prng_.below(static_cast<std::uint64_t>(base::Duration{spread}.count())))};
    simulation_.at(now() + pause, [this, node] { restart(node); });
  }
  run_for(spread + std::chrono::seconds{1});
  NodeIndex next = first;  // all before it were seen in a mesh, and seldom are left without one
  const bool meshed = wait(
      [&] {
        for (; next < first + count; ++next) {
          if (!simulation_.is_up(next)) return false;
          const auto* gossip = simulation_.node(next).gossipsub();
          if (count > 1 && gossip->mesh(registry::kUpdatesTopic).empty()) return false;
        }
        return true;
      },
      std::chrono::minutes{2});
  check("every node has joined", meshed, fmt::format("{} nodes", up().size()));
}

std::vector<NodeIndex> World::up() const {
  std::vector<NodeIndex> nodes;
  for (NodeIndex i = 0; i < simulation_.size(); ++i) {
    if (simulation_.is_up(i)) nodes.push_back(i);
  }
  return nodes;
}

void World::connect(NodeIndex from, NodeIndex to) {
  swarm::DialRequest request{
      simulation_.id(to), {simulation_.network().address(to)}, swarm::Purpose::kUser, true};
  simulation_.drive(from, [&](node::Node& n) { n.swarm(now()).dial(std::move(request), now()); });
}

// ---- Faults ----

void World::play_faults() {
  const auto& keep = setup_.keep_faults;
  for (std::size_t i = 0; i < setup_.faults.size(); ++i) {
    if (keep && std::ranges::find(*keep, i) == keep->end()) continue;
    const PlannedFault planned{i, setup_.faults[i]};
    const base::Instant begins = now() + planned.fault.at;
    const base::Instant ends = begins + planned.fault.lasts;
    faults_.push_back({planned.index, begins, describe(planned.fault)});
    simulation_.at(begins, [this, planned] { player_.begin(planned); });
    simulation_.at(ends, [this, index = planned.index] { player_.end(index); });
    healed_at_ = std::max(healed_at_, ends);
  }
}

// ---- Time ----

// Looks around, and tells how far the run is.
void World::tick() {
  if (now() >= next_sample_) {
    next_sample_ = now() + kSampling;
    metrics_.sample(now());
    invariants_.sample();
  }
  if (!hooks_.progress || now() < next_telling_) return;
  next_telling_ = now() + kTelling;
  const Progress progress{step_, now().time_since_epoch(), setup_.duration, up().size(),
                          simulation_.events()};
  if (!hooks_.progress(progress)) throw Interrupted{};
}

void World::run_for(base::Duration time) {
  const base::Instant end = now() + time;
  while (now() < end) {
    simulation_.run_for(std::min(kTick, base::Duration{end - now()}));
    tick();
  }
}

bool World::wait(const std::function<bool()>& done, base::Duration limit) {
  const base::Instant end = now() + limit;
  while (!done()) {
    if (now() >= end) return false;
    run_for(kTick);
  }
  return true;
}

// ---- The marketplace ----

World::Publishing World::start_publish(NodeIndex node, const Package& package) {
  invariants_.published(package);
  simulation_.disk(node).storage().import(package.archive, package.hashes, package.bytes.view());
  registry::OperationId id = 0;
  simulation_.drive(node, [&](node::Node& n) {
    registry::Engine& engine = n.registry(now());
    engine.adopt_archive(package.archive, now());
    id = engine.publish(package.metadata, package.archive, now());
    published_.erase({node, id});  // of an earlier life
    if (spans_) {
      spans_->of(node).publish_started(id, *engine.publisher(), package.metadata, package.archive,
                                       now());
    }
  });
  return {node, id};
}

std::optional<registry::EntryId> World::publish(NodeIndex node, const Package& package) {
  const Publishing begun = start_publish(node, package);
  const Operation operation{begun.node, begun.id};
  if (!wait([&] { return published_.contains(operation); }, kAnswer)) return std::nullopt;
  const auto& done = published_.at(operation);
  return done.result ? std::optional{*done.result} : std::nullopt;
}

const registry::event::PublishDone* World::published(const Publishing& begun) const {
  const auto found = published_.find({begun.node, begun.id});
  return found == published_.end() ? nullptr : &found->second;
}

std::size_t World::reached(const registry::EntryId& entry) const {
  const auto found = followed_.find(entry);
  return found == followed_.end() ? 0 : found->second.count;
}

bool World::knows(NodeIndex node, const registry::EntryId& entry) const {
  const auto& followed = followed_.at(entry);
  const registry::Engine* engine = simulation_.node(node).registry();
  if (engine == nullptr) return false;
  const auto* log = engine->catalog().log(followed.publisher);
  return log != nullptr && log->entry(followed.seq) == entry;
}

bool World::spread(const registry::EntryId& entry, base::Duration limit) {
  return wait(
      [&] { return std::ranges::all_of(up(), [&](NodeIndex node) { return knows(node, entry); }); },
      limit);
}

bool World::provided(const Package& package, base::Duration limit) {
  return wait([&] { return provided_.contains(package.archive.root); }, limit);
}

std::optional<registry::Resolved> World::resolve(NodeIndex node, std::string_view name) {
  const auto reference = registry::Reference::parse(name);
  if (!reference) return std::nullopt;
  const auto result = simulation_.node(node).registry()->catalog().resolve(*reference);
  if (spans_) {
    auto& tracker = spans_->of(node);
    tracker.resolve_done(tracker.resolve_started(*reference, now()), result, now());
  }
  return result ? std::optional{*result} : std::nullopt;
}

registry::OperationId World::start_search(NodeIndex node, std::vector<std::string> words,
                                          base::Duration timeout) {
  registry::SearchRequest request;
  request.words = std::move(words);
  const base::Duration limit =
      std::min(timeout, simulation_.spec(node).registry.search.max_timeout) + kLastLook;
  registry::OperationId id = 0;
  simulation_.drive(node, [&](node::Node& n) {
    id = n.registry(now()).search(request, timeout, now());
    searched_.erase({node, id});  // of an earlier life
    searching_.insert_or_assign({node, id}, now());
    invariants_.began(node, Invariants::Lookup::kSearch, id, limit);
    if (spans_) spans_->of(node).search_started(id, request, now());
  });
  return id;
}

const registry::event::SearchDone* World::searched(NodeIndex node, registry::OperationId id) const {
  const auto found = searched_.find({node, id});
  return found == searched_.end() ? nullptr : &found->second;
}

std::optional<registry::event::SearchDone> World::search(NodeIndex node,
                                                         std::vector<std::string> words,
                                                         base::Duration timeout) {
  const auto id = start_search(node, std::move(words), timeout);
  if (!wait([&] { return searched(node, id) != nullptr; }, timeout + kAnswer)) return std::nullopt;
  return *searched(node, id);
}

registry::OperationId World::start_fetch(NodeIndex node, const Package& package) {
  registry::OperationId id = 0;
  const NodeSpec& spec = simulation_.spec(node);
  // To find who holds it, and to get nothing from them.
  const base::Duration limit = spec.node.kad->query.timeout + spec.registry.fetch.give_up_after;
  simulation_.drive(node, [&](node::Node& n) {
    id = n.registry(now()).fetch(package.archive, {}, now());
    fetched_.erase({node, id});
    invariants_.began(node, Invariants::Lookup::kFetch, id, limit);
    if (spans_) spans_->of(node).fetch_started(id, package.archive, now());
  });
  return id;
}

const registry::event::FetchDone* World::fetched(NodeIndex node, registry::OperationId id) const {
  const auto found = fetched_.find({node, id});
  return found == fetched_.end() ? nullptr : &found->second;
}

std::optional<registry::event::FetchDone> World::fetch(NodeIndex node, const Package& package,
                                                       base::Duration limit) {
  const auto id = start_fetch(node, package);
  if (!wait([&] { return fetched(node, id) != nullptr; }, limit)) return std::nullopt;
  return *fetched(node, id);
}

// ---- The DHT ----

void World::began(NodeIndex node, const Query& query) {
  if (!query) return;
  invariants_.began(node, Invariants::Lookup::kQuery, query->value(),
                    simulation_.spec(node).node.kad->query.timeout);
}

World::Query World::start_put_value(NodeIndex node, base::BytesView key, base::BytesView value) {
  Query started;
  simulation_.drive(node, [&](node::Node& n) {
    invariants_.put_value(node, key, value);
    started = n.kad(now()).put_value(key, value, now());
    began(node, started);
    if (!started) return;
    queried_.erase({node, *started});  // of an earlier life
    if (spans_) spans_->of(node).dht_put_started(*started, key, now());
  });
  return started;
}

World::Query World::start_get_value(NodeIndex node, base::BytesView key) {
  Query started;
  simulation_.drive(node, [&](node::Node& n) {
    started = n.kad(now()).get_value(key, 0, now());
    began(node, started);
    if (!started) return;
    queried_.erase({node, *started});
    if (spans_) spans_->of(node).dht_get_started(*started, key, now());
  });
  return started;
}

std::optional<kad::QueryDone> World::put_value(NodeIndex node, base::BytesView key,
                                               base::BytesView value) {
  return await_query(node, start_put_value(node, key, value));
}

std::optional<kad::QueryDone> World::get_value(NodeIndex node, base::BytesView key) {
  return await_query(node, start_get_value(node, key));
}

std::optional<kad::QueryId> World::start_closest(NodeIndex node, base::BytesView key) {
  Query started;
  simulation_.drive(node, [&](node::Node& n) {
    started = n.kad(now()).closest(key, now());
    began(node, started);
    if (started) queried_.erase({node, *started});
  });
  return started ? std::optional{*started} : std::nullopt;
}

const kad::QueryDone* World::looked_up(NodeIndex node, kad::QueryId query) const {
  const auto found = queried_.find({node, query});
  return found == queried_.end() ? nullptr : &found->second;
}

std::optional<kad::QueryDone> World::await_query(NodeIndex node, const Query& query) {
  if (!query) return std::nullopt;
  if (!wait([&] { return looked_up(node, *query) != nullptr; }, 2 * kAnswer)) return std::nullopt;
  return queried_.extract({node, *query}).mapped();
}

// ---- What nodes say ----

void World::output(NodeIndex node, const node::Output& output, base::Instant now) {
  if (spans_) spans_->observe(node, output, now);
  if (const auto* done = std::get_if<kad::QueryDone>(&output)) {
    metrics_.looked_up(*done);
    queried_.insert_or_assign({node, done->id}, *done);
    return;
  }
  const auto* of_registry = std::get_if<registry::Output>(&output);
  if (of_registry == nullptr) return;
  if (const auto* added = std::get_if<registry::event::EntryAdded>(of_registry)) {
    entry_added(node, added->entry, now);
  } else if (const auto* done = std::get_if<registry::event::PublishDone>(of_registry)) {
    published_.insert_or_assign({node, done->id}, *done);
  } else if (const auto* found = std::get_if<registry::event::SearchDone>(of_registry)) {
    if (const auto began = searching_.extract(Operation{node, found->id})) {
      metrics_.searched(*found, now - began.mapped());
    }
    searched_.insert_or_assign({node, found->id}, *found);
  } else if (const auto* provided = std::get_if<registry::event::Provided>(of_registry)) {
    if (provided->placed.stored > 0) provided_.insert(provided->root);
  } else if (const auto* fetch = std::get_if<registry::event::FetchDone>(of_registry)) {
    metrics_.fetched(*fetch);
    fetched_.insert_or_assign({node, fetch->id}, *fetch);
  }
}

void World::stopped(NodeIndex node, base::Instant now) {
  if (spans_) spans_->stopped(node, now);
}

// The first to have an entry is its publisher: it commits before it announces.
void World::entry_added(NodeIndex node, const registry::Entry& entry, base::Instant now) {
  const registry::Statement& statement = entry.statement;
  const auto [found, first] =
      followed_.try_emplace(entry.id, Followed{now, statement.publisher, statement.seq, {}, 0});
  Followed& followed = found->second;
  if (followed.has.size() <= node) followed.has.resize(node + 1);
  if (followed.has[node]) return;  // once more, after its disk lost it
  followed.has[node] = true;
  ++followed.count;
  if (!first) metrics_.entry_reached(now - followed.published);
  metrics_.set_reached(followed.has);
}

// ---- The end ----

void World::check(std::string name, bool passed, std::string detail) {
  checks_.push_back({std::move(name), passed, std::move(detail)});
}

bool World::passed() const {
  return std::ranges::all_of(checks_, &Check::passed);
}

bool World::settled(base::Duration limit) {
  step("the network settles");
  const base::Instant end = now() + limit;
  auto still = missing();
  while (still && now() < end) {
    run_for(std::chrono::seconds{1});
    still = missing();
  }
  invariants_.settled(!still, still.value_or(""));
  return !still;
}

// The first thing that one node knows and another does not. What there is to know are the heads of
// all logs: an entry brings those before it. The two sides of a fork are as good as each other.
std::optional<std::string> World::missing() const {
  std::map<multiformats::PeerId, registry::Catalog::PublisherHead> newest;
  std::vector<NodeIndex> nodes;
  for (const NodeIndex node : up()) {
    const registry::Engine* registry = simulation_.node(node).registry();
    if (registry == nullptr || !simulation_.spec(node).checked) continue;
    if (!registry->is_loaded()) return fmt::format("node {} has not read its journal", node);
    nodes.push_back(node);
    for (auto& head : registry->catalog().heads(std::nullopt, registry->catalog().size())) {
      const auto [known, first] = newest.try_emplace(head.publisher, head);
      if (!first && known->second.head.seq < head.head.seq) known->second = head;
    }
  }
  for (const auto& [publisher, head] : newest) {
    for (const NodeIndex node : nodes) {
      const auto* log = simulation_.node(node).registry()->catalog().log(publisher);
      const bool knows = log != nullptr && (log->fork() || log->head() == head.head);
      if (knows) continue;
      return fmt::format("node {} does not know entry {} of {}", node, head.head.seq,
                         publisher.to_string());
    }
  }
  return std::nullopt;
}

Report World::finish(bool interrupted) {
  invariants_.sample();
  Report report;
  report.scenario = setup_.scenario;
  report.summary = setup_.summary;
  report.seed = config_.seed;
  report.nodes = setup_.nodes;
  report.fidelity = config_.fidelity == Fidelity::kWire ? "wire" : "message";
  report.virtual_time = now().time_since_epoch();
  report.events = simulation_.events();
  report.interrupted = interrupted;
  report.checks = checks_;
  report.faults = faults_;
  metrics_.write(report, published_.size());
  if (spans_) spans_->finish(now());
  report.digest = hex(simulation_.digest());
  if (!interrupted) {
    simulation_.ignore(*this);
    const bool at_rest = simulation_.wind_down(kWindDown);
    simulation_.discard();
    invariants_.ended(at_rest);
  }
  for (Check& check : invariants_.checks()) report.checks.push_back(std::move(check));
  return report;
}

}  // namespace ggen::p2p::sim
