#include "rfc3339.hpp"

#include <chrono>
#include <cstdint>

namespace ggen::p2p::kad {
namespace {

void append_number(std::string& to, std::int64_t value, std::size_t digits) {
  const std::string text = std::to_string(value);
  if (text.size() < digits) to.append(digits - text.size(), '0');
  to += text;
}

}  // namespace

std::string to_rfc3339(base::WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::string text;
  append_number(text, static_cast<int>(date.year()), 4);
  text += '-';
  append_number(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  append_number(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  append_number(text, clock.hours().count(), 2);
  text += ':';
  append_number(text, clock.minutes().count(), 2);
  text += ':';
  append_number(text, clock.seconds().count(), 2);
  text += '.';
  append_number(text, clock.subseconds().count(), 9);
  text += 'Z';
  return text;
}

}  // namespace ggen::p2p::kad
