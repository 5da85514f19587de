#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/status.h"
#include "base/utf8.h"
#include "export/csv_columns.h"
#include "nta/export/flow_csv.h"

namespace nta {
namespace {

// The cells of a line; absent when its quotes are wrong.
std::optional<std::vector<std::string>> Split(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  bool ended = false;  // a quoted cell, which nothing may follow
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"') {
      const bool doubled = i + 1 < line.size() && line[i + 1] == '"';
      if (doubled) {
        cells.back() += line[++i];
      } else {
        quoted = false;
        ended = true;
      }
    } else if (quoted) {
      cells.back() += c;
    } else if (c == ',') {
      cells.emplace_back();
      ended = false;
    } else if (ended || (c == '"' && !cells.back().empty())) {
      return std::nullopt;
    } else if (c == '"') {
      quoted = true;
    } else {
      cells.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return cells;
}

std::string_view WithoutGuard(std::string_view cell) {
  constexpr std::string_view kFormula = "=+-@\t\r'";
  const bool guarded =
      cell.size() >= 2 && cell.front() == '\'' && kFormula.find(cell[1]) != std::string_view::npos;
  return guarded ? cell.substr(1) : cell;
}

// What a file has, in an error.
std::string Shown(std::string_view cell) {
  constexpr std::size_t kMost = 80;
  return base::PrintableUtf8(cell, kMost) + (cell.size() > kMost ? "..." : "");
}

std::string_view WithoutLineEnd(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Those of FlowCsvColumns::kStatistics that follow from others or cannot be read back.
bool IsStatistic(std::string_view name) {
  static const std::set<std::string, std::less<>> kNames = [] {
    const std::optional<std::vector<std::string>> names =
        Split(FlowCsvHeader(FlowCsvColumns::kStatistics));
    return std::set<std::string, std::less<>>(names->begin(), names->end());
  }();
  return kNames.contains(name);
}

}  // namespace

absl::StatusOr<FlowCsvReader> FlowCsvReader::Create(std::string_view header) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  header = WithoutLineEnd(header);
  if (header.starts_with(kByteOrderMark)) header.remove_prefix(kByteOrderMark.size());
  const std::optional<std::vector<std::string>> names = Split(header);
  if (!names)
    return base::InvalidArgument(
        "the first line is no header of flows in CSV: its quotes are wrong");
  const std::vector<csv::Column>& known = csv::Columns();
  std::vector<std::size_t> columns;
  std::set<std::size_t> seen;
  for (const std::string& name : *names) {
    const auto column = std::find_if(known.begin(), known.end(),
                                     [&](const csv::Column& one) { return one.name == name; });
    if (column == known.end()) {
      if (!IsStatistic(name)) {
        return base::InvalidArgument("unknown column \"" + Shown(name) + "\"");
      }
      columns.push_back(kPassedOver);
      continue;
    }
    columns.push_back(static_cast<std::size_t>(column - known.begin()));
    if (!seen.insert(columns.back()).second) {
      return base::InvalidArgument("column \"" + name + "\" is there twice");
    }
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i].required && !seen.contains(i)) {
      return base::InvalidArgument("column \"" + known[i].name + "\" is missing");
    }
  }
  return FlowCsvReader(std::move(columns));
}

bool FlowCsvReader::Has(std::string_view column) const {
  const std::vector<csv::Column>& known = csv::Columns();
  return std::any_of(columns_.begin(), columns_.end(),
                     [&](std::size_t i) { return i != kPassedOver && known[i].name == column; });
}

std::size_t FlowCsvReader::passed_over() const {
  return static_cast<std::size_t>(std::count(columns_.begin(), columns_.end(), kPassedOver));
}

absl::StatusOr<FlowRecord> FlowCsvReader::Read(std::string_view line) const {
  const std::optional<std::vector<std::string>> cells = Split(WithoutLineEnd(line));
  if (!cells) return base::InvalidArgument("the quotes are wrong");
  if (cells->size() != columns_.size()) {
    return base::InvalidArgument(std::to_string(cells->size()) + " fields, the header has " +
                                 std::to_string(columns_.size()));
  }
  FlowRecord flow;
  // In the order of the table: `application_name` and `evidence` know more than `application`.
  std::vector<std::size_t> order(columns_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [this](std::size_t a, std::size_t b) { return columns_[a] < columns_[b]; });
  for (const std::size_t i : order) {
    if (columns_[i] == kPassedOver) break;  // they are last in the order
    const csv::Column& column = csv::Columns()[columns_[i]];
    if (!column.read(WithoutGuard((*cells)[i]), flow)) {
      return base::InvalidArgument("\"" + column.name + "\": \"" + Shown((*cells)[i]) +
                                   "\" is no value of it");
    }
  }
  return flow;
}

}  // namespace nta
