#include <utility>

#include "dialer.hpp"

namespace ggen::p2p::swarm {

using multiformats::Multiaddr;

void Dialer::start_lookups(JobId id, Job& job) {
  while (!job.lookups.empty()) {
    if (resolving_.size() >= config_.max_resolves) {
      if (!job.waits_for_lookup) lookup_queue_.push_back(id);
      job.waits_for_lookup = true;
      return;
    }
    const ResolveId resolve = resolving_.emplace(Resolving{id, std::move(job.lookups.front())});
    job.lookups.erase(job.lookups.begin());
    job.resolving.push_back(resolve);
    const DialTarget& target = resolving_.find(resolve)->lookup.target;
    if (const auto* const host = std::get_if<HostTarget>(&target)) {
      world_.outbox.push(output::ResolveHost{resolve, host->name, host->family});
    } else {
      const auto& records = std::get<RecordTarget>(target);
      world_.outbox.push(output::ResolveText{resolve, "_dnsaddr." + records.name});
    }
  }
}

std::optional<Dialer::Answered> Dialer::end_lookup(ResolveId id) {
  Resolving* const found = resolving_.find(id);
  if (found == nullptr) return std::nullopt;
  const JobId job_id = found->job;
  Lookup lookup = std::move(found->lookup);
  resolving_.erase(id);
  Job* const job = jobs_.find(job_id);
  if (job == nullptr) return std::nullopt;
  std::erase(job->resolving, id);
  return Answered{job_id, *job, std::move(lookup)};
}

void Dialer::resolved(ResolveId id, std::expected<std::vector<IpAddress>, ResolveError> result,
                      base::Instant now) {
  if (const auto answered = end_lookup(id)) {
    const auto& [job_id, job, lookup] = *answered;
    const auto* const host = std::get_if<HostTarget>(&lookup.target);
    std::vector<Multiaddr> addresses;
    if (result && host != nullptr) {
      for (const IpAddress& ip : of_family(*result, host->family, config_.max_resolved)) {
        const Multiaddr bare = IpEndpoint{ip, host->port}.to_multiaddr();
        addresses.push_back(lookup.expected ? bare.with_peer_id(*lookup.expected) : bare);
      }
    }
    lookup_done(*answered, result ? std::nullopt : std::optional(result.error()), addresses, now);
  }
  pump(now);
}

void Dialer::resolved_text(ResolveId id,
                           std::expected<std::vector<std::string>, ResolveError> result,
                           base::Instant now) {
  if (const auto answered = end_lookup(id)) {
    const auto* const target = std::get_if<RecordTarget>(&answered->lookup.target);
    std::vector<Multiaddr> addresses;
    if (result && target != nullptr) {
      addresses = dnsaddr_records(*result, target->suffix, config_.max_resolved);
    }
    // A name may stand for many peers: those not asked for are no failures.
    std::erase_if(addresses, [&](const Multiaddr& address) {
      const auto named = address.peer_id();
      return answered->job.peer && named && named != answered->job.peer;
    });
    lookup_done(*answered, result ? std::nullopt : std::optional(result.error()), addresses, now);
  }
  pump(now);
}

void Dialer::lookup_done(const Answered& answered, std::optional<ResolveError> error,
                         const std::vector<Multiaddr>& addresses, base::Instant now) {
  const auto& [job_id, job, lookup] = answered;
  bool useful = false;
  for (const Multiaddr& address : addresses) {
    useful = consider(job, address, lookup.depth + 1) || useful;
  }
  if (error) {
    job.plan.failed(lookup.address, *error);
  } else if (!useful) {
    job.plan.failed(lookup.address, NotTried::kNoRecords);
  }
  replan(job_id, now);
}

}  // namespace ggen::p2p::swarm
