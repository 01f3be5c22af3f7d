// Versions, ranges and references as people and manifests write them: two texts with a line feed
// between them. What parses keeps its text, versions have one order, and ranges agree with it.

#include <cstdlib>
#include <string>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/registry/range.hpp>
#include <ggen/p2p/registry/reference.hpp>
#include <ggen/p2p/registry/version.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_order(const Version& a, const Version& b) {
  require((a < b) == (b > a) && (a == b) == (b == a));
  require((a < b) + (a == b) + (a > b) == 1);
  require(Range::exactly(a).contains(b) == (a == b));
  const Version release = Version::of(a.major(), a.minor(), a.patch());
  require(a.is_prerelease() ? a < release : a == release);
}

void check_reference(std::string_view text) {
  const auto reference = Reference::parse(text);
  if (!reference) {
    require(!reference.error().empty() && reference.error().size() < 1024);
    return;
  }
  const auto again = Reference::parse(reference->text());
  require(again && *again == *reference);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = base::as_text({data, size});
  const std::size_t cut = std::min(input.find('\n'), input.size());
  const std::string_view first = input.substr(0, cut);
  const std::string_view second = input.substr(std::min(cut + 1, input.size()));
  check_reference(first);
  check_reference(second);
  const auto a = Version::parse(first);
  const auto b = Version::parse(second);
  if (a) require(a->text() == first && Range::parse(first).value().contains(*a));
  if (!a) require(a.error().message().size() < 512 && a.error().position <= first.size());
  if (a && b) check_order(*a, *b);
  const auto range = Range::parse(first);
  if (!range) return 0;
  require(range->text() == first);
  if (b && b->is_prerelease() && range->contains(*b)) {
    require(first.find('-') != std::string_view::npos);
  }
  if (range->exact()) require(range->contains(*range->exact()));
  return 0;
}
