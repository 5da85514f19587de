// Table: named columns of one length that never change, as the queries of a store answer them.
#ifndef NTA_BINDINGS_PYTHON_TABLE_H_
#define NTA_BINDINGS_PYTHON_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arrow_c_data.h"

namespace nta::python {

// Nanoseconds since 1970 UTC.
struct TimeColumn {
  std::vector<std::int64_t> values;
};
// -1 where there is no value.
struct NullableColumn {
  std::vector<std::int64_t> values;
};
using CountColumn = std::vector<std::uint64_t>;
using TextColumn = std::vector<std::string>;

class Table {
 public:
  using Values = std::variant<TimeColumn, CountColumn, NullableColumn, TextColumn>;
  struct Named {
    std::string name;
    Values values;
  };
  using Columns = std::vector<Named>;

  // All columns have `rows` values.
  Table(std::size_t rows, Columns columns)
      : rows_(rows), columns_(std::make_shared<const Columns>(std::move(columns))) {}

  std::size_t rows() const { return rows_; }
  // Shared, because NumPy and Arrow views outlive the table.
  const std::shared_ptr<const Columns>& columns() const { return columns_; }

 private:
  std::size_t rows_;
  std::shared_ptr<const Columns> columns_;
};

// Through the Arrow C interface: timestamp[ns, UTC], uint64, nullable int64 and utf8, in one batch.
void ExportTableSchema(const Table& table, ArrowSchema* out);
void ExportTableStream(const Table& table, ArrowArrayStream* out);

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_TABLE_H_
