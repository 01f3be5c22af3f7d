#include "text.hpp"

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

using namespace ggen::p2p::cli;
using namespace std::chrono_literals;

TEST_CASE("text: durations read back as they are written") {
  for (const ggen::p2p::base::Duration time :
       {0ms, 1ms, 250ms, 1000ms, 1500ms, 60'000ms, 90'000ms, 3'600'000ms, 79'200'000ms}) {
    CHECK(parse_duration(format_duration(time)) == time);
  }
  CHECK(format_duration(79'200'000ms) == "22h");
  CHECK(format_duration(1500ms) == "1500ms");
  CHECK(parse_duration("5") == 5s);
}

TEST_CASE("text: what is no duration is refused") {
  for (const char* text : {"", "s", "-1s", "1.5s", "5 s", "5d", "0x5s", "99999999999999999999s",
                           "9223372036854775807h", "88000h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("text: the nearest word is suggested, and none when none is near") {
  const std::vector<std::string> known = {"listen", "max_connections", "d_low", "d"};
  CHECK(nearest("listen", known) == "listen");
  CHECK(nearest("listne", known) == "listen");
  CHECK(nearest("max_conections", known) == "max_connections");
  CHECK(nearest("d_lo", known) == "d_low");
  CHECK_FALSE(nearest("quite_another_thing", known));
  CHECK_FALSE(nearest(std::string(100'000, 'x'), known));
}

TEST_CASE("text: nothing from others reaches a terminal as a control") {
  CHECK(printable("plain, with \xC3\xA9 and \xE2\x82\xAC") ==
        "plain, with \xC3\xA9 and \xE2\x82\xAC");
  CHECK(printable("\x1b[31mred\r\n\x07") == "?[31mred???");
  CHECK(printable("\xC2\x9B"
                  "31m") == "??31m");  // CSI as a C1 control
  CHECK(printable("\xE2\x80\xAE"
                  "abc") == "???abc");  // right-to-left override
  CHECK(printable("\xC0\x80 \xED\xA0\x80 \xFF\xE2\x82") == "?? ??? ???");
}

TEST_CASE("text: a plain text has line ends and tabs, and no other controls") {
  for (const char* text : {"", "one line", "two\nlines\n", "a\ttab", "\xC3\xA9"}) {
    CHECK(is_plain(text));
  }
  for (const char* text : {"\x1b[31m", "bell\x07", "\r", "\xFF", "\xE2\x80\xAE"}) {
    CHECK_FALSE(is_plain(text));
  }
  CHECK_FALSE(is_plain(std::string_view{"\0", 1}));
}

TEST_CASE("text: sizes and counts for people") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(3'250'586) == "3.1 MiB");
  CHECK(count_of(1, "peer") == "1 peer");
  CHECK(count_of(0, "peer") == "0 peers");
}
