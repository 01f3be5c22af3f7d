#include "sync_server.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::registry {

bool SyncServer::handle(const reqresp::Request& request, base::Instant now) {
  if (request.service != service_) return false;
  if (!ledger_.is_loaded()) {
    context_.below.requests.refuse(request.id);
    return true;
  }
  const auto decoded = decode_sync_request(request.message.map());
  if (!decoded) {
    context_.misbehaved(request.peer, "sent a sync request that is none");
    context_.below.requests.refuse(request.id);
    return true;
  }
  std::visit([&](const auto& one) { answer(request.id, one, now); }, *decoded);
  return true;
}

void SyncServer::answer(reqresp::ServedId id, const HeadsRequest& request, base::Instant now) {
  const auto limit = static_cast<std::size_t>(request.limit);
  HeadsResponse response{ledger_.catalog().heads(request.after, limit + 1), false};
  if (response.heads.size() > limit) {
    response.heads.pop_back();
    response.more = true;
  }
  context_.below.requests.respond(id, encode(response), 0, now);
  context_.below.requests.finish(id, now);
}

void SyncServer::answer(reqresp::ServedId id, const EntriesRequest& request, base::Instant now) {
  Serving serving;
  if (const PublisherLog* log = ledger_.catalog().log(request.publisher)) {
    for (std::uint64_t seq = request.range.first; seq <= request.range.last; ++seq) {
      const auto entry = log->entry(seq);
      if (!entry) break;
      serving.ids.push_back(*entry);
    }
  }
  if (serving.ids.empty()) return finish(id, serving, now);
  read(id, serving_.try_emplace(id, std::move(serving)).first);
}

void SyncServer::answer(reqresp::ServedId id, const ForkRequest& request, base::Instant now) {
  Serving serving;
  const PublisherLog* log = ledger_.catalog().log(request.publisher);
  if (log == nullptr || !log->fork()) return finish(id, serving, now);
  const Fork& fork = *log->fork();
  serving.response.envelopes.push_back(base::to_bytes(fork.theirs_envelope.view()));
  serving.ids.push_back(fork.ours);
  read(id, serving_.try_emplace(id, std::move(serving)).first);
}

void SyncServer::read(reqresp::ServedId id, const Serving& serving) {
  const auto first = serving.ids.begin() + static_cast<std::ptrdiff_t>(serving.next);
  const std::size_t count = std::min(kReadAtOnce, serving.ids.size() - serving.next);
  store::ReadEntries op{{first, first + static_cast<std::ptrdiff_t>(count)}};
  context_.storage.submit(std::move(op), [this, id](StoreResult result, base::Instant now) {
    send(id, std::move(result), now);
  });
}

void SyncServer::send(reqresp::ServedId id, StoreResult result, base::Instant now) {
  Serving* serving = serving_.find(id);
  if (serving == nullptr) return;
  const auto entries = taken<store::Entries>(std::move(result));
  if (!entries) {
    context_.storage_failed(entries.error());
    serving_.erase(id);
    context_.below.requests.refuse(id);
    return;
  }
  for (const auto& envelope : entries->envelopes) {
    if (!envelope) continue;
    serving->bytes += envelope->size();
    if (serving->bytes > kMaxSyncAnswerBytes) return finish(id, *serving, now);
    if (!serving->response.has_room(envelope->size())) respond(id, *serving, now);
    serving->response.envelopes.push_back(base::to_bytes(envelope->view()));
  }
  serving->next += kReadAtOnce;
  if (serving->next >= serving->ids.size()) return finish(id, *serving, now);
  read(id, *serving);
}

void SyncServer::respond(reqresp::ServedId id, Serving& serving, base::Instant now) {
  const EntriesResponse response = std::exchange(serving.response, {});
  context_.below.requests.respond(id, encode(response), 0, now);
  serving.responded = true;
}

void SyncServer::finish(reqresp::ServedId id, Serving& serving, base::Instant now) {
  if (!serving.responded || !serving.response.envelopes.empty()) respond(id, serving, now);
  context_.below.requests.finish(id, now);
  serving_.erase(id);
}

}  // namespace ggen::p2p::registry
