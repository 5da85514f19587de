// score_series FILE.csv: columns timestamp,value (a header names them); one anomaly score per row
// on stdout, computed before the next row is read. Higher is more anomalous.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nta/detect/series_scorer.h"
#include "usage.h"

namespace {

std::vector<std::string_view> Columns(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string_view> columns;
  for (std::size_t comma = line.find(','); comma != std::string_view::npos;
       comma = line.find(',')) {
    columns.push_back(line.substr(0, comma));
    line.remove_prefix(comma + 1);
  }
  columns.push_back(line);
  return columns;
}

// RFC 3339, the same with a space and without an offset (then UTC), or seconds since 1970.
std::optional<nta::Timestamp> Time(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (!(seconds > -9e9 && seconds < 9e9)) return std::nullopt;
    return nta::Timestamp(
        std::chrono::duration_cast<nta::Duration>(std::chrono::duration<double>(seconds)));
  }
  std::string normal(text);
  if (normal.size() == 10) normal += "T00:00:00";
  if (normal.size() > 10 && normal[10] == ' ') normal[10] = 'T';
  if (normal.find_first_of("Zz+", 10) == std::string::npos &&
      normal.find('-', 10) == std::string::npos) {
    normal += 'Z';
  }
  const auto time = nta::ParseTimestamp(normal);
  if (!time.ok()) return std::nullopt;
  return *time;
}

// Not a number for a gap: an empty value.
std::optional<double> Value(std::string_view text) {
  if (text.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int Fail(std::size_t line, const char* why, std::string_view text) {
  std::fprintf(stderr, "score_series: line %zu: %s: \"%.*s\"\n", line, why,
               static_cast<int>(std::min<std::size_t>(text.size(), 80)), text.data());
  return 1;
}

int Score(std::istream& input) {
  nta::SeriesScorer scorer;
  std::size_t time_column = 0;
  std::size_t value_column = 1;
  std::string line;
  for (std::size_t number = 1; std::getline(input, line); ++number) {
    const std::vector<std::string_view> columns = Columns(line);
    if (number == 1 && !Time(columns[0])) {
      const auto column = [&](std::string_view name, std::size_t otherwise) {
        const auto found = std::ranges::find(columns, name);
        return found == columns.end() ? otherwise
                                      : static_cast<std::size_t>(found - columns.begin());
      };
      time_column = column("timestamp", 0);
      value_column = column("value", 1);
      continue;
    }
    if (columns.size() <= std::max(time_column, value_column)) {
      return Fail(number, "not `timestamp,value`", line);
    }
    const auto time = Time(columns[time_column]);
    if (!time) return Fail(number, "not a time", columns[time_column]);
    const auto value = Value(columns[value_column]);
    if (!value) return Fail(number, "not a number", columns[value_column]);
    std::printf("%.6g\n", scorer.Add(*time, *value).score);
  }
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (input.bad() || !is_written) {
    std::fprintf(stderr, "score_series: cannot %s\n",
                 is_written ? "read to the end" : "write to standard output");
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "score_series FILE.csv\n"
      "Columns timestamp,value (a header names them; - is standard input): one score per row, "
      "computed before\n"
      "the next row is read. Higher is more anomalous.";
  if (const auto status = AnswerUsage(argc, argv, 1, 1, kUsage)) return *status;
  if (std::strcmp(argv[1], "-") == 0) return Score(std::cin);
  std::ifstream file(argv[1]);
  if (!file) {
    std::fprintf(stderr, "score_series: cannot open \"%s\": %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  return Score(file);
}
