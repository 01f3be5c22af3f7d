#include "report.hpp"

#include <cstdio>

#include <fmt/format.h>

#include <ggen/p2p/connection/secure_channel.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/swarm/peer_record.hpp>

namespace interop {
namespace {

using namespace ggen::p2p;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::vector<std::string> texts_of(const std::vector<multiformats::Multiaddr>& addresses) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.to_string());
  return texts;
}

}  // namespace

Json& Json::field(std::string_view name, std::string_view encoded) {
  fields_ += fmt::format("{}{}:{}", fields_.empty() ? "" : ",", quoted(name), encoded);
  return *this;
}

Json& Json::text(std::string_view name, std::string_view value) {
  return field(name, quoted(value));
}

Json& Json::texts(std::string_view name, const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) {
    if (!list.empty()) list += ',';
    list += quoted(value);
  }
  return field(name, "[" + list + "]");
}

Json& Json::number(std::string_view name, double value) {
  return field(name, fmt::format("{}", value));
}

Json& Json::flag(std::string_view name, bool value) {
  return field(name, value ? "true" : "false");
}

Json& Json::object(std::string_view name, const Json& value) {
  return field(name, value.str());
}

Json& Json::objects(std::string_view name, const std::vector<Json>& values) {
  std::string list;
  for (const Json& value : values) {
    if (!list.empty()) list += ',';
    list += value.str();
  }
  return field(name, "[" + list + "]");
}

void emit(std::string_view event, Json fields) {
  Json line;
  line.text("event", event);
  std::string text = line.str();
  const std::string rest = fields.str();
  if (rest.size() > 2) text = text.substr(0, text.size() - 1) + "," + rest.substr(1);
  std::puts(text.c_str());
  std::fflush(stdout);
}

Json facts_of(const multiformats::PeerId& peer, const identify::Info& info) {
  Json facts;
  facts.text("peer", peer.to_string())
      .text("agent", info.agent_version.value_or(""))
      .text("protocol_version", info.protocol_version.value_or(""))
      .texts("protocols", info.protocols)
      .texts("listen_addresses", texts_of(info.listen_addrs));
  if (info.observed_addr) facts.text("observed_address", info.observed_addr->to_string());
  const auto crypto = crypto::make_system_crypto();
  const auto record = swarm::SignedPeerRecord::decode(info.signed_peer_record, 16 * 1024);
  if (record && record->verify(*crypto) && record->claim().peer == peer) {
    facts.texts("signed_addresses", texts_of(record->claim().addresses));
  }
  return facts;
}

void report(host::Host& host) {
  host.observe([local = host.id()](const node::Output& output) {
    if (const auto* identified = std::get_if<identify::Identified>(&output)) {
      emit("identified", facts_of(identified->peer, identified->info));
    }
    const auto* of_swarm = std::get_if<swarm::Output>(&output);
    if (of_swarm == nullptr) return;
    if (const auto* opened = std::get_if<swarm::event::ConnectionOpened>(of_swarm)) {
      emit("connection", Json{}
                             .text("local", local.to_string())
                             .text("peer", opened->record.peer->to_string())
                             .text("security", connection::kNoiseProtocol)
                             .text("muxer", connection::kYamuxProtocol));
    }
    if (const auto* closed = std::get_if<swarm::event::ConnectionClosed>(of_swarm)) {
      if (closed->record.peer) {
        emit("disconnected", Json{}.text("peer", closed->record.peer->to_string()));
      }
    }
  });
}

}  // namespace interop
