#include "index.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <variant>

namespace ggen::p2p::storage {

using registry::StoreError;
namespace fs = std::filesystem;
namespace store = registry::store;

namespace {

// Another number makes every index anew.
constexpr std::int64_t kSchemaVersion = 1;

constexpr const char* kSchema = R"sql(
  PRAGMA user_version = 1;
  CREATE TABLE position (at INTEGER NOT NULL);
  INSERT INTO position VALUES (0);
  CREATE TABLE releases (
    id INTEGER PRIMARY KEY,
    publisher BLOB NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    UNIQUE (publisher, seq));
  CREATE INDEX by_category ON releases (category);
  CREATE TABLE tags (tag TEXT NOT NULL, release INTEGER NOT NULL, PRIMARY KEY (tag, release))
    WITHOUT ROWID;
  CREATE INDEX tags_of ON tags (release);
  CREATE VIRTUAL TABLE words USING fts5(
    name, tags, description, category, authors,
    tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');
)sql";

// WAL with NORMAL: a power cut may lose the last changes, and with them the position, so that they
// are applied again.
constexpr const char* kSettings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";

// The weights: name, tags, description, category, authors. bm25() gives the best match the lowest
// number. A package that is called exactly what was asked for comes before all others.
constexpr std::string_view kSearchWords = R"sql(
  WITH found AS MATERIALIZED (
    SELECT rowid AS id, -bm25(words, 10.0, 4.0, 1.0, 2.0, 1.0) AS score
    FROM words WHERE words MATCH ?1)
  SELECT publisher, name, max(score) + (name = ?2) * 1000.0 AS best
  FROM found JOIN releases USING (id)
  WHERE (?3 = '' OR category = ?3)
    AND (?4 = '' OR EXISTS (SELECT 1 FROM tags WHERE tag = ?4 AND release = id))
  GROUP BY publisher, name ORDER BY best DESC, name, publisher LIMIT ?5
)sql";
constexpr std::string_view kSearchLabels = R"sql(
  SELECT publisher, name, 0.0 FROM releases
  WHERE (?1 = '' OR category = ?1)
    AND (?2 = '' OR EXISTS (SELECT 1 FROM tags WHERE tag = ?2 AND release = id))
  GROUP BY publisher, name ORDER BY name, publisher LIMIT ?3
)sql";

std::int64_t as_integer(std::uint64_t number) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  return number > std::uint64_t{kMax} ? kMax : static_cast<std::int64_t>(number);
}

std::string join(const std::vector<std::string>& texts, char between) {
  std::string all;
  for (const auto& text : texts) {
    if (!all.empty()) all += between;
    all += text;
  }
  return all;
}

// `left-pad` is found as leftpad, too.
std::string name_words(const std::string& name) {
  std::string squashed = name;
  std::erase_if(squashed, [](char c) { return c == '-' || c == '.' || c == '_'; });
  return squashed == name ? name : std::string(name).append(" ").append(squashed);
}

// Each word as a string of FTS5's language, in which nothing has a meaning, that stands at the
// beginning of a word of the text.
std::string match_of(const std::vector<std::string>& words) {
  std::string match;
  for (const auto& word : words) {
    match += match.empty() ? "\"" : " AND \"";
    for (const char c : word) {
      if (c == '\0') continue;  // FTS5 takes it for the end
      match += c;
      if (c == '"') match += c;
    }
    match += "\" *";
  }
  return match;
}

Outcome<Database> connect(const fs::path& path) {
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int result = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  Database database(opened);
  if (!opened) return std::unexpected(StoreError{StoreError::Kind::kIo, "no memory"});
  if (result != SQLITE_OK) return std::unexpected(sql_error(opened));
  if (auto set = run_sql(opened, kSettings); !set) return std::unexpected(std::move(set.error()));
  return database;
}

// True when it is whole, of this version, and not ahead of the journal.
bool is_usable(sqlite3* database, std::uint64_t journal_end) {
  Statement version(database, "PRAGMA user_version");
  if (!version.step().value_or(false) || version.number(0) != kSchemaVersion) return false;
  Statement check(database, "PRAGMA quick_check(1)");
  if (!check.step().value_or(false) || check.text(0) != "ok") return false;
  Statement position(database, "SELECT at FROM position");
  return position.step().value_or(false) && position.number(0) >= 0 &&
         static_cast<std::uint64_t>(position.number(0)) <= journal_end &&
         run_sql(database, "SELECT 1 FROM words LIMIT 1; SELECT 1 FROM releases, tags LIMIT 1")
             .has_value();
}

void remove_files(const fs::path& path) {
  for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) {
    fs::path file = path;
    file += suffix;
    (void)remove_file(file);
  }
}

}  // namespace

