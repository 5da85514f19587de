#include "nta/json/flow_transfer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/status.h"
#include "json/output_file.h"
#include "nta/export/flow_csv.h"
#include "nta/json/json.h"

namespace nta {
namespace {

constexpr std::size_t kFlowsAtOnce = 10'000;
constexpr std::size_t kMostErrors = 100;
// Longer lines are wrong: a flow with every field at its limit is far below.
constexpr std::size_t kMostLineBytes = 1 << 20;

// Lines out of pieces of text.
class LineReader {
 public:
  explicit LineReader(absl::FunctionRef<absl::StatusOr<std::string>()> read) : read_(read) {}

  // Valid until the next call; absent at the end.
  absl::StatusOr<std::optional<std::string_view>> Next() {
    while (true) {
      const std::size_t end = text_.find('\n', begin_ + searched_);
      if (end != std::string::npos) {
        const std::string_view line = std::string_view(text_).substr(begin_, end - begin_);
        begin_ = end + 1;
        searched_ = 0;
        return std::optional(line);
      }
      text_.erase(0, begin_);
      begin_ = 0;
      searched_ = text_.size();
      if (text_.size() > kMostLineBytes) {
        return base::InvalidArgument("a line is longer than 1 MiB");
      }
      if (ended_) {
        if (text_.empty()) return std::optional<std::string_view>();
        last_ = std::exchange(text_, {});
        searched_ = 0;
        return std::optional<std::string_view>(last_);
      }
      NTA_ASSIGN_OR_RETURN(const std::string more, read_());
      ended_ = more.empty();
      bytes_ += more.size();
      text_ += more;
    }
  }
  std::uint64_t bytes() const { return bytes_ - (text_.size() - begin_); }

 private:
  absl::FunctionRef<absl::StatusOr<std::string>()> read_;
  std::string text_;
  std::string last_;
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

class Importer {
 public:
  Importer(const ImportOptions& options, absl::FunctionRef<absl::StatusOr<std::string>()> read)
      : options_(options), lines_(read) {}

  // The next flows; none at the end. Wrong lines that are not skipped end up as an error there.
  absl::StatusOr<std::vector<FlowRecord>> Next() {
    std::vector<FlowRecord> flows;
    while (flows.size() < kFlowsAtOnce) {
      NTA_ASSIGN_OR_RETURN(const std::optional<std::string_view> line, lines_.Next());
      if (!line) {
        if (report_.wrong_lines > 0 && !options_.skip_wrong_lines) return TooManyWrong();
        break;
      }
      ++line_;
      NTA_RETURN_IF_ERROR(Take(*line, flows));
    }
    if (options_.stop.stop_requested()) {
      return base::MakeStatus(absl::StatusCode::kCancelled, "the import was cancelled");
    }
    if (options_.progress && options_.bytes > 0) {
      options_.progress(
          std::min(1.0, static_cast<double>(lines_.bytes()) / static_cast<double>(options_.bytes)));
    }
    return flows;
  }

  bool was_refused() const { return refused_; }
  ImportReport TakeReport() { return std::move(report_); }

 private:
  absl::Status TooManyWrong() {
    refused_ = true;
    return base::InvalidArgument("some lines are wrong");
  }

  absl::Status Take(std::string_view line, std::vector<FlowRecord>& flows) {
    if (line.empty() || line == "\r") return absl::OkStatus();
    if (options_.format == TransferFormat::kCsv && !csv_) {
      NTA_ASSIGN_OR_RETURN(csv_, FlowCsvReader::Create(line));
      AddHints();
      return absl::OkStatus();
    }
    ++report_.lines;
    absl::StatusOr<FlowRecord> flow = csv_ ? csv_->Read(line) : FlowFromJson(line);
    absl::Status status = flow.ok() ? CheckStorable(*flow) : flow.status();
    if (status.ok()) {
      // Once nothing will be stored, only the errors matter.
      if (report_.wrong_lines == 0 || options_.skip_wrong_lines) flows.push_back(*std::move(flow));
      return absl::OkStatus();
    }
    ++report_.wrong_lines;
    if (report_.errors.size() < kMostErrors) {
      report_.errors.push_back({line_, std::string(status.message())});
    }
    return absl::OkStatus();
  }

