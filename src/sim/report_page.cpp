#include "report_page.hpp"

#include "report_page_parts.hpp"

namespace ggen::p2p::sim {

namespace {

// In JSON `<` stands only inside strings, where it may be written as an escape. Without it, no text
// ends the element that the data lies in, whatever a browser makes of `<!--` and `</script`.
std::string without_markup(std::string_view data) {
  std::string safe;
  safe.reserve(data.size() + data.size() / 64);
  for (const char character : data) {
    if (character == '<') {
      safe += "\\u003c";
    } else {
      safe += character;
    }
  }
  return safe;
}

void put(std::string& page, std::string_view mark, std::string_view content) {
  const std::size_t at = page.find(mark);
  page.replace(at, mark.size(), content);
}

}  // namespace

std::string report_page(std::string_view data) {
  std::string script;
  for (const std::string_view part : kPageScripts) script.append(part);
  std::string page(kPageHtml);
  put(page, "/*STYLE*/", kPageStyle);
  put(page, "/*SCRIPT*/", script);
  // Last, because the data might hold a mark.
  put(page, "/*DATA*/", without_markup(data));
  return page;
}

}  // namespace ggen::p2p::sim
