#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <variant>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

#include "chunk_plan.hpp"
#include "reputation.hpp"

namespace ggen::p2p::registry {

/// One fetch: brings the chunks of one archive from several peers. Asks one of them for the list of
/// chunks, has room made for the archive, then asks all of them for ranges of chunks; every chunk
/// goes to the store, which hashes it.
///
/// Gives what it wants of the store through poll(), and is told the outcome by created() and
/// written(). Received bytes are given free (reqresp's consume) once the chunk they belong to is
/// written, so that a slow disk slows the peers down; see kHeldBack for what is free earlier.
class Transfer {
 public:
  /// What it stands on; outlives it.
  struct Below {
    reqresp::Engine& requests;
    reqresp::ServiceId service{};
    Reputation& reputation;
    FetchConfig config;
  };

  /// Peers known to one fetch, those that were left included; more are ignored.
  static constexpr std::size_t kMaxProviders = 128;
  /// Peers that are asked for the list of chunks at a time: if one stalls, the other answers.
  static constexpr std::size_t kListSources = 2;
  /// Bytes of an incomplete chunk that are not given free yet: half of the window with which yamux
  /// opens a stream. A receiver returns credit once half a window is owed, so that holding back
  /// more would leave the sender without the last bytes' credit for ever: a chunk fills the window,
  /// and its header needs room as well.
  static constexpr std::size_t kHeldBack = 128 * 1024;
  /// A peer that holds a part is asked again so often what it has gained.
  static constexpr base::Duration kListAgain = std::chrono::seconds{5};
  /// With nothing else left to ask for, chunks that would take longer are asked of a second peer.
  static constexpr base::Duration kPatience = std::chrono::seconds{2};
  /// A peer that failed rests for so long, then twice as long, at most kMaxRest.
  static constexpr base::Duration kRest = std::chrono::seconds{1};
  static constexpr base::Duration kMaxRest = std::chrono::seconds{30};
  /// A peer with less success than this is asked only while no other one is.
  static constexpr double kShunned = 0.25;
  /// Peers of whom nobody says that they hold the archive, and which are asked all the same while
  /// nobody is known who does: so many in all, so many at a time, each so often.
  static constexpr std::size_t kMaxGuesses = 16;
  static constexpr std::size_t kGuessesAtATime = 2;
  static constexpr int kMaxAsked = 4;

  /// A chunk on its way to the store; written() answers it.
  struct Write {
    std::uint64_t index = 0;
    base::Buffer bytes;
    std::size_t provider = 0;
    reqresp::RequestId request;  // the bytes below are consumed on
    std::size_t charged = 0;
    base::Duration latency{};
  };
  using Output = std::variant<store::CreateBlob, Write>;

  /// `archive` is a valid one, of which chunk `from` is asked for first. Does nothing until
  /// start().
  Transfer(const Below& below, const Archive& archive, std::uint64_t from);

  [[nodiscard]] const Archive& archive() const noexcept { return archive_; }
  /// A peer that may hold the archive. Known ones and those above kMaxProviders are ignored.
  void add_provider(const multiformats::PeerId& peer, base::Instant now);
  /// A connected peer that may hold it by chance. Those above kMaxGuesses are ignored.
  void add_guess(const multiformats::PeerId& peer, base::Instant now);
  /// Begins. `held` is what the store has of the archive, nothing when it does not know it.
  void start(std::optional<ChunkSet> held, base::Instant now);

  bool handle(reqresp::Response& response, base::Instant now);
  bool handle(reqresp::ResponseBody& body, base::Instant now);
  bool handle(const reqresp::RequestDone& done, base::Instant now);

  /// The outcome of CreateBlob.
  void created(std::expected<ChunkSet, StoreError> held, base::Instant now);
  /// The outcome of a Write, whose bytes were handed on.
  void written(const Write& write, std::expected<void, StoreError> outcome, base::Instant now);

  [[nodiscard]] std::optional<Output> poll() { return outputs_.pop(); }
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return deadline_; }

  /// How it ended, once it has. Nothing more is asked then; writes may be under way.
  [[nodiscard]] const std::optional<std::expected<void, FetchError>>& result() const noexcept {
    return result_;
  }
  /// Ends it; requests under way are given up.
  void end(std::expected<void, FetchError> result);

  [[nodiscard]] std::uint64_t chunks_held() const noexcept;
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Peers that are asked for chunks now.
  [[nodiscard]] std::size_t providers() const noexcept { return engaged_; }
  /// Somebody who is asked now has said what it holds.
  [[nodiscard]] bool knows_holder() const;
  /// What each peer that sent chunks, good or bad, has sent.
  [[nodiscard]] std::vector<event::FetchSource> sources() const;

