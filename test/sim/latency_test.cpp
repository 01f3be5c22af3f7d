#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/latency.hpp>

using namespace ggen::p2p;
using namespace std::chrono_literals;

TEST_CASE("latency: between cities it grows with the distance, the same both ways") {
  const auto model = sim::geographic_latency();
  const sim::Place london{51.5, -0.1, 0};
  const sim::Place paris{48.9, 2.4, 0};
  const sim::Place sydney{-33.9, 151.2, 0};
  CHECK(model->one_way(london, london) > 0ns);
  CHECK(model->one_way(london, paris) > model->one_way(london, london));
  CHECK(model->one_way(london, sydney) > 5 * model->one_way(london, paris));
  CHECK(model->one_way(london, sydney) < 200ms);
  CHECK(model->one_way(london, sydney) == model->one_way(sydney, london));
}

TEST_CASE("latency: a matrix gives half the mean round trip between two sites") {
  const auto model =
      sim::matrix_latency("# measured\nberlin, 1, 20\ntokyo, 40, 2  # the other way\n");
  REQUIRE(model.has_value());
  const sim::Place berlin{0, 0, 0};
  const sim::Place tokyo{0, 0, 1};
  CHECK((*model)->one_way(berlin, tokyo) == 15ms);
  CHECK((*model)->one_way(tokyo, berlin) == 15ms);
  CHECK((*model)->one_way(tokyo, tokyo) == 1ms);
}

TEST_CASE("latency: what is wrong with a matrix is said with its line") {
  const auto error = [](const char* text) {
    const auto model = sim::matrix_latency(text);
    REQUIRE_FALSE(model.has_value());
    return model.error();
  };
  CHECK(error("a, 1, 2\nb, 1, x\n").starts_with("line 2: \"x\""));
  CHECK(error("a, 1, -2\nb, 1, 1\n").starts_with("line 1: \"-2\""));
  CHECK(error("a, 1, 2\nb, 1\n").starts_with("line 2: 1 round trips"));
  CHECK(error(", 1\n").starts_with("line 1: the name"));
  CHECK(error("# nothing\n") == "no site is named");
}
