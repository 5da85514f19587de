// The columns of flow CSV by name: how each is written and read.
#ifndef NTA_EXPORT_CSV_COLUMNS_H_
#define NTA_EXPORT_CSV_COLUMNS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nta/flow/flow_record.h"

namespace nta::csv {

struct Column {
  std::string name;
  // False when the text is no value of this column.
  std::function<bool(std::string_view, FlowRecord&)> read;
  // Only of the columns after the standard ones.
  std::function<std::string(const FlowRecord&)> write;
  bool required = false;
};

// The standard columns in their order, then those of FlowCsvColumns::kEverything.
const std::vector<Column>& Columns();

std::vector<std::string> DetailNames();
// Each with the comma before it.
void AppendDetails(const FlowRecord& flow, std::string& out);

// A cell as RFC 4180 has it, which no spreadsheet takes for a formula.
std::string Cell(std::string_view text);

}  // namespace nta::csv

#endif  // NTA_EXPORT_CSV_COLUMNS_H_
