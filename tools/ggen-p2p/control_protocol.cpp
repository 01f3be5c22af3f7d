#include "control_protocol.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/registry/search.hpp>

#include "text.hpp"

namespace ggen::p2p::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::uint64_t kMaxTimeout = 24 * 3'600'000;  // milliseconds

Json parse(base::BytesView payload) {
  return Json::parse(payload.begin(), payload.end(), nullptr, false);
}

base::Buffer frame_of(const Json& json) {
  return base::encode_frame(base::as_bytes(to_line(json)));
}

using DhtKind = request::DhtQuery::Kind;
constexpr std::pair<DhtKind, std::string_view> kDhtCommands[] = {
    {DhtKind::kPut, "dht put"},
    {DhtKind::kGet, "dht get"},
    {DhtKind::kClosest, "dht closest"},
    {DhtKind::kFindPeer, "dht find-peer"},
    {DhtKind::kProviders, "dht providers"},
    {DhtKind::kProvide, "dht provide"},
};

std::string_view command_of(const request::DhtQuery& query) {
  return std::ranges::find(kDhtCommands, query.kind, [](const auto& c) { return c.first; })->second;
}

using LookKind = request::PubsubLook::Kind;
constexpr std::pair<LookKind, std::string_view> kLookCommands[] = {
    {LookKind::kTopics, "pubsub topics"},
    {LookKind::kPeers, "pubsub peers"},
    {LookKind::kMesh, "pubsub mesh"},
    {LookKind::kScores, "pubsub scores"},
};

std::string_view command_of(const request::PubsubLook& look) {
  return std::ranges::find(kLookCommands, look.kind, [](const auto& c) { return c.first; })->second;
}

// Takes the arguments out of a request one by one, and notes the first that is wrong.
class Arguments {
 public:
  explicit Arguments(const Json& json) : json_(json) {}

  std::string text(const char* name, std::size_t most = kMaxRequestText) {
    const Json* value = take(name);
    if (!value) return wrong<std::string>(name, "is missing");
    return checked_text(name, *value, most);
  }
  std::string text_or_empty(const char* name) {
    const Json* value = take(name);
    return value ? checked_text(name, *value) : std::string{};
  }
  base::Bytes bytes(const char* name, std::size_t most = kMaxRequestText / 2) {
    auto decoded = base::from_hex(text(name, 2 * most));
    return decoded ? *std::move(decoded)
                   : wrong<base::Bytes>(name, "must be bytes in hexadecimal digits");
  }
  bool flag(const char* name) {
    const Json* value = take(name);
    if (!value || !value->is_boolean()) return wrong<bool>(name, "must be true or false");
    return value->get<bool>();
  }
  std::vector<std::string> texts(const char* name, std::size_t most) {
    const Json* value = take(name);
    if (!value || !value->is_array() || value->size() > most) {
      return wrong<std::vector<std::string>>(name, "must be a list of not too many texts");
    }
    std::vector<std::string> result;
    for (const Json& item : *value) result.push_back(checked_text(name, item));
    return result;
  }
  std::uint64_t number(const char* name, std::uint64_t low, std::uint64_t high) {
    const Json* value = take(name);
    if (!value || !value->is_number_unsigned() || value->get<std::uint64_t>() < low ||
        value->get<std::uint64_t>() > high) {
      wrong<int>(name, fmt::format("must be a whole number from {} to {}", low, high));
      return low;
    }
    return value->get<std::uint64_t>();
  }

  std::expected<Request, std::string> finish(Request request) {
    if (error_.empty() && taken_ != json_.size()) error_ = "The request has unknown arguments.";
    if (!error_.empty()) return std::unexpected(std::move(error_));
    return request;
  }

 private:
  const Json* take(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return nullptr;
    ++taken_;
    return &*found;
  }
  std::string checked_text(const char* name, const Json& value,
                           std::size_t most = kMaxRequestText) {
    if (!value.is_string()) return wrong<std::string>(name, "must be a text");
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > most || text.contains('\0')) {
      return wrong<std::string>(name, "is too long, or no text");
    }
    return text;
  }
  template <class T>
  T wrong(const char* name, std::string_view what) {
    if (error_.empty()) error_ = fmt::format("The argument `{}` {}.", name, what);
    return {};
  }

  const Json& json_;
  std::size_t taken_ = 1;  // the command
  std::string error_;
};

std::optional<Error> error_from_json(const Json& json) {
  if (!json.is_object()) return {};
  const auto text = [&](const char* name) -> std::optional<std::string> {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) return {};
    return found->get<std::string>();
  };
  const auto code = text("code");
  const auto message = text("message");
  if (!code || !message) return {};
  const ExitInfo* exit = find_exit(*code);
  return Error{exit ? exit->code : Exit::kFailed, *message, text("hint").value_or("")};
}

}  // namespace

std::string_view command_of(const Request& request) {
  using namespace std::string_view_literals;
  return std::visit(base::Overloaded{
                        [](const request::Publish&) { return "publish"sv; },
                        [](const request::Search&) { return "search"sv; },
                        [](const request::Get&) { return "get"sv; },
                        [](const request::DhtQuery& query) { return command_of(query); },
                        [](const request::DhtTable&) { return "dht table"sv; },
                        [](const request::PubsubLook& look) { return command_of(look); },
                        [](const request::PubsubSubscribe&) { return "pubsub subscribe"sv; },
                        [](const request::PubsubPublish&) { return "pubsub publish"sv; },
                        [](const request::Status&) { return "status"sv; },
                        [](const request::Peers&) { return "peers"sv; },
                        [](const request::Stop&) { return "stop"sv; },
                    },
                    request);
}

