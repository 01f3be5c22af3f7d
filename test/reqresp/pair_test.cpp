#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

#include "../support/peers.hpp"
#include "../support/stream_pair.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using reqresp::MapBuilder;

namespace {

struct Answer {
  std::string text;
  base::Bytes body;
  bool operator==(const Answer&) const = default;
};

// Serves random answers as a careful owner does: two unanswered pieces of a body at most.
class Server {
 public:
  explicit Server(std::vector<Answer> answers) : answers_(std::move(answers)) {}

  template <class Pair>
  void work(Pair& pair) {
    for (auto& request : pair.template take_events<reqresp::Request>(1)) {
      id_ = request.id;
      begin_next(pair);
    }
    for (const auto& written : pair.template take_events<reqresp::BodyWritten>(1)) {
      REQUIRE(written.id == id_);
      --unanswered_;
      write_more(pair);
    }
  }

 private:
  template <class Pair>
  void begin_next(Pair& pair) {
    if (next_ == answers_.size()) {
      pair.call(1, [&](reqresp::Engine& e) { e.finish(id_, pair.now()); });
      return;
    }
    const Answer& answer = answers_[next_];
    written_ = 0;
    pair.call(1, [&](reqresp::Engine& e) {
      e.respond(id_, MapBuilder{}.text("t", answer.text), answer.body.size(), pair.now());
    });
    write_more(pair);
  }
  template <class Pair>
  void write_more(Pair& pair) {
    const base::Bytes& body = answers_[next_].body;
    while (unanswered_ < 2 && written_ < body.size()) {
      const auto piece = base::BytesView{body}.subspan(
          written_, std::min<std::size_t>(1000, body.size() - written_));
      written_ += piece.size();
      ++unanswered_;
      pair.call(1, [&](reqresp::Engine& e) {
        e.write_body(id_, base::Buffer::copy_of(piece), pair.now());
      });
    }
    if (written_ == body.size() && unanswered_ == 0) {
      ++next_;
      begin_next(pair);
    }
  }

  std::vector<Answer> answers_;
  reqresp::ServedId id_;
  std::size_t next_ = 0;
  std::size_t written_ = 0;
  std::size_t unanswered_ = 0;
};

std::vector<Answer> random_answers(base::Prng& prng) {
  std::vector<Answer> answers(1 + prng.below(4));
  for (Answer& answer : answers) {
    answer.text = std::string(prng.below(300), 'x');
    if (prng.chance(0.7)) answer.body.resize(prng.below(8000));
    prng.fill(answer.body);
  }
  return answers;
}

// Reads one request's answers as they come, consuming bodies in pieces of its own.
struct Client {
  std::vector<Answer> answers;
  bool done = false;

  template <class Pair>
  void work(Pair& pair) {
    // Responses and bodies come in one order: take the events one by one.
    for (auto& output : pair.take_all(0)) {
      if (auto* response = std::get_if<reqresp::Response>(&output)) {
        answers.push_back({std::string{response->message.map().text("t").value()}, {}});
      } else if (auto* body = std::get_if<reqresp::ResponseBody>(&output)) {
        base::append(answers.back().body, body->data.view());
        pair.call(0,
                  [&](reqresp::Engine& e) { e.consume(body->id, body->data.size(), pair.now()); });
      } else if (auto* end = std::get_if<reqresp::RequestDone>(&output)) {
        CHECK(end->result);
        done = true;
      }
    }
  }
};

}  // namespace

TEST_CASE("reqresp: any fragmentation and window gives the same answers") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    base::Prng prng{seed};
    reqresp::Engine a;
    reqresp::Engine b;
    const reqresp::Service service{.protocol = "/ggen/test/1.0.0", .max_request = 1000};
    const auto id = a.add_service(service);
    b.add_service(service);
    const test::LinkOptions link{.seed = seed,
                                 .window = 100 + prng.below(5000),
                                 .send_queue = 50 + prng.below(3000),
                                 .max_fragment = 1 + prng.below(2000)};
    test::StreamPair<reqresp::Engine> pair{a, b, {test::peer_id(1), test::peer_id(2)}, link};
    const std::vector<Answer> answers = random_answers(prng);
    Server server{answers};
    Client client;
    pair.call(0, [&](reqresp::Engine& e) {
      e.request(test::peer_id(2), id, MapBuilder{}.binary("b", base::Bytes(prng.below(900))), 1h,
                pair.now());
    });
    while (pair.step()) {
      server.work(pair);
      client.work(pair);
    }
    CHECK(client.done);
    CHECK(client.answers == answers);
    CHECK(pair.no_events(0));
    CHECK(pair.no_events(1));
    CHECK(pair.open_streams() == 0);
  }
}

TEST_CASE("reqresp: what a client does not consume holds the server back") {
  reqresp::Engine a;
  reqresp::Engine b;
  const reqresp::Service service{.protocol = "/ggen/test/1.0.0"};
  const auto id = a.add_service(service);
  b.add_service(service);
  const test::LinkOptions link{.window = 10'000, .send_queue = 5000, .max_fragment = 1000};
  test::StreamPair<reqresp::Engine> pair{a, b, {test::peer_id(1), test::peer_id(2)}, link};
  Server server{{Answer{"big", base::Bytes(1'000'000)}}};
  pair.call(0, [&](reqresp::Engine& e) { e.request(test::peer_id(2), id, {}, 10s, pair.now()); });
  const base::Instant until = pair.now() + 9s;
  while (pair.now() < until && pair.step()) server.work(pair);
  std::size_t received = 0;
  for (const auto& body : pair.take_events<reqresp::ResponseBody>(0)) received += body.data.size();
  CHECK(received <= 10'000);
  CHECK(received > 9'000);
}
