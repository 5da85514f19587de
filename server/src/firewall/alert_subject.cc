#include "firewall/alert_subject.h"

#include <charconv>
#include <chrono>
#include <utility>

#include "base/status.h"

namespace nta::server {
namespace {

// Classes of which each contact took a handshake, or was answered.
bool TakesAnAnswer(AlertClass alert_class) {
  switch (alert_class) {
    case AlertClass::kBruteForce:
    case AlertClass::kBeacon:
    case AlertClass::kDnsTunnel:
    case AlertClass::kExfiltration:
    case AlertClass::kUnauthorisedAccess:
      return true;
    default:
      return false;
  }
}

// "tcp/22".
void ReadService(std::string_view service, ResponseSubject& subject) {
  const std::size_t slash = service.find('/');
  const auto protocol = ParseProtocol(service.substr(0, slash));
  if (!protocol.ok()) return;
  subject.protocol = *protocol;
  if (slash == std::string_view::npos) return;
  const std::string_view digits = service.substr(slash + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error == std::errc() && end == digits.data() + digits.size()) subject.port = port;
}

}  // namespace

absl::StatusOr<ResponseSubject> SubjectOf(const Alert& alert) {
  if (!alert.entity.source) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "the alert names no address that could be blocked");
  }
  ResponseSubject subject{.alert_id = alert.id,
                          .alert_class = std::string(ToString(alert.alert_class)),
                          .offender = *alert.entity.source,
                          .is_one_way = !TakesAnAnswer(alert.alert_class)};
  if (alert.entity.service) ReadService(*alert.entity.service, subject);
  const std::chrono::duration<double> window = alert.window;
  if (window.count() > 0) subject.packets_per_second = alert.observed / window.count();
  return subject;
}

std::vector<ClassAnswer> AnsweringClasses() {
  std::vector<ClassAnswer> classes;
  for (int i = 0; i <= static_cast<int>(AlertClass::kFlashCrowd); ++i) {
    const auto alert_class = static_cast<AlertClass>(i);
    ClassAnswer answer{.alert_class = std::string(ToString(alert_class))};
    if (IsEasilyForged(answer.alert_class)) {
      answer.why_not = "its sources are easily forged, or are customers";
    } else if (!TakesAnAnswer(alert_class)) {
      answer.why_not = "nothing shows that the source received an answer: it may be forged";
    }
    classes.push_back(std::move(answer));
  }
  return classes;
}

}  // namespace nta::server
