#include <set>
#include <string>

#include <ggen/p2p/swarm/reasons.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;

namespace {

template <class Enum>
void check_phrases(Enum last) {
  std::set<std::string> phrases;
  for (int value = 0; value <= static_cast<int>(last); ++value) {
    const std::string phrase(to_string(static_cast<Enum>(value)));
    CHECK_MESSAGE(phrase.rfind("unknown", 0) != 0, value);
    CHECK_MESSAGE(phrases.insert(phrase).second, phrase);
    CHECK(phrase.back() != '.');
  }
  CHECK(to_string(static_cast<Enum>(255)).substr(0, 7) == "unknown");
}

}  // namespace

TEST_CASE("every reason has a phrase of its own") {
  check_phrases(Purpose::kProtocol);
  check_phrases(DialError::kOther);
  check_phrases(ResolveError::kOther);
  check_phrases(ListenError::kOther);
  check_phrases(RefuseReason::kTooFast);
  check_phrases(LocalClose::kStopping);
  check_phrases(NotTried::kNoRecords);
  check_phrases(DialFailureKind::kStopping);
  check_phrases(RecordError::kOwnRecord);
}

TEST_CASE("a reason says the same alone and among others") {
  CHECK(to_string(CloseCause(LocalClose::kTrimmed)) == to_string(LocalClose::kTrimmed));
  CHECK(to_string(CloseCause(connection::CloseReason::kFlooded)) ==
        to_string(connection::CloseReason::kFlooded));
  CHECK(to_string(AddressFailureReason(DialError::kReset)) == to_string(DialError::kReset));
}
