#include "backup/postgres_programs.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "backup/child.h"
#include "base/status.h"

namespace nta::backup {
namespace {

// Lines of what comes in pieces. What is beyond the first bytes of a line is not kept.
class LineReader {
 public:
  explicit LineReader(std::function<void(std::string_view)> take) : take_(std::move(take)) {}
  void operator()(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::string_view part = piece.substr(0, end);
      line_.append(part.substr(0, kMost - std::min(kMost, line_.size())));
      if (end == std::string_view::npos) return;
      take_(line_);
      line_.clear();
      piece.remove_prefix(end + 1);
    }
  }

 private:
  static constexpr std::size_t kMost = 4096;
  std::function<void(std::string_view)> take_;
  std::string line_;
};

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_code = text[i] == '%' && i + 2 < text.size() && DigitOf(text[i + 1]) >= 0 &&
                         DigitOf(text[i + 2]) >= 0;
    if (is_code) {
      decoded += static_cast<char>(DigitOf(text[i + 1]) * 16 + DigitOf(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

bool HasPrograms(const std::string& directory) {
  for (const char* program : {"/pg_dump", "/pg_restore", "/psql"}) {
    if (access((directory + program).c_str(), X_OK) != 0) return false;
  }
  return true;
}

// "nta.alerts" or nta."alerts" without the schema and quotes.
std::string TableOf(std::string_view name) {
  name.remove_prefix(std::min(name.size(), name.find('.') + 1));
  std::string table(name);
  std::erase(table, '"');
  return table;
}

}  // namespace

std::string PostgresUrl::Full(std::string_view name) const {
  if (password.empty()) return Shown(name);
  return Shown(name) + (rest.empty() ? "?" : "&") + "password=" + PercentEncoded(password);
}

absl::StatusOr<PostgresUrl> ParsePostgresUrl(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::string_view name = url.substr(0, scheme);
  if (scheme == std::string_view::npos || (name != "postgresql" && name != "postgres")) {
    return base::InvalidArgument("the URL of a database begins with postgresql://");
  }
  PostgresUrl parsed;
  std::string_view rest = url.substr(scheme + 3);
  std::string_view query;
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string authority(rest.substr(0, slash));
  parsed.database = rest.substr(std::min(rest.size(), slash + 1));
  const std::size_t at = authority.rfind('@');
  const std::size_t colon = authority.find(':');
  if (at != std::string::npos && colon < at) {
    parsed.password = PercentDecoded(authority.substr(colon + 1, at - colon - 1));
    authority.erase(colon, at - colon);
  }
  parsed.server = "postgresql://" + authority + "/";
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    if (parameter.starts_with("password=")) {
      parsed.password = PercentDecoded(parameter.substr(9));
    } else if (parameter.starts_with("dbname=")) {
      parsed.database = parameter.substr(7);
    } else {
      parsed.rest += (parsed.rest.empty() ? "?" : "&") + std::string(parameter);
    }
  }
  if (parsed.database.empty()) return base::InvalidArgument("the URL names no database");
  return parsed;
}

absl::StatusOr<std::string> FindPostgresPrograms(const std::string& asked) {
  std::vector<std::pair<int, std::string>> places;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    places.emplace_back(std::atoi(entry.path().filename().c_str()), entry.path().string() + "/bin");
  }
  std::sort(places.rbegin(), places.rend());
  for (const char* place : {"/usr/bin", "/usr/local/bin"}) places.emplace_back(0, place);
  if (!asked.empty()) places = {{0, asked}};
  for (const auto& [version, place] : places) {
    if (HasPrograms(place)) return place;
  }
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "pg_dump, pg_restore and psql are not installed (postgresql-client)");
}