base::Buffer encode(const Request& request) {
  Json json;
  json["command"] = command_of(request);
  std::visit(base::Overloaded{
                 [&](const request::Publish& publish) { json["directory"] = publish.directory; },
                 [&](const request::Search& search) {
                   json["words"] = search.words;
                   json["category"] = search.category;
                   json["tag"] = search.tag;
                   json["limit"] = search.limit;
                   json["timeout_ms"] = static_cast<std::uint64_t>(std::max<std::int64_t>(
                       0, duration_cast<milliseconds>(search.timeout).count()));
                 },
                 [&](const request::Get& get) {
                   json["reference"] = get.reference;
                   json["output"] = get.output;
                 },
                 [&](const request::DhtQuery& query) {
                   json["key"] = base::to_hex(query.key);
                   if (query.kind == DhtKind::kPut) json["value"] = base::to_hex(query.value);
                   json["trace"] = query.trace;
                 },
                 [&](const request::PubsubLook& look) { json["about"] = look.about; },
                 [&](const request::PubsubSubscribe& subscribe) {
                   json["topic"] = subscribe.topic;
                   json["count"] = subscribe.count;
                 },
                 [&](const request::PubsubPublish& publish) {
                   json["topic"] = publish.topic;
                   json["data"] = base::to_hex(publish.data);
                 },
                 [](const auto&) {},
             },
             request);
  return frame_of(json);
}

base::Buffer encode_progress(const Json& progress) {
  return frame_of(Json{{"progress", progress}});
}

base::Buffer encode_ok(const Json& result) {
  return frame_of(Json{{"ok", result}});
}

base::Buffer encode_error(const Error& error) {
  return frame_of(Json{{"error", error_to_json(error)}});
}

Json error_to_json(const Error& error) {
  Json json;
  json["code"] = name_of(error.code);
  json["exit"] = static_cast<int>(error.code);
  json["message"] = error.message;
  json["hint"] = error.hint;
  return json;
}

std::expected<Request, std::string> decode_request(base::BytesView payload) {
  const Json json = parse(payload);
  const auto command = json.is_object() ? json.find("command") : json.end();
  if (!json.is_object() || command == json.end() || !command->is_string()) {
    return std::unexpected<std::string>{"The request is not a JSON object with a command."};
  }
  const auto& name = command->get_ref<const std::string&>();
  Arguments arguments{json};
  if (name == "publish") return arguments.finish(request::Publish{arguments.text("directory")});
  if (name == "search") {
    request::Search search;
    search.words = arguments.texts("words", registry::kMaxSearchWords);
    search.category = arguments.text_or_empty("category");
    search.tag = arguments.text_or_empty("tag");
    search.limit = arguments.number("limit", 1, registry::kMaxSearchResults);
    search.timeout =
        milliseconds{static_cast<std::int64_t>(arguments.number("timeout_ms", 0, kMaxTimeout))};
    return arguments.finish(std::move(search));
  }
  if (name == "get") {
    request::Get get;
    get.reference = arguments.text("reference");
    get.output = arguments.text("output");
    return arguments.finish(std::move(get));
  }
  for (const auto& [kind, dht_command] : kDhtCommands) {
    if (name != dht_command) continue;
    request::DhtQuery query{kind, arguments.bytes("key")};
    if (kind == DhtKind::kPut) query.value = arguments.bytes("value");
    query.trace = arguments.flag("trace");
    return arguments.finish(std::move(query));
  }
  if (name == "dht table") return arguments.finish(request::DhtTable{});
  for (const auto& [kind, look_command] : kLookCommands) {
    if (name == look_command) {
      return arguments.finish(request::PubsubLook{kind, arguments.text("about")});
    }
  }
  if (name == "pubsub subscribe") {
    request::PubsubSubscribe subscribe{arguments.text("topic")};
    subscribe.count = arguments.number("count", 0, std::numeric_limits<std::uint64_t>::max());
    return arguments.finish(std::move(subscribe));
  }
  if (name == "pubsub publish") {
    request::PubsubPublish publish{arguments.text("topic")};
    publish.data = arguments.bytes("data", kMaxMessage);
    return arguments.finish(std::move(publish));
  }
  if (name == "status") return arguments.finish(request::Status{});
  if (name == "peers") return arguments.finish(request::Peers{});
  if (name == "stop") return arguments.finish(request::Stop{});
  return std::unexpected(fmt::format("This node knows no command `{}`.",
                                     printable(std::string_view{name}.substr(0, 64))));
}

std::expected<Response, std::string> decode_response(base::BytesView payload) {
  const Json json = parse(payload);
  if (json.is_object() && json.size() == 1) {
    if (json.contains("progress") && json["progress"].is_object()) {
      return Response{Progress{json["progress"]}};
    }
    if (json.contains("ok")) return Response{Result<Json>{json["ok"]}};
    if (json.contains("error")) {
      if (auto error = error_from_json(json["error"])) {
        return Response{Result<Json>{std::unexpected(*std::move(error))}};
      }
    }
  }
  return std::unexpected<std::string>{"The node's answer makes no sense."};
}

}  // namespace ggen::p2p::cli
