// The journal's file. The first byte chooses: an even one has the rest be the file; an odd one
// makes a journal, of which the rest says where what bytes change and where it ends. A file that
// opens gives the same records again and again, and takes more. A journal that was made with a salt
// which nobody knows gives those, too; in a file of which the input chose the salt, it can forge a
// record that reaches over what is appended later.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "../../src/storage/journal.hpp"
#include "temp_folder.hpp"

using namespace ggen::p2p;
using storage::Journal;
namespace fs = std::filesystem;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

using Records = std::vector<registry::JournalRecord>;

registry::JournalRecord record(std::uint8_t fill, std::size_t size) {
  return {registry::JournalRecord::Kind::kEntry, base::Buffer::copy_of(base::Bytes(size, fill))};
}

bool same(const Records& a, const Records& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.kind == y.kind && base::equal(x.bytes.view(), y.bytes.view());
  });
}

Records read_all(const Journal& journal) {
  Records all;
  for (std::uint64_t at = 0;;) {
    auto page = journal.read(at);
    require(page.has_value() && (page->next > at || !page->more));
    std::ranges::move(page->records, std::back_inserter(all));
    if (!page->more) return all;
    at = page->next;
  }
}

void write(const fs::path& path, base::BytesView bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

// The file that a journal was, with changes.
base::Bytes changed_journal(const fs::path& path, base::BytesView how) {
  {
    const auto journal = Journal::open(path).value();
    require(journal->append({record(1, 10)}).has_value());
    require(journal->append({record(2, 30), record(3, 0), record(4, 50)}).has_value());
    require(journal->append({record(5, 20)}).has_value());
  }
  std::ifstream file(path, std::ios::binary);
  base::Bytes bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (; how.size() >= 2; how = how.subspan(2)) bytes[how[0] % bytes.size()] ^= how[1];
  if (!how.empty()) bytes.resize(how[0] % (bytes.size() + 1));
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const base::BytesView input(data + 1, size - 1);
  const TempFolder temp;
  const fs::path path = temp.path() / "journal";
  const bool forged = data[0] % 2 == 0;
  write(path, forged ? base::to_bytes(input) : changed_journal(path, input));

  Records before;
  {
    const auto journal = Journal::open(path);
    if (!journal) return 0;
    before = read_all(**journal);
    require(same(read_all(**journal), before));
    require((*journal)->append({record(7, 40), record(8, 1)}).has_value());
  }
  before.push_back(record(7, 40));
  before.push_back(record(8, 1));
  const auto journal = Journal::open(path);
  require(journal.has_value());
  require(forged || same(read_all(**journal), before));
  return 0;
}