std::expected<std::unique_ptr<Index>, Failure> Index::open(const fs::path& path,
                                                           std::uint64_t journal_end) {
  auto database = connect(path);
  if (!database || !is_usable(database->get(), journal_end)) {
    if (database) database->reset();
    remove_files(path);
    database = connect(path);
    if (!database) return std::unexpected(as_failure(database.error()));
    if (auto made = run_sql(database->get(), kSchema); !made) {
      return std::unexpected(as_failure(made.error()));
    }
  }
  return std::unique_ptr<Index>(new Index(path, std::move(*database)));
}

// A file that turns out to be damaged is gone at the next start, which makes it anew. Until then
// SQLite keeps its hold of it.
void Index::note(const StoreError& error) {
  if (error.kind == StoreError::Kind::kCorrupt) remove_files(path_);
}

Outcome<store::Position> Index::position() {
  const std::lock_guard lock(mutex_);
  Statement position(database_.get(), "SELECT at FROM position");
  const auto row = position.step();
  if (!row) note(row.error());
  if (!row) return std::unexpected(row.error());
  return store::Position{*row ? static_cast<std::uint64_t>(position.number(0)) : 0};
}

Outcome<store::Done> Index::apply(const store::IndexApply& op) {
  const std::lock_guard lock(mutex_);
  auto done = run_sql(database_.get(), "BEGIN");
  if (done) done = change(op);
  if (done) done = run_sql(database_.get(), "COMMIT");
  if (done) return store::Done{};
  note(done.error());
  // Some errors have rolled it back already, and then this fails.
  (void)run_sql(database_.get(), "ROLLBACK");
  return std::unexpected(std::move(done.error()));
}

Outcome<> Index::change(const store::IndexApply& op) {
  for (const auto& change : op.changes) {
    const auto* release = std::get_if<registry::IndexAdd>(&change);
    auto done = release ? add(*release) : remove(std::get<registry::IndexRemove>(change));
    if (!done) return done;
  }
  Statement position(database_.get(), "UPDATE position SET at = ?");
  return position.bind(as_integer(op.position)).run();
}

Outcome<> Index::add(const registry::IndexAdd& release) {
  const std::int64_t seq = as_integer(release.seq);
  auto done = remove_releases(release.publisher.bytes(), seq, seq);
  if (!done) return done;
  Statement insert(database_.get(),
                   "INSERT INTO releases (publisher, seq, name, category) VALUES (?, ?, ?, ?)");
  insert.bind(release.publisher.bytes()).bind(seq).bind(release.name.text());
  done = insert.bind(release.category).run();
  if (!done) return done;
  const std::int64_t id = sqlite3_last_insert_rowid(database_.get());
  for (const auto& tag : release.tags) {
    Statement tags(database_.get(), "INSERT OR IGNORE INTO tags (tag, release) VALUES (?, ?)");
    if (done = tags.bind(tag).bind(id).run(); !done) return done;
  }
  const std::string name = name_words(release.name.text());
  const std::string tags = join(release.tags, ' ');
  const std::string authors = join(release.authors, '\n');
  Statement words(database_.get(),
                  "INSERT INTO words (rowid, name, tags, description, category, authors) "
                  "VALUES (?, ?, ?, ?, ?, ?)");
  words.bind(id).bind(name).bind(tags).bind(release.description);
  return words.bind(release.category).bind(authors).run();
}

Outcome<> Index::remove(const registry::IndexRemove& range) {
  return remove_releases(range.publisher.bytes(), as_integer(range.from_seq),
                         std::numeric_limits<std::int64_t>::max());
}

Outcome<> Index::remove_releases(base::BytesView publisher, std::int64_t from, std::int64_t to) {
  for (const std::string_view sql :
       {"DELETE FROM words WHERE rowid IN "
        "(SELECT id FROM releases WHERE publisher = ? AND seq BETWEEN ? AND ?)",
        "DELETE FROM tags WHERE release IN "
        "(SELECT id FROM releases WHERE publisher = ? AND seq BETWEEN ? AND ?)",
        "DELETE FROM releases WHERE publisher = ? AND seq BETWEEN ? AND ?"}) {
    Statement statement(database_.get(), sql);
    if (auto done = statement.bind(publisher).bind(from).bind(to).run(); !done) return done;
  }
  return {};
}

Outcome<store::Matches> Index::query(const registry::SearchRequest& query) {
  const std::string match = match_of(query.words);
  const std::string name = join(query.words, '-');
  const std::lock_guard lock(mutex_);
  Statement search(database_.get(), match.empty() ? kSearchLabels : kSearchWords);
  if (!match.empty()) search.bind(match).bind(name);
  search.bind(query.category).bind(query.tag).bind(as_integer(query.limit));
  store::Matches found;
  while (true) {
    const auto row = search.step();
    if (!row) {
      note(row.error());
      return std::unexpected(row.error());
    }
    if (!*row) return found;
    const auto publisher = multiformats::PeerId::decode(search.bytes(0));
    const auto package = registry::Name::parse(search.text(1));
    if (publisher && package) found.matches.push_back({*publisher, *package, search.real(2)});
  }
}

}  // namespace ggen::p2p::storage
