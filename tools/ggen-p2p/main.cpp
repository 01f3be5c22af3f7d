// The program: reads the command line, has the command carried out, prints what came of it.

#include <cstdio>
#include <cstdlib>
#include <exception>

#include <fmt/format.h>
#include <unistd.h>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/marketplace/home.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

#include "command_line.hpp"
#include "config.hpp"
#include "control_client.hpp"
#include "node_service.hpp"
#include "read_input.hpp"
#include "render.hpp"
#include "render_pubsub.hpp"
#include "run_node.hpp"
#include "start.hpp"

namespace {

using namespace ggen::p2p;
using namespace ggen::p2p::cli;

const Error kUnwritten{Exit::kFailed, "The output could not be written.", "Is the disk full?"};

bool wants_colour(int file) {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(file) != 0 && (!no_colour || *no_colour == '\0');
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// With --json, the one document on standard output is the error; otherwise it goes to people.
int report(const Error& error, bool json) {
  if (json) {
    print(to_text(Json{{"error", error_to_json(error)}}) + "\n");
  } else {
    const std::string text = render_error(error, wants_colour(STDERR_FILENO));
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return static_cast<int>(error.code);
}

int start(const CommandLine& line, bool detach) {
  auto configuration = load_config(line.flags);
  if (!configuration) return report(configuration.error(), line.json);
  const auto show = [&](const Json& started) {
    print(line.json ? to_text(started) + "\n" : render_started(started));
  };
  if (detach) {
    const auto started = start_detached(configuration->settings);
    if (!started) return report(started.error(), line.json);
    show(*started);
    return 0;
  }
  NodeOptions options;
  options.on_ready = show;
  const auto outcome = run_node(configuration->settings, options);
  return outcome ? 0 : report(outcome.error(), line.json);
}

int show_id(const CommandLine& line) {
  const auto configuration = load_config(line.flags);
  if (!configuration) return report(configuration.error(), line.json);
  const Settings& settings = configuration->settings;
  if (const auto home = marketplace::prepare_home(settings.home); !home) {
    return report(error_of(home.error()), line.json);
  }
  const auto keys = marketplace::read_or_make_keys(settings.home, settings.identity);
  if (!keys) return report(error_of(keys.error()), line.json);
  const std::string peer = multiformats::PeerId::of(keys->identity.public_key()).to_string();
  const std::string publisher = multiformats::PeerId::of(keys->publisher.public_key()).to_string();
  if (line.json) {
    Json json;
    json["peer_id"] = peer;
    json["publisher_id"] = publisher;
    print(to_text(json) + "\n");
  } else {
    print(fmt::format("peer id    {}\npublisher  {}\n", peer, publisher));
  }
  return 0;
}

int show_configuration(const CommandLine& line) {
  const auto configuration = load_config(line.flags);
  if (!configuration) return report(configuration.error(), line.json);
  print(line.json ? to_text(config_to_json(*configuration)) + "\n" : show_config(*configuration));
  return 0;
}

// How long the node may take; nothing for what takes as long as it takes.
std::optional<base::Duration> patience_for(const Request& request) {
  using namespace std::chrono_literals;
  using Patience = std::optional<base::Duration>;
  return std::visit(
      base::Overloaded{
          [](const request::Publish&) { return Patience{}; },
          [](const request::Get&) { return Patience{}; },
          [](const request::DhtQuery&) { return Patience{}; },  // ends at dht.query_timeout
          [](const request::PubsubSubscribe&) { return Patience{}; },
          [](const request::Search& search) { return Patience{search.timeout + 10s}; },
          [](const request::Stop&) { return Patience{20s}; },
          [](const auto&) { return Patience{10s}; },
      },
      request);
}

int ask_node(const CommandLine& line, const command::Ask& command) {
  const auto home = choose_home(line.flags.home);
  if (!home) return report(home.error(), line.json);
  const bool shows_progress = ::isatty(STDERR_FILENO) != 0;
  const ProgressLine progress_line{ProgressLine::Clock::now()};
  const auto on_progress = [&](const Json& progress) {
    if (!shows_progress) return;
    fmt::print(stderr, "\r\x1b[K{}", progress_line(progress, ProgressLine::Clock::now()));
    std::fflush(stderr);
  };
  const auto result =
      call_node(home->path, command.request, on_progress, patience_for(command.request));
  if (shows_progress) fmt::print(stderr, "\r\x1b[K");
  if (!result) return report(result.error(), line.json);
  RenderOptions options;
  options.colour = wants_colour(STDOUT_FILENO);
  options.history = command.history;
  print(line.json ? to_text(*result) + "\n" : render(command.request, *result, options));
  return static_cast<int>(exit_of(command.request, *result));
}

// Messages go to standard output as they come, as JSON an object a line; so does then an error.
int follow_topic(const CommandLine& line, const request::PubsubSubscribe& subscribe) {
  const auto home = choose_home(line.flags.home);
  if (!home) return report(home.error(), line.json);
  const bool talks = !line.json && ::isatty(STDERR_FILENO) != 0;
  const auto on_progress = [&](const Json& state) {
    const auto message = state.find("message");
    if (message == state.end()) {
      if (talks) fmt::print(stderr, "{}", render_joined(state));
      return;
    }
    print(line.json ? to_line(*message) + "\n" : render_message(*message));
    if (std::ferror(stdout) != 0) std::exit(report(kUnwritten, false));
  };
  const auto result = call_node(home->path, subscribe, on_progress, patience_for(subscribe));
  if (result) return 0;
  if (!line.json) return report(result.error(), false);
  print(to_line(Json{{"error", error_to_json(result.error())}}) + "\n");
  return static_cast<int>(result.error().code);
}

// A message that was not typed as an argument is what standard input holds.
int publish_input(const CommandLine& line, command::Ask command) {
  if (::isatty(STDIN_FILENO) != 0) {
    fmt::print(stderr, "Type the message; Ctrl-D at the start of a line sends it.\n");
  }
  auto data = read_input(STDIN_FILENO, kMaxMessage);
  if (!data) return report(data.error(), line.json);
  std::get<request::PubsubPublish>(command.request).data = *std::move(data);
  return ask_node(line, command);
}

int carry_out(const CommandLine& line, const command::Ask& command) {
  if (const auto* subscribe = std::get_if<request::PubsubSubscribe>(&command.request)) {
    return follow_topic(line, *subscribe);
  }
  return command.reads_input ? publish_input(line, command) : ask_node(line, command);
}

int run_command(int argc, const char* const* argv) {
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
    print(early->text);
    return early->error ? report(*early->error, early->json) : static_cast<int>(early->code);
  }
  const auto& line = std::get<CommandLine>(parsed);
  return std::visit(base::Overloaded{
                        [&](const command::Start& command) { return start(line, command.detach); },
                        [&](const command::Id&) { return show_id(line); },
                        [&](const command::ShowConfig&) { return show_configuration(line); },
                        [&](const command::Ask& command) { return carry_out(line, command); },
                    },
                    line.command);
}

// What could not be printed was not told: a full disk must not pass for success.
int run(int argc, const char* const* argv) {
  const int code = run_command(argc, argv);
  if (code == 0 && std::ferror(stdout) != 0) {
    return report(kUnwritten, false);
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return report({Exit::kFailed, fmt::format("Something unforeseen: {}.", error.what()),
                   "This is a mistake of the program: please report it."},
                  false);
  }
}
