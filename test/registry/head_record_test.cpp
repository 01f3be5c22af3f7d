#include <ggen/p2p/registry/head_record.hpp>

#include "engine_network.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

base::Bytes value_of(std::initializer_list<const Entry*> entries) {
  std::vector<base::Bytes> envelopes;
  for (const Entry* entry : entries) envelopes.push_back(base::to_bytes(entry->envelope.view()));
  return encode_head(envelopes);
}

const LogSigner kLog{1};
const Entry kFirst = kLog.first(2);
const Entry kRelease = kLog.after(kFirst, 1, publish("tabs", "1.0.0"));
const Entry kLater = kLog.after(kRelease, 1, publish("tabs", "2.0.0"));
const Entry kRotated = kLog.rotate(kRelease, 2, 3);
const Entry kByNewKey = kLog.after(kRotated, 2, publish("tabs", "3.0.0"));

}  // namespace

TEST_CASE("head record: what follows from the publisher's name is genuine") {
  const HeadValidator validator{test_crypto()};
  const base::Bytes key = head_key(kLog.id());
  CHECK(publisher_of_head(key) == kLog.id());
  for (const auto& value :
       {value_of({&kFirst}), value_of({&kFirst, &kRelease}), value_of({&kFirst, &kLater}),
        value_of({&kFirst, &kRotated}), value_of({&kFirst, &kRotated, &kByNewKey})}) {
    CHECK(validator.valid(key, value));
  }
  const auto record =
      open_head(test_crypto(), kLog.id(), value_of({&kFirst, &kRotated, &kByNewKey}));
  REQUIRE(record);
  CHECK(record->eras == 2);
  CHECK(record->head.id == kByNewKey.id);
}

TEST_CASE("head record: what does not is refused") {
  const HeadValidator validator{test_crypto()};
  const base::Bytes key = head_key(kLog.id());
  const LogSigner other{9};
  const Entry foreign = other.first(2);
  const Entry old_key = kLog.after(kRotated, 1, publish("tabs", "4.0.0"));
  const Entry wrong_rotation = kLog.rotate(kRelease, 7, 3);
  for (const auto& value :
       {value_of({}), value_of({&kRelease}), value_of({&foreign}), value_of({&kFirst, &kFirst}),
        value_of({&kFirst, &kByNewKey}), value_of({&kFirst, &wrong_rotation}),
        value_of({&kFirst, &kRotated, &old_key}), value_of({&kFirst, &kRotated, &kRelease}),
        value_of({&kFirst, &kRelease, &kLater}), base::Bytes{}, base::Bytes{1, 2, 3}}) {
    CHECK_FALSE(validator.valid(key, value));
  }
  CHECK_FALSE(validator.valid(head_key(other.id()), value_of({&kFirst})));
  CHECK_FALSE(validator.valid(base::to_bytes(base::as_bytes("/ggen/")), value_of({&kFirst})));

  base::Bytes spoilt = value_of({&kFirst, &kRelease});
  spoilt[spoilt.size() / 2] ^= 1;
  CHECK_FALSE(validator.valid(key, spoilt));
}

TEST_CASE("head record: later keys are better, then the greater sequence number") {
  const HeadValidator validator{test_crypto()};
  const base::Bytes key = head_key(kLog.id());
  const auto rising = {value_of({&kFirst}), value_of({&kFirst, &kRelease}),
                       value_of({&kFirst, &kLater}), value_of({&kFirst, &kRotated}),
                       value_of({&kFirst, &kRotated, &kByNewKey})};
  std::size_t i = 0;
  for (const auto& a : rising) {
    std::size_t j = 0;
    for (const auto& b : rising) CHECK(validator.better(key, a, b) == (i > j++));
    ++i;
  }
}

TEST_CASE("head record: the DHT holds the head of who has published, and the latest one") {
  EngineNetwork net;
  for (int i = 0; i < 4; ++i) net.add();
  for (std::size_t i = 1; i < 4; ++i) net.connect(0, i);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  const auto last = net.publish_now(0, "pad", "2.0.0");
  REQUIRE(last.result);
  const auto publisher = *net.engine(0).publisher();
  for (std::size_t i = 1; i < 4; ++i) {
    CAPTURE(i);
    const auto* held = net[i].node->kad().values().find(head_key(publisher), net.now);
    REQUIRE(held != nullptr);
    const auto record = open_head(test_crypto(), publisher, held->value);
    REQUIRE(record);
    CHECK(record->head.id == *last.result);
    CHECK(record->head.statement.seq == 2);
  }

  // After a restart it is put again, also by who has met nobody before.
  const auto late = net.add();
  net.restart(0);
  net.run_for(5s);
  net.connect(0, late);
  net.run_for(30s);
  CHECK(net[late].node->kad().values().find(head_key(publisher), net.now) != nullptr);
}
