#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include <ggen/p2p/base/bytes.hpp>

#include "file.hpp"

namespace ggen::p2p::storage {

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

[[nodiscard]] registry::StoreError sql_error(sqlite3* database);

// Runs SQL without parameters.
[[nodiscard]] Outcome<> run_sql(sqlite3* database, const char* sql);

// One statement: bind() its parameters in their order, then step() through its rows. What fails on
// the way shows in the next step(). Bound text and bytes outlive the statement.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);

  Statement& bind(std::string_view text);
  Statement& bind(base::BytesView bytes);
  Statement& bind(std::int64_t number);

  // True when there is a row.
  [[nodiscard]] Outcome<bool> step();
  // Runs to the end, and is then ready for other parameters.
  [[nodiscard]] Outcome<> run();

  // The columns of the row.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] base::BytesView bytes(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] double real(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  Statement& check(int result);

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int result_ = SQLITE_OK;
  int bound_ = 0;
};

}  // namespace ggen::p2p::storage
