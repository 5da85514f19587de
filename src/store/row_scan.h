// RowScan: the rows of a SQLite database page by page, whatever leads to the pages.
#ifndef NTA_STORE_ROW_SCAN_H_
#define NTA_STORE_ROW_SCAN_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "store/page_file.h"

namespace nta::store {

enum class ValueKind : std::uint8_t { kNull, kInteger, kReal, kText, kBlob };

// Where a row is: what is needed to read it again.
struct RowPlace {
  std::uint32_t page = 0;
  std::uint16_t offset = 0;
};

struct ScannedValue {
  ValueKind kind = ValueKind::kNull;
  std::int64_t integer = 0;
  double real = 0;
  std::span<const std::uint8_t> bytes;  // of texts and blobs; borrowed from the row
};

// A row whose values are not read yet.
struct RowHead {
  RowPlace place;
  bool has_id = false;  // of a table with row ids, else of an index or a table without
  std::int64_t id = 0;
  std::vector<ValueKind> kinds;
};

struct ScannedRow {
  std::int64_t id = 0;
  std::vector<ScannedValue> values;
  Bytes payload;
};

// Row ids that a page had which cannot be read: after < id <= last.
struct LostIds {
  std::int64_t after = 0;
  std::int64_t last = 0;
  std::uint32_t sibling = 0;  // a page of the same table that can be read; 0: there is none
};

// Calls visit for each row of the file; answers the ids of table rows that are lost.
std::vector<LostIds> ScanRows(const PageFile& pages, absl::FunctionRef<void(const RowHead&)> visit);
// Absent when the rest of the row cannot be read.
std::optional<ScannedRow> ReadRow(const PageFile& pages, const RowPlace& place);

}  // namespace nta::store

#endif  // NTA_STORE_ROW_SCAN_H_
