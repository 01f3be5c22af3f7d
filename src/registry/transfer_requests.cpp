#include <algorithm>
#include <utility>

#include "transfer.hpp"

// What a fetch asks of its peers, and what becomes of their answers.
namespace ggen::p2p::registry {
namespace {

// A bound for the case that nothing else ends a request: chunk_timeout does so long before.
constexpr base::Duration kLongestRequest = std::chrono::hours{1};

base::Buffer joined(base::ByteQueue& queue) {
  base::Buffer bytes = base::Buffer::allocate(queue.size());
  queue.read(bytes.writable());
  return bytes;
}

}  // namespace

void Transfer::ask_list(std::size_t provider, base::Instant now) {
  providers_[provider].listing = true;
  Request request{.provider = provider, .list = true, .asked = now, .moved = now};
  send(encode(ListRequest{archive_.root}), std::move(request), now);
}

void Transfer::ask_chunks(std::size_t provider, ChunkRange chunks, base::Instant now) {
  plan_->ask(chunks);
  Request request{.provider = provider, .chunks = chunks, .asked = now, .moved = now};
  send(encode(ChunksRequest{archive_.root, chunks.first, chunks.size()}), std::move(request), now);
}

void Transfer::send(const reqresp::MapBuilder& message, Request request, base::Instant now) {
  Provider& provider = providers_[request.provider];
  ++provider.requests;
  const reqresp::RequestId id =
      below_.requests.request(provider.source.peer, below_.service, message, kLongestRequest, now);
  requests_.try_emplace(id, std::move(request));
}

bool Transfer::handle(reqresp::Response& response, base::Instant now) {
  Request* request = requests_.find(response.id);
  if (request == nullptr) return false;
  if (request->list) {
    on_list(response.id, *request, response, now);
  } else {
    on_chunk(*request, response, now);
  }
  schedule(now);
  return true;
}

void Transfer::on_list(reqresp::RequestId id, Request& request, reqresp::Response& response,
                       base::Instant now) {
  const std::size_t index = request.provider;
  Provider& provider = providers_[index];
  if (request.listed || request.expected > 0) return leave(index, Conduct::kUseless, now);
  auto list = decode_list_response(response.message.map(), response.body, archive_);
  if (!list) return leave(index, Conduct::kUseless, now);
  if (!list->chunks) return leave(index, Conduct::kFailed, now);
  if (provider.guess) guessed_right(provider);
  if (stage_ == Stage::kList) {
    request.listed = std::move(list->chunks);
    request.expected = response.body;
    return;
  }
  // The hashes are known: there is no need to wait for them once more.
  provider.have = std::move(list->chunks);
  provider.told = now;
  drop(id, true);
}

void Transfer::on_chunk(Request& request, reqresp::Response& response, base::Instant now) {
  const std::size_t provider = request.provider;
  if (request.chunks.size() == 0) return leave(provider, Conduct::kUseless, now);
  const auto chunk =
      decode_chunk_response(response.message.map(), response.body, archive_, request.chunks.first);
  if (!chunk) return leave(provider, Conduct::kUseless, now);
  if (chunk->missing) return leave(provider, Conduct::kFailed, now);
  request.expected = response.body;
}

bool Transfer::handle(reqresp::ResponseBody& body, base::Instant now) {
  Request* request = requests_.find(body.id);
  if (request == nullptr) return false;
  request->charged += body.data.size();
  request->body.push(std::move(body.data));
  if (request->body.size() < request->expected) {
    release_surplus(body.id, *request, now);
    return true;
  }
  request->expected = 0;
  if (request->list) {
    on_list_body(body.id, *request, now);
  } else {
    on_chunk_body(body.id, *request, now);
  }
  schedule(now);
  return true;
}

// Gives free what a chunk in the making may not hold back. While an earlier chunk of the request
// waits for the disk, nothing is.
void Transfer::release_surplus(reqresp::RequestId id, Request& request, base::Instant now) {
  if (request.writing > 0 || request.charged <= kHeldBack) return;
  below_.requests.consume(id, request.charged - kHeldBack, now);
  request.charged = kHeldBack;
}

void Transfer::on_list_body(reqresp::RequestId id, Request& request, base::Instant now) {
  const std::size_t index = request.provider;
  const base::Buffer body = joined(request.body);
  auto chunks = read_chunk_list(body.view(), archive_);
  if (!chunks) return leave(index, Conduct::kLied, now);
  Provider& provider = providers_[index];
  provider.have = std::move(request.listed);
  provider.told = now;
  drop(id, true);
  if (stage_ != Stage::kList) return;
  progress_ = now;
  stage_ = Stage::kCreating;
  outputs_.push(store::CreateBlob{archive_, std::move(*chunks)});
}

void Transfer::on_chunk_body(reqresp::RequestId id, Request& request, base::Instant now) {
  const std::uint64_t index = request.chunks.first++;
  const base::Duration latency = now - request.moved;
  request.moved = now;
  ++request.delivered;
  base::Buffer bytes = joined(request.body);
  const std::size_t charged = std::exchange(request.charged, 0);
  if (!plan_->needs(index)) {
    // Somebody else was faster.
    plan_->release({index, index + 1});
    below_.requests.consume(id, charged, now);
    return;
  }
  plan_->begin_write(index);
  ++request.writing;
  ++writes_;
  outputs_.push(Write{index, std::move(bytes), request.provider, id, charged, latency});
}

bool Transfer::handle(const reqresp::RequestDone& done, base::Instant now) {
  const Request* request = requests_.find(done.id);
  if (request == nullptr) return false;
  const std::size_t provider = request->provider;
  const bool complete = done.result.has_value() && !request->list && request->chunks.size() == 0;
  const bool foreign = !done.result && done.result.error() == reqresp::Error::kUnsupported;
  drop(done.id, false);
  if (!complete) leave(provider, foreign ? Conduct::kUseless : Conduct::kFailed, now);
  schedule(now);
  return true;
}

void Transfer::drop(reqresp::RequestId id, bool cancel) {
  const Request& request = *requests_.find(id);
  Provider& provider = providers_[request.provider];
  --provider.requests;
  if (request.list) {
    provider.listing = false;
  } else {
    plan_->release(request.chunks);
  }
  if (cancel) below_.requests.cancel(id);
  requests_.erase(id);
}

void Transfer::cancel_requests_of(std::size_t provider) {
  for (const auto* entry : requests_.sorted()) {
    if (entry->second.provider == provider) drop(entry->first, true);
  }
}

// Requests whose chunks have all come from elsewhere.
void Transfer::cancel_needless() {
  for (const auto* entry : requests_.sorted()) {
    const Request& request = entry->second;
    if (!request.list && request.chunks.size() > 0 && !plan_->needs_any(request.chunks)) {
      drop(entry->first, true);
    }
  }
}

void Transfer::guessed_right(Provider& provider) {
  provider.guess = false;
  provider.failures = 0;
  --guessing_;
  ++engaged_;
}

void Transfer::leave(std::size_t index, Conduct conduct, base::Instant now) {
  cancel_requests_of(index);
  Provider& provider = providers_[index];
  if (provider.state == State::kEngaged) --(provider.guess ? guessing_ : engaged_);
  const bool was_dropped = provider.state == State::kDropped;
  provider.have.reset();
  provider.state = State::kIdle;
  switch (conduct) {
    case Conduct::kNothingNow:
      provider.rests_until = now + kListAgain;
      break;
    case Conduct::kFailed:
      // That somebody has not got what was asked for on the off-chance is no fault.
      if (!provider.guess) below_.reputation.failure(provider.source.peer, now);
      provider.rests_until =
          now + std::min(kMaxRest, kRest * (1 << std::min(provider.failures, 8)));
      ++provider.failures;
      break;
    case Conduct::kUseless:
      below_.reputation.failure(provider.source.peer, now);
      provider.state = State::kDropped;
      break;
    case Conduct::kLied:
      below_.reputation.blame(provider.source.peer, now);
      provider.state = State::kDropped;
      break;
  }
  if (was_dropped) provider.state = State::kDropped;
}

}  // namespace ggen::p2p::registry
