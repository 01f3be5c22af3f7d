#include <algorithm>
#include <utility>
#include <variant>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/sim/observed_channel.hpp>

namespace ggen::p2p::sim {

using connection::Direction;
using connection::StreamId;
namespace event = connection::event;

ObservedChannel::ObservedChannel(connection::ConnectionId id,
                                 std::unique_ptr<connection::Channel> inner,
                                 StreamObserver& observer)
    : id_(id), inner_(std::move(inner)), observer_(&observer) {}

// ---- What is reported ----

std::expected<StreamId, connection::OpenError> ObservedChannel::open(
    std::span<const std::string> protocols, base::Instant now) {
  const auto stream = inner_->open(protocols, now);
  if (!stream) return stream;
  if (protocols.size() == 1) {
    report_opened(*stream, Direction::kOutbound, protocols.front());
  } else {
    unagreed_.push_back(*stream);
  }
  return stream;
}

std::size_t ObservedChannel::write(StreamId stream, base::BytesView bytes, base::Instant now) {
  const std::size_t size = inner_->write(stream, bytes, now);
  if (size == 0) return 0;
  if (StreamWatch* seen_by = watch(stream)) seen_by->sent(bytes.first(size));
  return size;
}

std::optional<connection::ChannelEvent> ObservedChannel::poll() {
  auto event = inner_->poll();
  if (event) report(*event);
  return event;
}

void ObservedChannel::report(const connection::ChannelEvent& event) {
  std::visit(base::Overloaded{
                 [&](const event::StreamOpened& e) { report_opened(e); },
                 [&](const event::StreamData& e) {
                   if (StreamWatch* seen_by = watch(e.stream)) seen_by->received(e.data.view());
                 },
                 [&](const event::StreamClosed& e) { report_closed(e); },
                 [](const auto&) {},
             },
             event);
}

void ObservedChannel::report_opened(const event::StreamOpened& opened) {
  const bool inbound = opened.direction == Direction::kInbound;
  const bool agreed_now = !inbound && std::erase(unagreed_, opened.stream) > 0;
  if (inbound || agreed_now) report_opened(opened.stream, opened.direction, opened.protocol);
}

void ObservedChannel::report_opened(StreamId stream, Direction direction,
                                    std::string_view protocol) {
  if (auto seen_by = observer_->opened({id_, stream}, direction, protocol)) {
    watched_.push_back({stream, std::move(seen_by)});
  }
}

void ObservedChannel::report_closed(const event::StreamClosed& closed) {
  std::erase_if(watched_, [&](const Watched& one) { return one.stream == closed.stream; });
  const bool unheard_of = std::erase(unagreed_, closed.stream) > 0;
  if (!unheard_of) observer_->closed({id_, closed.stream}, closed.end);
}

StreamWatch* ObservedChannel::watch(StreamId stream) const {
  const auto at = std::ranges::find(watched_, stream, &Watched::stream);
  return at == watched_.end() ? nullptr : at->watch.get();
}

// ---- What is passed on ----

void ObservedChannel::receive(base::MutableBytes bytes, base::Instant now) {
  inner_->receive(bytes, now);
}
void ObservedChannel::receive_end(bool clean, base::Instant now) {
  inner_->receive_end(clean, now);
}
bool ObservedChannel::wants_transmit() const {
  return inner_->wants_transmit();
}
std::size_t ObservedChannel::transmit(base::MutableBytes out, base::Instant now) {
  return inner_->transmit(out, now);
}
void ObservedChannel::finish(StreamId stream, base::Instant now) {
  inner_->finish(stream, now);
}
void ObservedChannel::reset(StreamId stream, base::Instant now) {
  inner_->reset(stream, now);
}
void ObservedChannel::consume(StreamId stream, std::size_t size, base::Instant now) {
  inner_->consume(stream, size, now);
}
void ObservedChannel::close(base::Instant now) {
  inner_->close(now);
}
void ObservedChannel::handle_timeout(base::Instant now) {
  inner_->handle_timeout(now);
}
std::optional<base::Instant> ObservedChannel::next_deadline() const {
  return inner_->next_deadline();
}

// ---- Making them ----

namespace {

class ObservedChannels final : public node::ChannelFactory {
 public:
  ObservedChannels(std::unique_ptr<node::ChannelFactory> inner, StreamObserver& observer)
      : inner_(std::move(inner)), observer_(&observer) {}

  std::unique_ptr<connection::Channel> make(connection::ConnectionId id, Direction direction,
                                            std::optional<multiformats::PeerId> expected_peer,
                                            const connection::ProtocolSet& protocols,
                                            base::Instant now) override {
    return std::make_unique<ObservedChannel>(
        id, inner_->make(id, direction, std::move(expected_peer), protocols, now), *observer_);
  }

 private:
  std::unique_ptr<node::ChannelFactory> inner_;
  StreamObserver* observer_;
};

}  // namespace

std::unique_ptr<node::ChannelFactory> observe(std::unique_ptr<node::ChannelFactory> inner,
                                              StreamObserver& observer) {
  return std::make_unique<ObservedChannels>(std::move(inner), observer);
}

}  // namespace ggen::p2p::sim
