// A configuration file: what is taken is shown as a file that says the same, and an error says
// where.

#include <cstdlib>

#include <ggen/p2p/base/bytes.hpp>

#include "config.hpp"
#include "config_table.hpp"

using namespace ggen::p2p;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cli::Configuration configuration;
  const auto applied = cli::apply_toml(base::as_text({data, size}), "f", configuration);
  if (!applied) {
    const cli::Error& error = applied.error();
    if (error.code != cli::Exit::kConfig || !error.message.starts_with("f:")) std::abort();
    return 0;
  }
  cli::Configuration again;
  if (!cli::apply_toml(cli::show_config(configuration), "g", again)) std::abort();
  for (const cli::Key& key : cli::config_keys()) {
    if (key.get(again.settings) != key.get(configuration.settings)) std::abort();
  }
  return 0;
}
