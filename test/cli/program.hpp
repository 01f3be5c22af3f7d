#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/folder.hpp"
#include "json.hpp"

/// The built program, run as a person or a script does.
namespace ggen::p2p::test {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

inline const char* program() {
  const char* path = std::getenv("GGEN_P2P_PROGRAM");
  REQUIRE(path);
  return path;
}

/// Starts the program with its output in the files `out` and `err` of `folder`, and `input` on its
/// standard input.
inline pid_t launch(const Folder& folder, std::vector<std::string> arguments,
                    const std::string& input = "/dev/null") {
  arguments.insert(arguments.begin(), program());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const std::string out = folder / "out";
  const std::string err = folder / "err";
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
    ::dup2(::open(input.c_str(), O_RDONLY), STDIN_FILENO);
    ::dup2(::open(out.c_str(), kFlags, 0600), STDOUT_FILENO);
    ::dup2(::open(err.c_str(), kFlags, 0600), STDERR_FILENO);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  return child;
}

inline Outcome wait_for(const Folder& folder, pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = read_file(folder / "out");
  outcome.err = read_file(folder / "err");
  return outcome;
}

inline Outcome run(std::vector<std::string> arguments, const std::string& input = "/dev/null") {
  const Folder folder;
  return wait_for(folder, launch(folder, std::move(arguments), input));
}

/// A node in a fresh home, stopped when this object goes.
struct Node {
  explicit Node(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {
        "start", "--home", home_path(), "--listen", "/ip4/127.0.0.1/tcp/0", "--detach", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    started = cli::Json::parse(outcome.out);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() { run({"stop", "--home", home_path()}); }

  [[nodiscard]] std::string home_path() const { return home / "node"; }
  [[nodiscard]] pid_t pid() const { return started["pid"].get<pid_t>(); }
  [[nodiscard]] std::string address() const { return started["addresses"][0].get<std::string>(); }

  Folder home;
  cli::Json started;
};

}  // namespace ggen::p2p::test
