// Runs a fuzz target without libFuzzer: every seed that was kept, and a fixed number of mutations
// of each. It finds little that is new; it makes every test run prove that what was found once
// stays fixed, with any compiler.
//
// usage: fuzz-corpus-NAME PATH...   each PATH is a seed or a folder of seeds

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/prng.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Present when the program is linked with a sanitizer.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

using ggen::p2p::base::Bytes;
using ggen::p2p::base::Prng;

// Shared between the seeds, so that a target takes seconds however many it has.
constexpr std::size_t kMutations = 1000;
constexpr std::size_t kMinMutationsPerSeed = 10;
constexpr std::uint64_t kMaxEdits = 4;
constexpr std::size_t kMaxInserted = 64;

// What is running, so that a crash can name it.
std::string current_seed;
std::size_t current_mutation = 0;

void say_what_ran() {
  std::fprintf(stderr, "\nwhile running %s, mutation %zu (0 is the file itself)\n",
               current_seed.c_str(), current_mutation);
}

extern "C" void on_abort(int signal) {
  say_what_ran();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const Bytes& input) {
  // Exactly sized memory, so that the sanitizer sees the first byte read too far.
  const auto copy = std::make_unique<std::uint8_t[]>(input.size());
  std::ranges::copy(input, copy.get());
  static_cast<void>(LLVMFuzzerTestOneInput(copy.get(), input.size()));
}

// A position in `bytes`, its end included.
std::ptrdiff_t position(const Bytes& bytes, Prng& prng) {
  return static_cast<std::ptrdiff_t>(prng.below(bytes.size() + 1));
}

void insert_some(Bytes& bytes, Prng& prng) {
  Bytes inserted(prng.below(kMaxInserted) + 1);
  if (prng.chance(0.5)) {
    prng.fill(inserted);
  } else if (!bytes.empty()) {  // repeat what is there
    const std::size_t from = prng.below(bytes.size());
    for (std::size_t i = 0; i < inserted.size(); ++i) {
      inserted[i] = bytes[(from + i) % bytes.size()];
    }
  }
  bytes.insert(bytes.begin() + position(bytes, prng), inserted.begin(), inserted.end());
}

void erase_some(Bytes& bytes, Prng& prng) {
  const std::ptrdiff_t a = position(bytes, prng);
  const std::ptrdiff_t b = position(bytes, prng);
  bytes.erase(bytes.begin() + std::min(a, b), bytes.begin() + std::max(a, b));
}

void flip_a_bit(Bytes& bytes, Prng& prng) {
  if (bytes.empty()) return;
  const std::size_t at = prng.below(bytes.size());
  bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << prng.below(8)));
}

// Lengths and counters break at their ends: 1, 2, 4 or 8 bytes become such a value.
void store_an_extreme(Bytes& bytes, Prng& prng) {
  constexpr std::array<std::uint64_t, 8> kExtremes = {
      0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x7fffffffffffffff, 0xffffffffffffffff};
  const std::size_t width = std::size_t{1} << prng.below(4);
  if (bytes.size() < width) return;
  const std::size_t at = prng.below(bytes.size() - width + 1);
  const std::uint64_t value = kExtremes.at(prng.below(kExtremes.size()));
  for (std::size_t i = 0; i < width; ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
  }
}

Bytes mutated(Bytes bytes, Prng& prng) {
  for (std::uint64_t edits = prng.below(kMaxEdits) + 1; edits > 0; --edits) {
    switch (prng.below(5)) {
      case 0:
        insert_some(bytes, prng);
        break;
      case 1:
        erase_some(bytes, prng);
        break;
      case 2:
        store_an_extreme(bytes, prng);
        break;
      default:
        flip_a_bit(bytes, prng);
    }
  }
  return bytes;
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

std::vector<std::filesystem::path> seeds_of(int count, char** paths) {
  std::vector<std::filesystem::path> seeds;
  for (int i = 0; i < count; ++i) {
    if (std::filesystem::is_directory(paths[i])) {
      std::ranges::copy(std::filesystem::directory_iterator{paths[i]}, std::back_inserter(seeds));
    } else {
      seeds.emplace_back(paths[i]);
    }
  }
  std::ranges::sort(seeds);
  return seeds;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, on_abort);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(say_what_ran);

  const auto seeds = seeds_of(argc - 1, argv + 1);
  if (seeds.empty()) {
    std::fprintf(stderr, "there are no seeds\n");
    return 1;
  }
  current_seed = "the empty input";
  run({});
  const std::size_t mutations = std::max(kMinMutationsPerSeed, kMutations / seeds.size());
  for (const auto& path : seeds) {
    const Bytes seed = read_file(path);
    current_seed = path.string();
    current_mutation = 0;
    run(seed);
    // The mutations follow from the content alone: a seed fails the same way by itself.
    Prng prng = Prng{0}.child(ggen::p2p::base::as_text(seed));
    while (current_mutation < mutations) {
      ++current_mutation;
      run(mutated(seed, prng));
    }
  }
  std::printf("%zu seeds, %zu inputs\n", seeds.size(), 1 + seeds.size() * (1 + mutations));
  return 0;
}
