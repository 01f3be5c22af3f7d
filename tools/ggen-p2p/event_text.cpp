#include "event_text.hpp"

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>

#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

std::string_view word_of(connection::Direction direction) {
  return direction == connection::Direction::kInbound ? "inbound" : "outbound";
}

std::string dropped(std::string_view protocol, const multiformats::PeerId& peer,
                    std::string_view why) {
  return fmt::format("dropped a {} stream of {}: {}", protocol, peer.to_string(), why);
}

}  // namespace

std::string name_of(const swarm::ConnectionRecord& record) {
  const std::string address = record.remote.to_string();
  return record.peer ? fmt::format("{} at {}", record.peer->to_string(), address) : address;
}

std::optional<std::string> EventText::operator()(const node::Output& output) {
  using Text = std::optional<std::string>;
  return std::visit(
      base::Overloaded{
          [this](const swarm::Output& event) { return describe(event); },
          [this](const node::output::ChannelClosed& event) {
            ending_ = event;
            return Text{};
          },
          [](const node::output::BootstrapFailed& event) {
            const auto& tried = event.failure.addresses;
            return Text{fmt::format(
                "cannot reach the bootstrap peer {}: {}; tries again", event.address.to_string(),
                tried.empty() ? to_string(event.failure.kind) : to_string(tried.front().reason))};
          },
          [](const identify::Identified& event) {
            return Text{fmt::format("identified {}: {}", event.peer.to_string(),
                                    printable(event.info.agent_version.value_or("unnamed")))};
          },
          [](const identify::IdentifyFailed& event) {
            return Text{fmt::format("{} does not say what it is: {}", event.peer.to_string(),
                                    to_string(event.error))};
          },
          [](const identify::InboundDropped& event) {
            return Text{dropped("identify", event.peer, to_string(event.error))};
          },
          [](const ping::InboundDropped& event) {
            return Text{dropped("ping", event.peer, to_string(event.reason))};
          },
          [](const perf::InboundDropped& event) {
            return Text{dropped("perf", event.peer, to_string(event.reason))};
          },
          [](const reqresp::InboundDropped& event) {
            return Text{dropped("request", event.peer, to_string(event.error))};
          },
          [](const kad::ReprovideBehind& event) {
            return Text{fmt::format(
                "warning: providing falls behind: others should have been told again of {} keys, "
                "of "
                "the first {} minutes ago; see ggen-p2p dht table",
                event.records, std::chrono::duration_cast<std::chrono::minutes>(event.by).count())};
          },
          [](const kad::InboundDropped& event) {
            return Text{dropped("DHT", event.peer, to_string(event.reason))};
          },
          [](const gossipsub::Misbehaved& event) {
            return Text{fmt::format("{} broke gossipsub's rules: {}", event.peer.to_string(),
                                    to_string(event.offence))};
          },
          [](const registry::Output& event) { return describe(event); },
          [](const auto&) { return Text{}; },
      },
      output);
}

std::optional<std::string> EventText::describe(const registry::Output& output) {
  using Text = std::optional<std::string>;
  namespace event = registry::event;
  return std::visit(
      base::Overloaded{
          [](const event::Loaded& e) {
            return Text{e.damaged == 0 ? fmt::format("holds {} entries", e.entries)
                                       : fmt::format("holds {} entries; {} more were damaged",
                                                     e.entries, e.damaged)};
          },
          [](const event::EntryAdded& e) {
            const auto* release = std::get_if<registry::Publish>(&e.entry.statement.body);
            if (release == nullptr) return Text{};
            return Text{
                fmt::format("new release: {}/{}@{}", e.entry.statement.publisher.to_string(),
                            release->metadata.name.text(), release->metadata.version.text())};
          },
          [](const event::ForkFound& e) {
            return Text{
                fmt::format("publisher {} signed two histories, from entry {} on: nothing "
                            "of it is installed until it chose one",
                            e.publisher.to_string(), e.seq)};
          },
          [](const event::PeerMisbehaved& e) {
            return Text{fmt::format("{} misbehaved: {}", e.peer.to_string(), e.what)};
          },
          [](const event::StorageFailed& e) {
            return Text{fmt::format("the store failed: {}{}{}", to_string(e.error.kind),
                                    e.error.detail.empty() ? "" : ": ", e.error.detail)};
          },
          [](const auto&) { return Text{}; },
      },
      output);
}

std::optional<std::string> EventText::describe(const swarm::Output& output) {
  using Text = std::optional<std::string>;
  return std::visit(
      base::Overloaded{
          [](const swarm::event::ConnectionOpened& event) {
            const swarm::ConnectionRecord& record = event.record;
            const std::string_view purpose = record.purpose ? to_string(*record.purpose) : "";
            return Text{fmt::format("connected: {}, {}{}{}", name_of(record),
                                    word_of(record.direction), purpose.empty() ? "" : ", for ",
                                    purpose)};
          },
          [this](const swarm::event::ConnectionClosed& event) {
            return Text{closed(event.record)};
          },
          [](const swarm::event::ConnectionRefused& event) {
            return Text{
                fmt::format("refused: {}: {}", event.remote.to_string(), to_string(event.reason))};
          },
          [](const swarm::event::ListenFailed& event) {
            return Text{fmt::format("does not listen on {}: {}", event.address.to_string(),
                                    to_string(event.error))};
          },
          [](const swarm::event::ExternalAddressConfirmed& event) {
            return Text{fmt::format("others can reach this node at {}", event.address.to_string())};
          },
          [](const swarm::event::ExternalAddressExpired& event) {
            return Text{fmt::format("others say no longer that this node is at {}",
                                    event.address.to_string())};
          },
          [](const auto&) { return Text{}; },
      },
      output);
}

std::string EventText::closed(const swarm::ConnectionRecord& record) {
  std::string text =
      fmt::format("{}: {}, {}: {}", record.secured_at ? "closed" : "gave up", name_of(record),
                  word_of(record.direction), record.cause ? to_string(*record.cause) : "closed");
  if (ending_ && ending_->connection == record.id && !ending_->detail.empty()) {
    text += fmt::format(" ({})", ending_->detail);
  }
  return text;
}

}  // namespace ggen::p2p::cli
