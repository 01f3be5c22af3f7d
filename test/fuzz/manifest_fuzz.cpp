// Manifests: any text. What is accepted is what the registry accepts; what is refused is refused by
// a sentence that any terminal may print.

#include <algorithm>
#include <cstdlib>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/storage/manifest_file.hpp>

using namespace ggen::p2p;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = storage::parse_manifest(base::as_text({data, size}), "ggen.toml");
  if (read) {
    if (!registry::validate(*read)) std::abort();
    return 0;
  }
  const std::string& message = read.error().message;
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; };
  if (!message.starts_with("ggen.toml") || std::ranges::any_of(message, is_control)) std::abort();
  return 0;
}
