#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/host/host.hpp>

namespace interop {

/// A JSON object that is built field by field.
class Json {
 public:
  Json& text(std::string_view name, std::string_view value);
  Json& texts(std::string_view name, const std::vector<std::string>& values);
  Json& number(std::string_view name, double value);
  Json& flag(std::string_view name, bool value);
  Json& object(std::string_view name, const Json& value);
  Json& objects(std::string_view name, const std::vector<Json>& values);
  [[nodiscard]] std::string str() const { return "{" + fields_ + "}"; }

 private:
  Json& field(std::string_view name, std::string_view encoded);

  std::string fields_;
};

/// Writes one event as a line on standard output.
void emit(std::string_view event, Json fields);

/// Reports connections and what identify says of the remote as they happen.
void report(ggen::p2p::host::Host& host);

/// What a peer said of itself, as the case `identify` reports it.
[[nodiscard]] Json facts_of(const ggen::p2p::multiformats::PeerId& peer,
                            const ggen::p2p::identify::Info& info);

}  // namespace interop