 private:
  enum class Stage : std::uint8_t { kWaiting, kList, kCreating, kChunks };
  enum class Conduct : std::uint8_t {
    kFailed,     // try others first, and this one again later
    kUseless,    // does not speak the protocol, or not so that we understand
    kLied,       // sent what is provably wrong
    kNothingNow  // a part that gives us nothing: it may have gained chunks later
  };
  enum class State : std::uint8_t { kIdle, kEngaged, kDropped };
  struct Provider {
    event::FetchSource source;
    State state = State::kIdle;
    bool guess = false;  // nobody said that it holds anything
    base::Instant rests_until;
    int failures = 0;                // in a row
    std::optional<ChunkSet> have{};  // as of `told`
    base::Instant told;
    std::size_t requests = 0;  // under way
    bool listing = false;      // one of them is for the list
  };
  struct Request {
    std::size_t provider = 0;
    bool list = false;
    ChunkRange chunks{};               // those that have not come yet
    std::optional<ChunkSet> listed{};  // the answer whose hashes come in the body
    std::uint64_t expected = 0;        // bytes of the body that comes
    base::ByteQueue body{};
    std::size_t charged = 0;  // of them, those that are not free
    std::size_t writing = 0;  // chunks that came and are not written yet
    std::size_t delivered = 0;
    base::Instant asked;
    base::Instant moved;  // the last chunk came, or was written
  };

  [[nodiscard]] std::vector<Provider>::iterator find(const multiformats::PeerId& peer);

  // Requests and their answers (transfer_requests.cpp).
  void ask_list(std::size_t provider, base::Instant now);
  void ask_chunks(std::size_t provider, ChunkRange chunks, base::Instant now);
  void send(const reqresp::MapBuilder& message, Request request, base::Instant now);
  void on_list(reqresp::RequestId id, Request& request, reqresp::Response& response,
               base::Instant now);
  void on_chunk(Request& request, reqresp::Response& response, base::Instant now);
  void on_list_body(reqresp::RequestId id, Request& request, base::Instant now);
  void on_chunk_body(reqresp::RequestId id, Request& request, base::Instant now);
  void release_surplus(reqresp::RequestId id, Request& request, base::Instant now);
  /// Forgets a request that is over, or with `cancel` one that is not.
  void drop(reqresp::RequestId id, bool cancel);
  /// A guess has shown what it holds.
  void guessed_right(Provider& provider);
  /// Gives a peer up for a while or for good, with all that it was asked for.
  void leave(std::size_t provider, Conduct conduct, base::Instant now);
  void cancel_requests_of(std::size_t provider);
  void cancel_needless();

  // What to do next (transfer_schedule.cpp).
  void schedule(base::Instant now);
  void engage(base::Instant now);
  [[nodiscard]] bool may_guess() const;
  [[nodiscard]] static bool is_guess(const Provider& provider);
  [[nodiscard]] std::size_t places() const;
  [[nodiscard]] std::optional<std::size_t> best_candidate(base::Instant now) const;
  [[nodiscard]] bool is_shunned(const Provider& provider, base::Instant now) const;
  [[nodiscard]] bool has_choice(base::Instant now) const;
  [[nodiscard]] bool may_ask_chunks() const;
  void give_work(std::size_t provider, base::Instant now);
  [[nodiscard]] bool is_in_the_way(const Provider& idle, base::Instant now) const;
  void look_after_idle(std::size_t provider, base::Instant now);
  void help_slow(std::size_t helper, base::Instant now);
  [[nodiscard]] base::Instant slow_at(const Request& request) const;
  [[nodiscard]] std::uint64_t range_limit() const;
  void give_up_if_due(base::Instant now);
  void set_deadline(base::Instant now);
  void wake_at(base::Instant when);

  Below below_;
  Archive archive_;
  std::uint64_t from_;
  Stage stage_ = Stage::kWaiting;
  std::optional<ChunkPlan> plan_;  // from kChunks on
  std::vector<Provider> providers_;
  std::size_t engaged_ = 0;   // without guesses
  std::size_t guessing_ = 0;  // guesses that are asked now
  base::HashMap<reqresp::RequestId, Request> requests_;
  std::size_t writes_ = 0;
  std::uint64_t bytes_ = 0;
  base::Instant progress_;  // something was gained
  std::optional<base::Instant> deadline_;
  std::optional<std::expected<void, FetchError>> result_;
  base::Fifo<Output> outputs_;
};

}  // namespace ggen::p2p::registry
