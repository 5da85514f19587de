#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "audit/audit_key.h"
#include "audit/checkpoint.h"
#include "audit/segment.h"
#include "audit/verifier.h"
#include "base/status.h"
#include "nta/audit/audit_verify.h"

namespace nta {
namespace {

constexpr std::array<std::string_view, 2> kIntegrities = {"intact", "damaged"};
constexpr std::array<std::string_view, 3> kAuthenticities = {"proven", "not_proven", "forged"};
constexpr std::array<std::string_view, 3> kCompletenesses = {"complete", "incomplete", "unknown"};

std::string Count(std::uint64_t count, std::string_view one) {
  return std::to_string(count) + ' ' + std::string(one) + (count == 1 ? "" : "s");
}

// What was found, in words.
std::string Summarize(const AuditReport& report) {
  if (!report.faults.empty()) {
    const AuditFault& fault = report.faults.front();
    std::string text = "NOT as it was written: " + fault.reason + " (record " +
                       std::to_string(fault.sequence) + ", " + fault.file + ", byte " +
                       std::to_string(fault.offset) + ")";
    if (report.faults.size() > 1) {
      text += ", and " + Count(report.faults.size() - 1, "more fault") + " in other places";
    }
    return text + "; " + Count(report.records, "record") + " good";
  }
  std::string text = Count(report.records, "record") + " in " + Count(report.files, "file") +
                     " as they were written";
  text += report.authenticity == AuditAuthenticity::kProven
              ? "; every seal fits the verification key"
              : "; seals not checked, for want of the verification key";
  if (report.first_sequence > 1) {
    text += "; older than record " + std::to_string(report.first_sequence) + " are not here";
  }
  if (report.completeness == AuditCompleteness::kUnknown) {
    return text + "; whether records were cut off is unknown without a checkpoint";
  }
  text += "; none was cut off";
  if (report.checkpoint_count > 0) {
    text += " (checkpoint at record " + std::to_string(report.checkpoint_count) + ")";
  }
  return text;
}

absl::StatusOr<std::optional<audit::VerificationKey>> LoadKey(const std::string& directory,
                                                              const std::string& path) {
  const std::string file = path.empty() ? directory + "/verification.key" : path;
  if (path.empty() && access(file.c_str(), F_OK) != 0) return std::nullopt;
  absl::StatusOr<audit::VerificationKey> key = audit::ReadVerificationKey(file);
  if (key.ok()) return *std::move(key);
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          std::string(key.status().message()));
}

}  // namespace

std::string_view ToString(AuditIntegrity integrity) {
  return kIntegrities[static_cast<std::size_t>(integrity)];
}
std::string_view ToString(AuditAuthenticity authenticity) {
  return kAuthenticities[static_cast<std::size_t>(authenticity)];
}
std::string_view ToString(AuditCompleteness completeness) {
  return kCompletenesses[static_cast<std::size_t>(completeness)];
}

absl::StatusOr<AuditReport> VerifyAudit(const std::string& directory,
                                        const AuditVerifyOptions& options) {
  // The key file before the files: a writer that goes on meanwhile only adds to what it says.
  const std::optional<audit::KeyState> state = audit::ReadKeyState(directory);
  NTA_ASSIGN_OR_RETURN(const std::vector<audit::SegmentFile> files, audit::ListSegments(directory));
  if (files.empty() && !state && options.checkpoints.empty()) {
    return base::MakeStatus(absl::StatusCode::kNotFound,
                            "there is no audit trail in \"" + directory + '"');
  }
  NTA_ASSIGN_OR_RETURN(std::optional<audit::VerificationKey> key,
                       LoadKey(directory, options.verification_key_path));
  audit::Verifier verifier(options, std::move(key), state);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!verifier.CheckFile(files[i], i + 1 == files.size())) break;
  }
  AuditReport report = verifier.Finish();
  report.summary = Summarize(report);
  return report;
}

}  // namespace nta
