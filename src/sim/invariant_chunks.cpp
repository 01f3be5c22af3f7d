#include "invariant_chunks.hpp"

#include <algorithm>
#include <optional>
#include <variant>

#include <fmt/format.h>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/registry/merkle.hpp>

#include "clear_frames.hpp"

namespace ggen::p2p::sim {

using registry::FetchRequest;

namespace {

base::BytesView chunk_of(const Package& package, std::uint64_t index) {
  const auto from = static_cast<std::size_t>(index * package.archive.chunk_size);
  return package.bytes.view().subspan(from, package.archive.chunk_bytes(index));
}

}  // namespace

/// Follows one request and the answers to it.
class ChunksInvariant::Watch final : public StreamWatch {
 public:
  Watch(ChunksInvariant& owner, NodeIndex node)
      : owner_(owner),
        node_(node),
        requests_(registry::fetch_service().max_request),
        answers_(registry::fetch_service().max_response) {}

  void received(base::BytesView bytes) override {
    while (!bytes.empty()) {
      const base::BytesView frame = requests_.take(bytes);
      if (frame.empty() || request_) continue;
      const auto message = reqresp::Message::parse(base::Buffer::copy_of(frame));
      if (!message) continue;
      if (const auto request = registry::decode_fetch_request(message->map())) request_ = *request;
    }
  }

  void sent(base::BytesView bytes) override {
    while (!bytes.empty()) {
      if (body_left_ > 0) {
        const auto size =
            static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, bytes.size()));
        take_body(bytes.first(size));
        bytes = bytes.subspan(size);
      } else if (const base::BytesView frame = answers_.take(bytes); !frame.empty()) {
        take_answer(frame);
      }
    }
  }

 private:
  void take_answer(base::BytesView frame) {
    const auto message = reqresp::Message::parse(base::Buffer::copy_of(frame));
    if (!message) return answers_.give_up();
    body_left_ = message->map().uint(reqresp::kBodyKey).value_or(0);
    expected_.reset();
    if (body_left_ == 0 || !request_) return;
    const auto index = message->map().uint("index");
    expect(index.value_or(0));
    if (expected_ && expected_->size() != body_left_) wrong("is of another size");
  }

  void expect(std::uint64_t index) {
    index_ = index;
    if (const auto* list = std::get_if<registry::ListRequest>(&*request_)) {
      const auto known = owner_.known_.find(list->root);
      if (known != owner_.known_.end()) expected_ = base::BytesView{known->second.list};
      return;
    }
    const auto known = owner_.known_.find(std::get<registry::ChunksRequest>(*request_).root);
    if (known == owner_.known_.end()) return;
    const Package& package = known->second.package;
    if (index < package.archive.chunk_count()) expected_ = chunk_of(package, index);
  }

  void take_body(base::BytesView bytes) {
    body_left_ -= bytes.size();
    if (!expected_) return;
    if (!base::equal(bytes, expected_->first(bytes.size())))
      return wrong("is not what was published");
    expected_ = expected_->subspan(bytes.size());
    if (body_left_ == 0) owner_.invariant_.look();
  }

  void wrong(std::string_view how) {
    expected_.reset();
    const bool list = std::holds_alternative<registry::ListRequest>(*request_);
    owner_.invariant_.violate(owner_.simulation_.now(), node_,
                              list ? fmt::format("the chunk list that it served {}", how)
                                   : fmt::format("chunk {} that it served {}", index_, how));
  }

  ChunksInvariant& owner_;
  NodeIndex node_;
  ClearFrames requests_;
  ClearFrames answers_;
  std::optional<FetchRequest> request_;
  std::uint64_t index_ = 0;
  std::uint64_t body_left_ = 0;
  std::optional<base::BytesView> expected_;  // what is left of the body; nothing: not known
};

ChunksInvariant::ChunksInvariant(const Simulation& simulation, Invariant& invariant)
    : simulation_(simulation), invariant_(invariant) {}
ChunksInvariant::~ChunksInvariant() = default;

void ChunksInvariant::published(const Package& package) {
  if (known_.contains(package.archive.root)) return;
  GGEN_INVARIANT(registry::merkle_root(package.hashes) == package.archive.root);
  for (std::size_t i = 0; i < package.hashes.size(); ++i) {
    GGEN_INVARIANT(registry::chunk_hash(chunk_of(package, i)) == package.hashes[i]);
  }
  known_.emplace(package.archive.root, Known{package, registry::chunk_list_body(package.hashes)});
}

std::unique_ptr<StreamWatch> ChunksInvariant::watch(NodeIndex node) {
  return std::make_unique<Watch>(*this, node);
}

void ChunksInvariant::storing(NodeIndex node, const registry::Store& operation) {
  const auto* write = std::get_if<registry::store::WriteChunk>(&operation.op);
  if (write == nullptr) return;
  const auto known = known_.find(write->root);
  if (known == known_.end()) return;
  const Package& package = known->second.package;
  invariant_.look();
  const bool right = write->index < package.archive.chunk_count() &&
                     base::equal(write->bytes.view(), chunk_of(package, write->index));
  if (!right) wrong_.emplace(node, operation.id);
}

// Wrong bytes may come from any peer; it is taking them that is wrong.
void ChunksInvariant::stored(NodeIndex node, const registry::StoreDone& done) {
  if (wrong_.erase({node, done.id}) == 0 || !done.result) return;
  invariant_.violate(simulation_.now(), node, "its store took a chunk that was not published");
}

void ChunksInvariant::stopped(NodeIndex node) {
  std::erase_if(wrong_, [&](const auto& write) { return write.first == node; });
}

std::size_t ChunksInvariant::release() {
  std::size_t held = 0;
  for (const auto& [root, known] : known_) held += known.package.bytes.unique() ? 0 : 1;
  known_.clear();
  return held;
}

}  // namespace ggen::p2p::sim
