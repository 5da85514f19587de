// ExportFlows(), ImportFlows(): flows of a store as lines of text, and back.
//
//   nta::ExportFlows(*store, {.where = filter}, [&](std::string_view text) { file << text; ... });
//   auto report = nta::ImportFlows(*store, {.format = nta::TransferFormat::kCsv}, read);
#ifndef NTA_JSON_FLOW_TRANSFER_H_
#define NTA_JSON_FLOW_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/store/store.h"

namespace nta {

// docs/formats.md describes both.
enum class TransferFormat : std::uint8_t {
  kCsv,        // FlowCsvColumns::kEverything: all but packet statistics
  kJsonLines,  // one JSON object a line: everything
};
std::string_view ToString(TransferFormat format);  // "csv", "jsonl"
absl::StatusOr<TransferFormat> ParseTransferFormat(std::string_view text);

struct ExportOptions {
  TimeInterval interval{};  // of last_seen
  FlowFilter where{};
  TransferFormat format = TransferFormat::kCsv;
};

// Gives the flows that are selected to `sink`, some lines at a time, the oldest first. Flows that
// are written meanwhile may or may not be among them. Answers how many. An error of `sink` ends it.
absl::StatusOr<std::uint64_t> ExportFlows(const Store& store, const ExportOptions& options,
                                          absl::FunctionRef<absl::Status(std::string_view)> sink,
                                          const QueryControl& control = {});

// The same into a file, which is there when it is complete, or as it was before; what is no regular
// file (a terminal, a pipe) is written as it comes. InvalidArgument for a file of the store's own.
absl::StatusOr<std::uint64_t> ExportFlowsToFile(const Store& store, const ExportOptions& options,
                                                const std::string& path,
                                                const QueryControl& control = {});

struct ImportError {
  std::uint64_t line = 0;  // the first is 1
  std::string message;
};

struct ImportReport {
  std::uint64_t lines = 0;  // without a header and empty ones
  std::uint64_t flows = 0;  // that were stored: all of them or none
  std::uint64_t wrong_lines = 0;
  std::vector<ImportError> errors;  // the first 100
  // What the file could not tell, and what that means for who looks at its flows; a sentence each.
  std::vector<std::string> hints;
};

struct ImportOptions {
  TransferFormat format = TransferFormat::kCsv;
  // Leave wrong lines out instead of storing nothing.
  bool skip_wrong_lines = false;
  // The size of the text, when it is known, to tell the progress by.
  std::uint64_t bytes = 0;
  std::stop_token stop{};
  std::function<void(double)> progress{};
};

// Reads lines from `read`, which gives the next piece of the text and an empty one at its end, and
// stores their flows in one transaction. With wrong lines and without skip_wrong_lines nothing is
// stored; the report then tells them all. InvalidArgument for a wrong header, Cancelled after a
// requested stop, an error of `read` or the store as it is; then nothing is stored either.
absl::StatusOr<ImportReport> ImportFlows(Store& store, const ImportOptions& options,
                                         absl::FunctionRef<absl::StatusOr<std::string>()> read);

}  // namespace nta

#endif  // NTA_JSON_FLOW_TRANSFER_H_
