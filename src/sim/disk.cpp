#include <algorithm>
#include <variant>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/sim/disk.hpp>

namespace ggen::p2p::sim {

using registry::StoreError;
using registry::StoreResult;
namespace store = registry::store;

namespace {

base::Duration transfer_time(std::uint64_t bytes, std::uint64_t bytes_per_second) {
  if (bytes_per_second == 0) return {};
  const double seconds = static_cast<double>(bytes) / static_cast<double>(bytes_per_second);
  return base::Duration{static_cast<base::Duration::rep>(seconds * 1e9)};
}

std::unexpected<StoreError> error(StoreError::Kind kind) {
  return std::unexpected(StoreError{kind, "simulated"});
}

bool takes_room(const registry::StoreOp& op) {
  return std::holds_alternative<store::Append>(op) ||
         std::holds_alternative<store::CreateBlob>(op) ||
         std::holds_alternative<store::WriteChunk>(op);
}
bool changes_something(const registry::StoreOp& op) {
  return takes_room(op) || std::holds_alternative<store::RemoveBlob>(op) ||
         std::holds_alternative<store::IndexApply>(op);
}

}  // namespace

Disk::Disk(const DiskModel& model, base::Prng prng) : prng_(prng) {
  set_model(model);
}
Disk::Disk(const DiskModel& model, base::Prng prng, BlobPool& pool) : prng_(prng), storage_(pool) {
  set_model(model);
}

void Disk::set_model(const DiskModel& model) {
  GGEN_INVARIANT(base::Duration{} <= model.min_latency && model.min_latency <= model.max_latency);
  model_ = model;
}

Disk::Planned Disk::begin(registry::Store operation, base::Instant now) {
  const std::uint64_t bytes = storage_.transfer_of(operation.op);
  busy_until_ = std::max(busy_until_, now) + transfer_time(bytes, model_.bytes_per_second);
  const auto spread = static_cast<std::uint64_t>((model_.max_latency - model_.min_latency).count());
  const std::uint64_t drawn = prng_.below(spread + 1);
  const base::Duration latency =
      model_.min_latency + base::Duration{static_cast<base::Duration::rep>(drawn)};
  const Fault fault = draw_fault(operation.op);
  const Ticket ticket = next_ticket_++;
  under_way_.push_back({ticket, bytes, fault, std::move(operation)});
  return {ticket, busy_until_ + latency};
}

Disk::Fault Disk::draw_fault(const registry::StoreOp& op) {
  const bool fails = prng_.chance(model_.fail);
  const double other = prng_.unit();
  if (fails) return Fault::kFail;
  const bool can_be_lost =
      std::holds_alternative<store::Append>(op) || std::holds_alternative<store::WriteChunk>(op);
  if (can_be_lost && other < model_.lose_write) return Fault::kLose;
  if (std::holds_alternative<store::ReadChunk>(op) && other < model_.rot) return Fault::kRot;
  return Fault::kNone;
}

std::optional<registry::StoreDone> Disk::finish(Ticket ticket) {
  const auto at = std::ranges::find(under_way_, ticket, &UnderWay::ticket);
  if (at == under_way_.end()) return std::nullopt;
  UnderWay one = std::move(*at);
  under_way_.erase(at);
  ++counters_.operations;
  counters_.bytes += one.bytes;
  const registry::StoreId id = one.operation.id;
  StoreResult result = run(std::move(one));
  if (!result && result.error().kind == StoreError::Kind::kFull) ++counters_.full;
  return registry::StoreDone{id, std::move(result)};
}

bool Disk::has_room(const registry::StoreOp& op, std::uint64_t bytes) const {
  return model_.capacity == 0 || !takes_room(op) ||
         storage_.bytes_used() + bytes <= model_.capacity;
}

StoreResult Disk::run(UnderWay one) {
  registry::StoreOp& op = one.operation.op;
  if (one.fault == Fault::kFail) {
    ++counters_.failed;
    return error(StoreError::Kind::kIo);
  }
  if (!has_room(op, one.bytes)) return error(StoreError::Kind::kFull);
  const bool lost = one.fault == Fault::kLose;
  if (auto* to_append = std::get_if<store::Append>(&op)) return append(std::move(*to_append), lost);
  if (auto* to_write = std::get_if<store::WriteChunk>(&op))
    return write(std::move(*to_write), lost);
  if (const auto* to_read = std::get_if<store::ReadChunk>(&op)) {
    return read(*to_read, one.fault == Fault::kRot);
  }
  return storage_.run(std::move(op));
}

StoreResult Disk::append(store::Append op, bool lost) {
  const std::uint64_t before = storage_.journal_size();
  auto result = storage_.run(std::move(op));
  if (!result) return result;
  if (!lost) {
    durable_records_.reset();
  } else if (!durable_records_) {
    durable_records_ = before;
  }
  return result;
}

StoreResult Disk::write(store::WriteChunk op, bool lost) {
  const std::pair chunk{op.root, op.index};
  auto result = storage_.run(std::move(op));
  if (!result) return result;
  if (lost) {
    cached_chunks_.insert(chunk);
  } else {
    cached_chunks_.erase(chunk);
  }
  return result;
}

StoreResult Disk::read(const store::ReadChunk& op, bool rots) {
  if (rots && storage_.damage_chunk(op.root, op.index)) ++counters_.rotted;
  return storage_.run(op);
}

void Disk::crash() {
  ++counters_.crashes;
  auto interrupted = std::exchange(under_way_, {});
  counters_.interrupted += interrupted.size();
  for (UnderWay& one : interrupted) interrupt(std::move(one));
  lose_cache();
  busy_until_ = {};
}

// Whoever asked for the operation does not hear what came of it.
void Disk::interrupt(UnderWay one) {
  const double how = prng_.unit();
  const double much = prng_.unit();
  registry::StoreOp& op = one.operation.op;
  if (!changes_something(op) || one.fault == Fault::kFail || one.fault == Fault::kLose) return;
  auto* to_append = std::get_if<store::Append>(&op);
  if (to_append != nullptr && durable_records_) return;  // what is before it is about to be lost
  if (to_append != nullptr && how < model_.tear) {
    const auto count = static_cast<double>(to_append->records.size());
    const auto kept = static_cast<std::ptrdiff_t>(much * count);
    to_append->records.erase(to_append->records.begin() + kept, to_append->records.end());
    ++counters_.torn;
  } else if (much < 0.5) {
    return;
  }
  static_cast<void>(run(std::move(one)));
}

void Disk::lose_cache() {
  if (durable_records_) {
    counters_.lost_records += storage_.journal_size() - *durable_records_;
    storage_.truncate_journal(*durable_records_);
    durable_records_.reset();
  }
  for (const auto& [root, index] : std::exchange(cached_chunks_, {})) {
    if (storage_.damage_chunk(root, index)) ++counters_.lost_chunks;
  }
}

void Disk::wipe() {
  crash();
  storage_.clear();
}

}  // namespace ggen::p2p::sim
