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
    observer_->opened({id_, *stream}, Direction::kOutbound, protocols.front());
  } else {
    unagreed_.push_back(*stream);
  }
  return stream;
}

std::size_t ObservedChannel::write(StreamId stream, base::BytesView bytes, base::Instant now) {
  const std::size_t size = inner_->write(stream, bytes, now);
  if (size > 0) observer_->sent({id_, stream}, bytes.first(size));
  return size;
}

std::optional<connection::ChannelEvent> ObservedChannel::poll() {
  auto event = inner_->poll();
  if (event) report(*event);
  return event;
}

void ObservedChannel::report(const connection::ChannelEvent& event) {
  std::visit(
      base::Overloaded{
          [&](const event::StreamOpened& e) { report_opened(e); },
          [&](const event::StreamData& e) { observer_->received({id_, e.stream}, e.data.view()); },
          [&](const event::StreamFinished& e) { observer_->finished({id_, e.stream}); },
          [&](const event::StreamClosed& e) {
            const bool unheard_of = std::erase(unagreed_, e.stream) > 0;
            if (!unheard_of) observer_->closed({id_, e.stream}, e.end);
          },
          [](const auto&) {},
      },
      event);
}

void ObservedChannel::report_opened(const event::StreamOpened& opened) {
  const bool inbound = opened.direction == Direction::kInbound;
  const bool agreed_now = !inbound && std::erase(unagreed_, opened.stream) > 0;
  if (inbound || agreed_now) {
    observer_->opened({id_, opened.stream}, opened.direction, opened.protocol);
  }
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
