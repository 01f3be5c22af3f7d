#include "result_fields.hpp"

#include "text.hpp"

namespace ggen::p2p::cli {

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return {};
  return printable(found->get_ref<const std::string&>());
}

std::uint64_t number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer() || *found < 0) return 0;
  return found->get<std::uint64_t>();
}

double real_of(const Json& json, const char* name) {
  return has_number(json, name) ? json.find(name)->get<double>() : 0;
}

bool flag_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

const Json& list_of(const Json& json, const char* name) {
  static const Json kEmpty = Json::array();
  const auto found = json.find(name);
  return found != json.end() && found->is_array() ? *found : kEmpty;
}

const Json& object_of(const Json& json, const char* name) {
  static const Json kEmpty = Json::object();
  const auto found = json.find(name);
  return found != json.end() && found->is_object() ? *found : kEmpty;
}

bool has_number(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number();
}

}  // namespace ggen::p2p::cli