absl::Status PostgresPrograms::Run(const char* program, std::vector<std::string> arguments,
                                   const std::function<void(std::string_view)>& output,
                                   const std::stop_token& stop) const {
  std::vector<std::string> environment = {"LC_ALL=C", "PGAPPNAME=libnta"};
  if (!url_.password.empty()) environment.push_back("PGPASSWORD=" + url_.password);
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view variable(*one);
    const bool ours = variable.starts_with("PGPASSWORD=") && !url_.password.empty();
    if ((variable.starts_with("PG") || variable.starts_with("HOME=")) && !ours) {
      environment.emplace_back(variable);
    }
  }
  return RunChild({.program = directory_ + "/" + program,
                   .arguments = std::move(arguments),
                   .environment = std::move(environment),
                   .output = output},
                  stop);
}

absl::StatusOr<std::vector<std::string>> PostgresPrograms::Ask(const std::string& sql,
                                                               const std::stop_token& stop) const {
  std::vector<std::string> lines;
  LineReader reader([&](std::string_view line) { lines.emplace_back(line); });
  NTA_RETURN_IF_ERROR(Run(
      "psql",
      {"--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--no-password",
       "--set=ON_ERROR_STOP=1", "--dbname=" + url_.Shown(database_), "--command=" + sql},
      [&](std::string_view piece) { reader(piece); }, stop));
  return lines;
}

absl::StatusOr<std::int64_t> PostgresPrograms::Integer(const std::string& sql,
                                                       const std::stop_token& stop) const {
  NTA_ASSIGN_OR_RETURN(const std::vector<std::string> lines, Ask(sql, stop));
  const std::string line = lines.empty() ? "" : lines.front();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (!line.empty() && error == std::errc() && end == line.data() + line.size()) return number;
  return base::MakeStatus(absl::StatusCode::kDataLoss, "the database answered no number");
}

absl::Status PostgresPrograms::Dump(const std::string& schema, const std::string& path,
                                    const std::stop_token& stop) const {
  return Run("pg_dump",
             {"--format=custom", "--compress=0", "--no-owner", "--no-privileges", "--no-comments",
              "--no-password", "--lock-wait-timeout=30s", "--schema=" + schema, "--file=" + path,
              "--dbname=" + url_.Shown(database_)},
             {}, stop);
}

absl::Status PostgresPrograms::Restore(const std::string& path, const std::stop_token& stop) const {
  return Run("pg_restore",
             {"--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges",
              "--no-password", "--dbname=" + url_.Shown(database_), path},
             {}, stop);
}

absl::StatusOr<std::vector<std::string>> PostgresPrograms::Entries(
    const std::string& path, const std::stop_token& stop) const {
  std::vector<std::string> entries;
  LineReader reader([&](std::string_view line) {
    // "217; 1259 16390 TABLE nta alerts nta"
    if (line.empty() || line.front() == ';') return;
    for (int skipped = 0; skipped < 3; ++skipped) {
      line.remove_prefix(std::min(line.size(), line.find(' ')));
      line.remove_prefix(std::min(line.size(), std::size_t{1}));
    }
    entries.emplace_back(line);
  });
  NTA_RETURN_IF_ERROR(Run(
      "pg_restore", {"--list", path}, [&](std::string_view piece) { reader(piece); }, stop));
  return entries;
}

absl::StatusOr<std::map<std::string, std::uint64_t>> PostgresPrograms::Rows(
    const std::string& path, const std::stop_token& stop) const {
  std::map<std::string, std::uint64_t> rows;
  std::uint64_t* counted = nullptr;
  LineReader reader([&](std::string_view line) {
    if (counted != nullptr) {
      if (line == "\\.") {
        counted = nullptr;
      } else {
        ++*counted;
      }
    } else if (line.starts_with("COPY ")) {
      line.remove_prefix(5);
      counted = &rows[TableOf(line.substr(0, line.find(' ')))];
    }
  });
  NTA_RETURN_IF_ERROR(Run(
      "pg_restore", {"--data-only", "--file=-", path},
      [&](std::string_view piece) { reader(piece); }, stop));
  return rows;
}

}  // namespace nta::backup
