#include "sql.hpp"

namespace ggen::p2p::storage {

using registry::StoreError;

StoreError sql_error(sqlite3* database) {
  const int code = sqlite3_errcode(database) & 0xff;
  const auto kind = code == SQLITE_FULL                               ? StoreError::Kind::kFull
                    : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? StoreError::Kind::kCorrupt
                                                                      : StoreError::Kind::kIo;
  return {kind, std::string("the index: ").append(sqlite3_errmsg(database))};
}

Outcome<> run_sql(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(sql_error(database));
}

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const auto size = static_cast<int>(sql.size());
  result_ = sqlite3_prepare_v2(database, sql.data(), size, &statement, nullptr);
  statement_.reset(statement);
}

Statement& Statement::check(int result) {
  if (result_ == SQLITE_OK) result_ = result;
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  return check(sqlite3_bind_text64(statement_.get(), ++bound_, text.empty() ? "" : text.data(),
                                   text.size(), SQLITE_STATIC, SQLITE_UTF8));
}
Statement& Statement::bind(base::BytesView bytes) {
  return check(
      sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC));
}
Statement& Statement::bind(std::int64_t number) {
  return check(sqlite3_bind_int64(statement_.get(), ++bound_, number));
}

Outcome<bool> Statement::step() {
  if (result_ != SQLITE_OK) return std::unexpected(sql_error(database_));
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return std::unexpected(sql_error(database_));
  }
}

Outcome<> Statement::run() {
  while (true) {
    const auto more = step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  sqlite3_reset(statement_.get());
  bound_ = 0;
  return {};
}

std::string_view Statement::text(int column) const {
  return base::as_text(bytes(column));
}
base::BytesView Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
}
std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double Statement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

}  // namespace ggen::p2p::storage