  // Of what the header lacks, and of what is not read.
  void AddHints() {
    if (csv_->passed_over() > 0) {
      report_.hints.push_back("The statistics of the flows, " +
                              std::to_string(csv_->passed_over()) +
                              " columns, are not read from CSV; JSON lines keep them.");
    }
    std::string lacking;
    for (const std::string_view column : {"outcome", "tcp_state"}) {
      if (csv_->Has(column)) continue;
      lacking += lacking.empty() ? "" : " and ";
      lacking += column;
    }
    if (lacking.empty()) return;
    report_.hints.push_back("The file does not have " + lacking +
                            ", so nobody can tell which connections were answered: detectors of "
                            "scans and sweeps see nothing in these flows. Exports of a store have "
                            "both columns.");
  }

  const ImportOptions& options_;
  LineReader lines_;
  std::optional<FlowCsvReader> csv_;
  std::uint64_t line_ = 0;
  bool refused_ = false;
  ImportReport report_;
};

}  // namespace

std::string_view ToString(TransferFormat format) {
  return format == TransferFormat::kCsv ? "csv" : "jsonl";
}

absl::StatusOr<TransferFormat> ParseTransferFormat(std::string_view text) {
  if (text == "csv") return TransferFormat::kCsv;
  if (text == "jsonl") return TransferFormat::kJsonLines;
  return base::InvalidArgument("a format is csv or jsonl");
}

absl::StatusOr<std::uint64_t> ExportFlows(const Store& store, const ExportOptions& options,
                                          absl::FunctionRef<absl::Status(std::string_view)> sink,
                                          const QueryControl& control) {
  std::uint64_t expected = 0;
  if (control.progress) {
    // Of these the filter may select fewer.
    NTA_ASSIGN_OR_RETURN(const StoreSize size, store.Size());
    expected = size.flows;
  }
  QueryControl page_control = control;
  page_control.progress = nullptr;
  FlowQuery query{.interval = options.interval,
                  .filter = options.where,
                  .order = FlowOrder::kOldestFirst,
                  .limit = kFlowsAtOnce};
  std::string text;
  if (options.format == TransferFormat::kCsv) {
    text = FlowCsvHeader(FlowCsvColumns::kEverything) + '\n';
  }
  std::uint64_t count = 0;
  do {
    NTA_ASSIGN_OR_RETURN(const FlowPage page, store.Flows(query, page_control));
    for (const StoredFlow& stored : page.flows) {
      if (options.format == TransferFormat::kCsv) {
        AppendFlowCsv(stored.flow, text, FlowCsvColumns::kEverything);
      } else {
        text += ToJson(stored.flow);
        text += '\n';
      }
    }
    count += page.flows.size();
    NTA_RETURN_IF_ERROR(sink(text));
    text.clear();
    if (control.progress) {
      control.progress(static_cast<double>(count) /
                       static_cast<double>(std::max(expected, count) + 1));
    }
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  return count;
}

absl::StatusOr<std::uint64_t> ExportFlowsToFile(const Store& store, const ExportOptions& options,
                                                const std::string& path,
                                                const QueryControl& control) {
  if (store.Owns(path)) {
    return base::InvalidArgument("\"" + path + "\" belongs to the store that is read");
  }
  json::OutputFile file(path);
  NTA_RETURN_IF_ERROR(file.status());
  NTA_ASSIGN_OR_RETURN(
      const std::uint64_t flows,
      ExportFlows(
          store, options, [&file](std::string_view text) { return file.Write(text); }, control));
  // Asked to stop with the last of them.
  if (control.stop.stop_requested()) {
    return base::MakeStatus(absl::StatusCode::kCancelled, "the export was stopped");
  }
  NTA_RETURN_IF_ERROR(file.Complete());
  return flows;
}

absl::StatusOr<ImportReport> ImportFlows(Store& store, const ImportOptions& options,
                                         absl::FunctionRef<absl::StatusOr<std::string>()> read) {
  Importer importer(options, read);
  const absl::StatusOr<std::uint64_t> flows = store.Import([&] { return importer.Next(); });
  if (!flows.ok() && !importer.was_refused()) return flows.status();
  ImportReport report = importer.TakeReport();
  report.flows = flows.ok() ? *flows : 0;
  if (report.lines == 0) {
    report.hints.push_back("The file has no flows in it: 0 flows were imported.");
  }
  return report;
}

}  // namespace nta
