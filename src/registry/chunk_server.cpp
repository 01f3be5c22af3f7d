#include "chunk_server.hpp"

#include <utility>

namespace ggen::p2p::registry {

ChunkServer::ChunkServer(reqresp::Engine& requests, reqresp::ServiceId service,
                         StorageQueue& storage, Archives& archives, const FetchConfig& config)
    : requests_(requests),
      service_(service),
      storage_(storage),
      archives_(archives),
      max_bytes_(config.max_serving_bytes) {}

bool ChunkServer::handle(const reqresp::Request& request, base::Instant now) {
  if (request.service != service_) return false;
  const auto asked = decode_fetch_request(request.message.map());
  if (!asked) {
    requests_.refuse(request.id);
    return true;
  }
  Stream stream;
  if (const auto* chunks = std::get_if<ChunksRequest>(&*asked)) {
    stream.root = chunks->root;
    stream.next = chunks->first;
    stream.end = chunks->first + chunks->count;
  } else {
    stream.root = std::get<ListRequest>(*asked).root;
    stream.list = true;
    stream.end = 1;
  }
  streams_.try_emplace(request.id, std::move(stream));
  advance(request.id, now);
  return true;
}

bool ChunkServer::handle(const reqresp::BodyWritten& written, base::Instant now) {
  Stream* stream = streams_.find(written.id);
  if (stream == nullptr) return false;
  const std::size_t size = stream->unsent.pop().value_or(0);
  stream->unsent_bytes -= size;
  if (!stream->list) served_bytes_ += size;
  release(size, now);
  advance(written.id, now);
  return true;
}

bool ChunkServer::handle(const reqresp::ServedLost& lost, base::Instant now) {
  const Stream* stream = streams_.find(lost.id);
  if (stream == nullptr) return false;
  const std::size_t unsent = stream->unsent_bytes;
  forget(lost.id);
  release(unsent, now);
  return true;
}

void ChunkServer::forget(reqresp::ServedId id) {
  if (const auto turn = streams_.find(id)->turn) waiting_.erase(*turn);
  streams_.erase(id);
}

void ChunkServer::advance(reqresp::ServedId id, base::Instant now) {
  Stream& stream = *streams_.find(id);
  if (stream.reading || stream.turn) return;
  auto size = next_size(stream);
  while (stream.next < stream.end && !size) {
    answer_missing(id, stream, now);
    size = next_size(stream);
  }
  if (stream.next == stream.end) {
    if (!stream.unsent.empty()) return;  // its bytes are still counted
    forget(id);
    requests_.finish(id, now);
    return;
  }
  const bool ahead = !stream.unsent.empty();
  if (stream.unsent.size() >= kAhead) return;
  if (has_room(*size, ahead) && waiting_.empty()) {
    read(id, stream, *size);
  } else if (!ahead) {
    stream.turn = next_turn_++;
    waiting_.emplace(*stream.turn, id);
  }
}

std::optional<std::size_t> ChunkServer::next_size(const Stream& stream) const {
  const store::Blob* blob = archives_.find(stream.root);
  if (blob == nullptr) return std::nullopt;
  if (stream.list) {
    return static_cast<std::size_t>(blob->archive.chunk_count() * sizeof(crypto::Sha256Digest));
  }
  if (!blob->held.has(stream.next)) return std::nullopt;
  return blob->archive.chunk_bytes(stream.next);
}

void ChunkServer::answer_missing(reqresp::ServedId id, Stream& stream, base::Instant now) {
  const auto message =
      stream.list ? encode(ListResponse{}) : encode(ChunkResponse{stream.next, true});
  ++stream.next;
  requests_.respond(id, message, 0, now);
}

// A stream's second chunk may not take the half that keeps first ones going: otherwise a few that
// do not read would hold all of it.
bool ChunkServer::has_room(std::size_t size, bool ahead) const {
  return reserved_ == 0 || reserved_ + size <= (ahead ? max_bytes_ / 2 : max_bytes_);
}

void ChunkServer::read(reqresp::ServedId id, Stream& stream, std::size_t size) {
  stream.reading = true;
  reserved_ += size;
  auto then = [this, id, size](StoreResult result, base::Instant now) {
    on_read(id, size, std::move(result), now);
  };
  if (stream.list) {
    storage_.submit(store::ReadList{stream.root}, std::move(then));
  } else {
    storage_.submit(store::ReadChunk{stream.root, stream.next}, std::move(then));
  }
}

void ChunkServer::on_read(reqresp::ServedId id, std::size_t size, StoreResult result,
                          base::Instant now) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return release(size, now);
  stream->reading = false;
  if (result) {
    send(id, *stream, size, *result, now);
  } else {
    const auto why = result.error().kind;
    const bool lost = why == StoreError::Kind::kCorrupt || why == StoreError::Kind::kMissing;
    if (lost && !stream->list) archives_.chunk_lost(stream->root, stream->next);
    answer_missing(id, *stream, now);
    release(size, now);
  }
  if (streams_.find(id) != nullptr) advance(id, now);
}

void ChunkServer::send(reqresp::ServedId id, Stream& stream, std::size_t size,
                       const StoreValue& value, base::Instant now) {
  const store::Blob* blob = archives_.find(stream.root);
  const auto* chunk = std::get_if<store::Chunk>(&value);
  const auto* list = std::get_if<store::ChunkList>(&value);
  if (chunk != nullptr) {
    send_body(id, stream, encode(ChunkResponse{stream.next}), chunk->bytes, size, now);
  } else if (list != nullptr && blob != nullptr) {
    send_body(id, stream, encode(ListResponse{blob->held}),
              base::Buffer::copy_of(chunk_list_body(list->chunks)), size, now);
  } else {
    // Removed while it was read.
    answer_missing(id, stream, now);
    release(size, now);
  }
}

void ChunkServer::send_body(reqresp::ServedId id, Stream& stream,
                            const reqresp::MapBuilder& message, base::Buffer body, std::size_t size,
                            base::Instant now) {
  ++stream.next;
  stream.unsent.push(size);
  stream.unsent_bytes += size;
  requests_.respond(id, message, body.size(), now);
  requests_.write_body(id, std::move(body), now);
}

void ChunkServer::release(std::size_t size, base::Instant now) {
  reserved_ -= size;
  while (!waiting_.empty()) {
    const auto [turn, id] = *waiting_.begin();
    Stream& stream = *streams_.find(id);
    const auto wanted = next_size(stream);
    if (wanted && !has_room(*wanted, false)) return;
    waiting_.erase(turn);
    stream.turn.reset();
    if (wanted) {
      read(id, stream, *wanted);
    } else {
      advance(id, now);  // gone while it waited
    }
  }
}

}  // namespace ggen::p2p::registry
