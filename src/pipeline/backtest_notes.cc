// What the figures of a backtest do not say by themselves.
#include <algorithm>
#include <variant>

#include "absl/strings/str_format.h"
#include "nta/pipeline/backtest.h"

namespace nta {
namespace {

std::string LengthOf(Duration span) {
  const double seconds = std::chrono::duration<double>(span).count();
  if (seconds < 120) return absl::StrFormat("%.0f s", seconds);
  if (seconds < 7200) return absl::StrFormat("%.0f min", seconds / 60);
  return absl::StrFormat("%.1f h", seconds / 3600);
}

// Whether the sequential test of the scan detector raised it, rather than one of its limits.
bool IsFromTest(const Alert& alert) {
  const auto trigger = alert.evidence.find("trigger");
  if (trigger == alert.evidence.end()) return false;
  const auto* text = std::get_if<std::string>(&trigger->second);
  return text != nullptr && *text == "likelihood_ratio";
}

}  // namespace

std::vector<std::string> NotesOn(const BacktestReport& report,
                                 const BacktestDifference* difference) {
  std::vector<std::string> notes;
  if (!report.is_empty() && !report.covers_a_day()) {
    notes.push_back("the traffic covers " + LengthOf(report.span()) +
                    ", less than a day: figures a day count it as a whole one and are no forecast");
  }
  const bool is_same = difference != nullptr && difference->same > 0 &&
                       difference->appear.empty() && difference->vanish.empty();
  if (!is_same) return notes;
  notes.emplace_back("both configurations say the same of this traffic");
  const auto tested = std::count_if(report.kept.begin(), report.kept.end(), IsFromTest);
  if (tested > 0) {
    notes.push_back(absl::StrFormat(
        "%d of the alerts come from the test on failed contacts, which false_positive_rate, "
        "benign_success and scanner_success set; min_ports and min_hosts are limits beside it",
        tested));
  }
  return notes;
}

}  // namespace nta
