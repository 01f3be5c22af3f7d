#include "trial.hpp"

#include <csignal>
#include <string>

#include <doctest/doctest.h>

using namespace ggen::p2p::sim_cli;

namespace {

// As waitpid() gives it.
ChildEnd exited(int code, std::string out, std::string err = "") {
  ChildEnd end;
  end.status = code << 8;
  end.out = std::move(out);
  end.err = std::move(err);
  return end;
}

}  // namespace

TEST_CASE("outcome: checks that hold pass, those that fail give it its name") {
  CHECK_FALSE(outcome_of(exited(0, R"({"checks": [{"name": "a", "passed": true}]})")).failed());
  const Outcome outcome = outcome_of(exited(1, R"({"checks": [
      {"name": "a", "passed": false, "detail": "3 of 4"}, {"name": "b", "passed": true},
      {"name": "c", "passed": false, "detail": ""}]})"));
  CHECK(outcome.failure == "a; c");
  CHECK(outcome.detail == "a: 3 of 4\nc: \n");
  CHECK(outcome.finished);
}

TEST_CASE("outcome: what did not end as a run does has failed") {
  CHECK(outcome_of(exited(0, "")).failed());
  CHECK(outcome_of(exited(0, "[1]")).failed());
  CHECK(outcome_of(exited(130, R"({"checks": []})")).failed());
  CHECK(outcome_of(exited(23, R"({"checks": []})")).failed());  // a leak
  CHECK(outcome_of(exited(2, R"({"error": {"message": "No."}})")).failure == "No.");
}

TEST_CASE("outcome: a crash is known by its signal and the line that tells why") {
  ChildEnd end = exited(0, "{", "one\nnode.cpp:7: invariant broken: a == b\nrun it again\n");
  end.status = SIGABRT;
  const Outcome outcome = outcome_of(end);
  CHECK(outcome.failure == "ended by signal 6 (Aborted): node.cpp:7: invariant broken: a == b");
  CHECK(outcome.detail == end.err);
  CHECK_FALSE(outcome.finished);
  end.timed_out = true;
  end.status = SIGKILL;
  CHECK(outcome_of(end).failure == "did not end in time");
}
