#include "search_server.hpp"

namespace ggen::p2p::registry {

bool SearchServer::handle(const reqresp::Request& request) {
  if (request.service != service_) return false;
  const auto decoded = decode_search_request(request.message.map());
  if (!decoded) context_.misbehaved(request.peer, "sent a search request that is none");
  if (!decoded || !ledger_.is_loaded() || under_way_ >= context_.config.search.max_active) {
    context_.below.requests.refuse(request.id);
    return true;
  }
  serving_.insert(request.id);
  ++under_way_;
  search_.run(*decoded,
              [this, id = request.id](std::vector<LocalSearch::Found> found, base::Instant now) {
                --under_way_;
                if (serving_.erase(id) > 0) answer(id, found, now);
              });
  return true;
}

void SearchServer::answer(reqresp::ServedId id, const std::vector<LocalSearch::Found>& found,
                          base::Instant now) {
  SearchResponse response;
  for (const LocalSearch::Found& one : found) {
    if (!response.has_room(one.envelope.size())) break;
    response.results.push_back(
        {base::to_bytes(one.envelope.view()), archives_.is_whole(one.release.archive.root)});
  }
  context_.below.requests.respond(id, encode(response), 0, now);
  context_.below.requests.finish(id, now);
}

}  // namespace ggen::p2p::registry
