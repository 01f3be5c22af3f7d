#include "invariant_answers.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "clear_fields.hpp"
#include "clear_frames.hpp"

namespace ggen::p2p::sim {
namespace {

// Above what any node takes or sends in one frame.
constexpr std::size_t kMaxFrame = 1024 * 1024;

// Fields (libp2p/specs kad-dht, "RPC messages").
constexpr std::uint32_t kType = 1;
constexpr std::uint32_t kKey = 2;
constexpr std::uint32_t kRecord = 3;
constexpr std::uint32_t kProviders = 9;
constexpr std::uint32_t kRecordValue = 2;
constexpr std::uint32_t kPeerId = 1;

std::uint64_t hash_of(base::BytesView bytes) {
  return std::hash<std::string_view>{}(base::as_text(bytes));
}
std::uint64_t record_of(base::BytesView key, base::BytesView of_key) {
  return hash_of(key) * 0x9e3779b97f4a7c15 + hash_of(of_key);
}

}  // namespace

struct AnswersInvariant::Message {
  std::uint64_t type = 0;
  base::BytesView key;
  base::BytesView value;
  std::vector<base::BytesView> providers;

  [[nodiscard]] bool is(kad::MessageType wanted) const {
    return type == static_cast<std::uint64_t>(wanted);
  }
  /// False when it is malformed, or of a kind that gives and answers nothing.
  bool read(base::BytesView bytes);
};

bool AnswersInvariant::Message::read(base::BytesView bytes) {
  const auto take_inner = [](protozero::pbf_reader& reader, std::uint32_t number) {
    base::BytesView inner;
    read_fields(take_bytes(reader), [&](std::uint32_t field, protozero::pbf_reader& of_inner) {
      if (field != bytes_field(number)) return false;
      inner = take_bytes(of_inner);
      return true;
    });
    return inner;
  };
  return read_fields(bytes, [&](std::uint32_t field, protozero::pbf_reader& reader) {
    if (field == number_field(kType)) {
      type = reader.get_uint64();
    } else if (field == bytes_field(kKey)) {
      key = take_bytes(reader);
    } else if (field == bytes_field(kRecord)) {
      value = take_inner(reader, kRecordValue);
    } else if (field == bytes_field(kProviders)) {
      providers.push_back(take_inner(reader, kPeerId));
    } else {
      return false;
    }
    return true;
  });
}

class AnswersInvariant::Watch final : public StreamWatch {
 public:
  Watch(AnswersInvariant& owner, NodeIndex node, NodeIndex peer)
      : owner_(owner), node_(node), peer_(peer), requests_(kMaxFrame), answers_(kMaxFrame) {}

  void received(base::BytesView bytes) override {
    asked_at_ = owner_.simulation_.now();
    read(requests_, bytes, [&](const Message& request) { owner_.asked(node_, peer_, request); });
  }
  void sent(base::BytesView bytes) override {
    read(answers_, bytes,
         [&](const Message& answer) { owner_.answered(node_, answer, asked_at_); });
  }

 private:
  template <class Take>
  static void read(ClearFrames& frames, base::BytesView bytes, Take&& take) {
    while (!bytes.empty()) {
      const base::BytesView frame = frames.take(bytes);
      Message message;
      if (!frame.empty() && message.read(frame)) take(message);
    }
  }

  AnswersInvariant& owner_;
  NodeIndex node_;
  NodeIndex peer_;
  base::Instant asked_at_;  // an answer that was held up is as old as its question
  ClearFrames requests_;
  ClearFrames answers_;
};

AnswersInvariant::AnswersInvariant(const Simulation& simulation, Invariant& invariant)
    : simulation_(simulation), invariant_(invariant) {}
AnswersInvariant::~AnswersInvariant() = default;

void AnswersInvariant::started(NodeIndex node) {
  if (stores_.size() <= node) stores_.resize(node + 1);
  stores_[node] = std::make_unique<Store>();
}
void AnswersInvariant::stopped(NodeIndex node) {
  stores_[node].reset();
}

std::unique_ptr<StreamWatch> AnswersInvariant::watch(NodeIndex node, NodeIndex peer) {
  return std::make_unique<Watch>(*this, node, peer);
}

void AnswersInvariant::put_value(NodeIndex node, base::BytesView key, base::BytesView value) {
  stores_[node]->values[record_of(key, value)] = base::Instant::max();
}

// Whether the node takes it is up to the node.
void AnswersInvariant::asked(NodeIndex node, NodeIndex peer, const Message& request) {
  Store& store = *stores_[node];
  const auto give = [&](Given& given, Record record) {
    base::Instant& when = given[record];
    when = std::max(when, simulation_.now());
  };
  if (request.is(kad::MessageType::kAddProvider)) {
    // Peers may speak for themselves only.
    const base::BytesView speaker = simulation_.id(peer).bytes();
    for (const base::BytesView provider : request.providers) {
      if (base::equal(provider, speaker)) give(store.providers, record_of(request.key, provider));
    }
  } else if (request.is(kad::MessageType::kPutValue)) {
    give(store.values, record_of(request.key, request.value));
  }
  if (store.providers.size() + store.values.size() >= store.sweep_at) sweep(node);
}

void AnswersInvariant::answered(NodeIndex node, const Message& answer, base::Instant asked_at) {
  const kad::Config& config = *simulation_.spec(node).node.kad;
  const auto check = [&](const Given& given, Record record, base::Duration lifetime,
                         std::string_view what) {
    invariant_.look();
    const base::Instant* when = given.find(record);
    if (when == nullptr) {
      return invariant_.violate(simulation_.now(), node,
                                fmt::format("answered with a {} that nobody gave it", what));
    }
    if (*when == base::Instant::max() || asked_at - *when <= lifetime) return;
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(asked_at - *when);
    invariant_.violate(simulation_.now(), node,
                       fmt::format("answered with a {} that is {} s old", what, age.count()));
  };
  const Store& store = *stores_[node];
  if (answer.is(kad::MessageType::kGetProviders)) {
    const base::BytesView self = simulation_.id(node).bytes();
    for (const base::BytesView provider : answer.providers) {
      if (base::equal(provider, self)) continue;
      check(store.providers, record_of(answer.key, provider), config.providers.lifetime,
            "provider record");
    }
  } else if (answer.is(kad::MessageType::kGetValue) && !answer.value.empty()) {
    check(store.values, record_of(answer.key, answer.value), config.values.lifetime, "value");
  }
}

// What is long expired is nobody's business any more: if it is answered, nobody gave it.
void AnswersInvariant::sweep(NodeIndex node) {
  Store& store = *stores_[node];
  const kad::Config& config = *simulation_.spec(node).node.kad;
  const auto drop = [&](Given& given, base::Duration lifetime) {
    for (const auto* entry : given.sorted()) {
      const auto [record, when] = *entry;
      const bool own = when == base::Instant::max();
      if (!own && simulation_.now() - when > 2 * lifetime) given.erase(record);
    }
  };
  drop(store.providers, config.providers.lifetime);
  drop(store.values, config.values.lifetime);
  store.sweep_at = std::max(kFirstSweep, 2 * (store.providers.size() + store.values.size()));
}

}  // namespace ggen::p2p::sim
