#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/yamux/session.hpp>

#include "header_reader.hpp"
#include "keep_alive.hpp"
#include "receive_window.hpp"
#include "scheduler.hpp"
#include "stream.hpp"
#include "stream_ids.hpp"
#include "stream_table.hpp"

namespace ggen::p2p::yamux {

class FrameWriter;

/// Empties the vector and frees its memory, which assigning {} would keep.
template <class T>
void give_back(std::vector<T>& vector) noexcept {
  std::vector<T>{}.swap(vector);
}

/// Everything a session knows. state.cpp holds what all directions share, receive.cpp what frames
/// of the remote do to it, transmit.cpp how frames are made of it, session.cpp what the owner asks
/// for.
struct Session::State {
  State(Role own_role, const Config& limits, base::Instant now);

  Role role;
  Config config;
  KeepAlive keep_alive;
  GrowthBudget growth;

  StreamTable streams;
  Scheduler scheduler;
  base::Fifo<Event> events;
  LocalIds local_ids;
  RemoteIds remote_ids;
  std::size_t inbound = 0;                 // streams in the table that the remote opened
  std::size_t unacknowledged_inbound = 0;  // those that this side has not answered
  std::size_t unacknowledged_outbound = 0;

  // Answers owed to the remote that belong to no stream.
  std::vector<std::uint32_t> pongs;
  std::vector<StreamId> refusals;

  // The frame being received: its body's bytes are handed on as they come.
  HeaderReader header;
  struct Body {
    std::uint32_t left = 0;
    bool fin = false;          // the remote finishes after this body
    Stream* stream = nullptr;  // null when the body is to be dropped
  } body;

  std::optional<base::Instant> backlogged;  // when transmit() last left something unwritten
  bool ended = false;
  std::optional<std::uint32_t> go_away;  // the code of a GO_AWAY that is not transmitted yet

  // Shared.
  [[nodiscard]] bool opened_by_remote(StreamId id) const noexcept;
  [[nodiscard]] Stream* find_alive(StreamId id) const noexcept;
  /// The stream is over: says so, and forgets it unless its RST must be sent first.
  void close_if_done(Stream& stream);
  void drop_content(Stream& stream) noexcept;
  void release(Stream& stream) noexcept;
  void mark_acknowledged(Stream& stream) noexcept;
  /// Ends the session, saying goodbye with `code` if any.
  void end(Error error, std::optional<GoAwayCode> code, std::uint32_t remote_code = 0);
  void fail(Error error) { end(error, GoAwayCode::kProtocolError); }

  // Receiving.
  void on_header(const Header& frame, base::Instant now);
  void on_ping(const Header& frame, base::Instant now);
  void on_stream_frame(const Header& frame, base::Instant now);
  void on_body(base::Buffer& bytes);
  [[nodiscard]] Stream* accept(const Header& frame, base::Instant now);
  void refuse(StreamId id);
  void on_credit(Stream& stream, std::uint32_t credit);
  void on_data(Stream& stream, const Header& frame);
  void on_finish(Stream& stream);
  void on_reset(Stream& stream);

  // Transmitting.
  void write_session_frames(FrameWriter& out, base::Instant now);
  void write_control_frames(FrameWriter& out);
  void write_control_frame(FrameWriter& out, Stream& stream);
  void write_data_frames(FrameWriter& out);
  void write_data_frame(FrameWriter& out, Stream& stream, std::size_t size);
  [[nodiscard]] std::uint16_t greeting(Stream& stream) noexcept;
};

}  // namespace ggen::p2p::yamux
