#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::sim {

/// Where the nodes of a run are, and what became of them: what the report's map steps through.
///
/// Bounded however long and large the run is: see add_node() and add_frame().
class NetworkMap {
 public:
  /// What x and y of a node mean.
  enum class Plane : std::uint8_t {
    kDegrees,     ///< x is the longitude, -180 to 180 east; y the latitude, -90 to 90 north
    kUnitSquare,  ///< both 0 to 1; y grows upwards
  };
  enum class State : std::uint8_t {
    kDown = 0,
    kUp = 1,
    kReached = 2,  ///< up, and has what the run spreads: reached() says what
  };
  struct Node {
    std::uint32_t id;  ///< its number in the run
    double x;
    double y;
    std::string label;  ///< may be empty
    friend bool operator==(const Node&, const Node&) = default;
  };
  struct Edge {
    std::uint32_t from;  ///< index among nodes()
    std::uint32_t to;
    friend bool operator==(const Edge&, const Edge&) = default;
  };
  struct Frame {
    base::Instant when;
    std::vector<State> states;  ///< one for each of nodes()
    std::vector<Edge> edges;
    friend bool operator==(const Frame&, const Frame&) = default;
  };

  /// More could neither be told apart on a screen nor drawn smoothly.
  static constexpr std::size_t kMaxNodes = 10'000;
  static constexpr std::size_t kMaxFrames = 240;
  static constexpr std::size_t kMaxEdges = 2'000;

  /// `reached` says what State::kReached means, as in "has the package".
  explicit NetworkMap(Plane plane = Plane::kUnitSquare, std::string reached = "reached");

  /// Its index among nodes(); nothing when there are kMaxNodes already: a larger network shows a
  /// sample, which the caller chooses by what it adds. Not after the first frame.
  std::optional<std::uint32_t> add_node(Node node);

  /// The state of the network at `when`, which may not lie before the last frame. Edges beyond
  /// kMaxEdges are left out. When there are kMaxFrames, every second one goes and from then on only
  /// half as many are kept; the last one given always is.
  void add_frame(base::Instant when, std::span<const State> states,
                 std::span<const Edge> edges = {});

  [[nodiscard]] Plane plane() const noexcept { return plane_; }
  [[nodiscard]] const std::string& reached() const noexcept { return reached_; }
  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] const std::vector<Frame>& frames() const noexcept { return frames_; }

  /// Of what is shown: its plane, nodes and frames.
  friend bool operator==(const NetworkMap& a, const NetworkMap& b) {
    return a.plane_ == b.plane_ && a.reached_ == b.reached_ && a.nodes_ == b.nodes_ &&
           a.frames_ == b.frames_;
  }

 private:
  Plane plane_;
  std::string reached_;
  std::vector<Node> nodes_;
  std::vector<Frame> frames_;
  // Frames are kept whose number is a multiple of the stride, and for the time being the last one.
  std::size_t stride_ = 1;
  std::size_t offered_ = 0;
  bool last_is_extra_ = false;
};

}  // namespace ggen::p2p::sim
