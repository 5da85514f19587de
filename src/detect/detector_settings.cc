#include "nta/detect/detector_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <span>
#include <type_traits>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "detect/option_list.h"

namespace nta {
namespace {

using detect::Bounds;
using detect::Scaling;
using detect::Texts;

constexpr std::size_t kMostTexts = 1000;
constexpr std::size_t kMostTextBytes = 4096;

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

template <typename Field>
constexpr bool kIsNumber = std::is_same_v<Field, double> || std::is_same_v<Field, std::size_t> ||
                           std::is_same_v<Field, Duration>;

template <typename Field>
constexpr bool kIsPorts = std::is_same_v<Field, std::set<std::uint16_t>> ||
                          std::is_same_v<Field, std::vector<std::uint16_t>>;

template <typename Field>
DetectorOptionKind KindOf(const Field&) {
  if constexpr (std::is_same_v<Field, bool>) return DetectorOptionKind::kFlag;
  if constexpr (std::is_same_v<Field, std::size_t>) return DetectorOptionKind::kCount;
  if constexpr (std::is_same_v<Field, Duration>) return DetectorOptionKind::kSeconds;
  if constexpr (std::is_same_v<Field, std::vector<IpPrefix>>) return DetectorOptionKind::kNetworks;
  if constexpr (kIsPorts<Field>) return DetectorOptionKind::kPorts;
  return DetectorOptionKind::kNumber;
}
DetectorOptionKind KindOf(const Texts& texts) { return texts.kind; }

DetectorOptionValue ValueOf(bool field) { return field; }
DetectorOptionValue ValueOf(double field) { return field; }
DetectorOptionValue ValueOf(std::size_t field) { return static_cast<double>(field); }
DetectorOptionValue ValueOf(Duration field) { return Seconds(field); }
DetectorOptionValue ValueOf(const Texts& field) { return field.list; }
DetectorOptionValue ValueOf(const std::vector<IpPrefix>& field) {
  std::vector<std::string> texts;
  for (const IpPrefix& prefix : field) texts.push_back(prefix.ToString());
  return texts;
}
template <typename Ports>
requires kIsPorts<Ports> DetectorOptionValue ValueOf(const Ports& field) {
  std::vector<std::string> texts;
  for (const std::uint16_t port : field) texts.push_back(std::to_string(port));
  return texts;
}

// Reading a value. An error says what the value should be: "is 2 to 65536".

absl::StatusOr<double> ReadNumber(const DetectorOptionValue& value, Bounds bounds) {
  const double* number = std::get_if<double>(&value);
  // Not a number compares false.
  if (number == nullptr || !(*number >= bounds.least && *number <= bounds.most)) {
    return base::InvalidArgument(
        absl::StrFormat("is a number from %g to %.15g", bounds.least, bounds.most));
  }
  return *number;
}

absl::Status Read(const DetectorOptionValue& value, Bounds, bool& field) {
  const bool* flag = std::get_if<bool>(&value);
  if (flag == nullptr) return base::InvalidArgument("is true or false");
  field = *flag;
  return absl::OkStatus();
}
absl::Status Read(const DetectorOptionValue& value, Bounds bounds, double& field) {
  NTA_ASSIGN_OR_RETURN(field, ReadNumber(value, bounds));
  return absl::OkStatus();
}
absl::Status Read(const DetectorOptionValue& value, Bounds bounds, std::size_t& field) {
  NTA_ASSIGN_OR_RETURN(const double number, ReadNumber(value, bounds));
  if (number != std::floor(number)) return base::InvalidArgument("is a whole number");
  field = static_cast<std::size_t>(number);
  return absl::OkStatus();
}
absl::Status Read(const DetectorOptionValue& value, Bounds bounds, Duration& field) {
  NTA_ASSIGN_OR_RETURN(const double number, ReadNumber(value, bounds));
  field = std::chrono::round<Duration>(std::chrono::duration<double>(number));
  return absl::OkStatus();
}

// Calls take(text) for each; false refuses the text.
template <typename Take>
absl::Status ReadTexts(const DetectorOptionValue& value, std::string_view what, const Take& take) {
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  if (texts == nullptr) return base::InvalidArgument("is a list of " + std::string(what));
  if (texts->size() > kMostTexts) return base::InvalidArgument("has at most 1000 entries");
  for (const std::string& text : *texts) {
    if (text.size() <= kMostTextBytes && take(text)) continue;
    return base::InvalidArgument("is a list of " + std::string(what) + ", which \"" +
                                 text.substr(0, 60) + "\" is not");
  }
  return absl::OkStatus();
}

absl::Status Read(const DetectorOptionValue& value, Bounds, std::vector<IpPrefix>& field) {
  std::vector<IpPrefix> prefixes;
  NTA_RETURN_IF_ERROR(ReadTexts(value, "addresses and networks", [&](const std::string& text) {
    const auto prefix = IpPrefix::Parse(text);
    if (prefix.ok()) prefixes.push_back(*prefix);
    return prefix.ok();
  }));
  field = std::move(prefixes);
  return absl::OkStatus();
}
template <typename Ports>
requires kIsPorts<Ports> absl::Status Read(const DetectorOptionValue& value, Bounds, Ports& field) {
  Ports ports;
  NTA_RETURN_IF_ERROR(ReadTexts(value, "ports", [&](const std::string& text) {
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc{} || stop != end) return false;
    ports.insert(ports.end(), port);
    return true;
  }));
  field = std::move(ports);
  return absl::OkStatus();
}
absl::Status Read(const DetectorOptionValue& value, Bounds, const Texts& field) {
  const bool is_file = field.kind == DetectorOptionKind::kFiles;
  const std::string_view what = is_file ? "paths"
                                : field.kind == DetectorOptionKind::kDomains
                                    ? "domain names"
                                    : "addresses, networks and domain names";
  NTA_RETURN_IF_ERROR(ReadTexts(value, what, [&](const std::string& text) {
    if (is_file) return !text.empty() && text.find('\0') == std::string::npos;
    const auto list = BlockList::Parse(text, "", 1);
    if (!list.ok() || list->size() != 1 || text.find('\n') != std::string::npos) return false;
    return field.kind == DetectorOptionKind::kEntries || !IpPrefix::Parse(text).ok();
  }));
  field.list = std::get<std::vector<std::string>>(value);
  return absl::OkStatus();
}

double FactorOf(Sensitivity sensitivity) {
  if (sensitivity == Sensitivity::kLow) return 2;
  return sensitivity == Sensitivity::kHigh ? 0.5 : 1;
}

double Scaled(double value, Scaling scaling, double factor) {
  switch (scaling) {
    case Scaling::kNone:
      break;
    case Scaling::kThreshold:
      return value * factor;
    case Scaling::kBudget:
      return value / factor;
    case Scaling::kBits:
      return value + 4 * std::log2(factor);
    case Scaling::kChance:
      // Each power of ten asks for about two more failed contacts in a row.
      return value * (factor > 1 ? 1e-3 : factor < 1 ? 1e2 : 1);
  }
  return value;
}

class Describer {
 public:
  explicit Describer(DetectorInfo& info) : info_(info) {}

  template <typename Field>
  void operator()(std::string_view name, const Field& field, Bounds bounds, Scaling scaling,
                  std::string_view about) {
    info_.options.push_back({.name = std::string(name),
                             .about = std::string(about),
                             .kind = KindOf(field),
                             .least = bounds.least,
                             .most = bounds.most,
                             .default_value = ValueOf(field),
                             .is_scaled = scaling != Scaling::kNone});
  }

 private:
  DetectorInfo& info_;
};

class Setter {
 public:
  Setter(std::string_view detector, const DetectorSettings& settings)
      : detector_(detector), settings_(settings), factor_(FactorOf(settings.sensitivity)) {}

  template <typename Field>
  void operator()(std::string_view name, Field&& field, Bounds bounds, Scaling scaling,
                  std::string_view) {
    using Plain = std::remove_cvref_t<Field>;
    known_.insert(name);
    if constexpr (kIsNumber<Plain>) Scale(field, bounds, scaling);
    const auto found = settings_.options.find(name);
    if (found == settings_.options.end() || !error_.empty()) return;
    if (const absl::Status status = Read(found->second, bounds, field); !status.ok()) {
      error_ = "\"" + std::string(name) + "\" of " + std::string(detector_) + " " +
               std::string(status.message().data(), status.message().size());
    }
  }

  absl::Status status() const {
    for (const auto& [name, value] : settings_.options) {
      if (known_.contains(name)) continue;
      std::string message =
          std::string(detector_) + " has no option \"" + name.substr(0, 40) + "\" (have:";
      for (const std::string_view known : known_) message += " " + std::string(known);
      return base::InvalidArgument(message + ")");
    }
    return error_.empty() ? absl::OkStatus() : base::InvalidArgument(error_);
  }

 private:
  template <typename Number>
  void Scale(Number& field, Bounds bounds, Scaling scaling) const {
    if (factor_ == 1 || scaling == Scaling::kNone) return;
    const double value = std::get<double>(ValueOf(field));
    const double wanted = std::clamp(Scaled(value, scaling, factor_), bounds.least, bounds.most);
    if constexpr (std::is_same_v<Number, std::size_t>) {
      field = static_cast<std::size_t>(std::max(2.0, std::round(wanted)));
    } else if constexpr (std::is_same_v<Number, double>) {
      field = wanted;
    }
  }

  const std::string_view detector_;
  const DetectorSettings& settings_;
  const double factor_;
  std::set<std::string_view> known_;
  std::string error_;
};

struct Words {
  std::string_view name;
  std::string_view about;
  FlowSupport stored_flows;
  std::string_view note;
};

constexpr std::string_view kPacketsOnly =
    "it watches packets, which stored flows do not hold; give it a capture file";
constexpr std::array<Words, 12> kWords{{
    {"flood", "who is being flooded, with what, and by how many", FlowSupport::kNone, kPacketsOnly},
    {"port_scan", "who tries many ports of a host, or many hosts", FlowSupport::kFull, ""},
    {"brute_force", "who guesses passwords, and whether a guess was right", FlowSupport::kFull, ""},
    {"arp_spoof", "who claims addresses of others", FlowSupport::kNone, kPacketsOnly},
    {"dhcp", "floods of DHCP requests, and servers that are new", FlowSupport::kNone, kPacketsOnly},
    {"policy", "what is not allowed here: block lists, services reached from outside",
     FlowSupport::kFull, ""},
    {"beacon", "programs that call home at regular intervals", FlowSupport::kFull, ""},
    {"dns_tunnel", "data in the names of DNS queries", FlowSupport::kPart,
     "a stored flow holds one of its DNS names, so tunnels with many names a flow look smaller"},
    {"exfiltration", "hosts that send out far more than they are used to", FlowSupport::kFull, ""},
    {"rare_peer", "first contacts of hosts that hardly make any", FlowSupport::kFull, ""},
    {"baseline", "traffic that is not what it usually is at this time", FlowSupport::kPart,
     "the series of interfaces need packets; hosts and services are judged"},
    {"flow_anomaly", "hosts whose flows look like none before", FlowSupport::kFull, ""},
}};

std::string KnownNames() {
  std::string names;
  for (const Words& words : kWords) names += " " + std::string(words.name);
  return names;
}

absl::Status NoSuchDetector(std::string_view name) {
  return base::MakeStatus(
      absl::StatusCode::kNotFound,
      "no detector \"" + std::string(name.substr(0, 40)) + "\" (have:" + KnownNames() + ")");
}

}  // namespace

std::string_view ToString(Sensitivity sensitivity) {
  constexpr std::array<std::string_view, 3> kNames{"low", "normal", "high"};
  return kNames[static_cast<std::size_t>(sensitivity)];
}

absl::StatusOr<Sensitivity> ParseSensitivity(std::string_view text) {
  for (const auto one : {Sensitivity::kLow, Sensitivity::kNormal, Sensitivity::kHigh}) {
    if (text == ToString(one)) return one;
  }
  return base::InvalidArgument("a sensitivity is low, normal or high");
}

std::string_view ToString(DetectorOptionKind kind) {
  constexpr std::array<std::string_view, 9> kNames{
      "flag", "count", "number", "seconds", "networks", "ports", "domains", "files", "entries"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view ToString(FlowSupport support) {
  constexpr std::array<std::string_view, 3> kNames{"none", "part", "full"};
  return kNames[static_cast<std::size_t>(support)];
}

std::vector<DetectorInfo> DetectorCatalogue() {
  std::vector<DetectorInfo> catalogue;
  DetectionOptions defaults;
  detect::ForEachDetector(defaults, [&](std::string_view name, auto& options) {
    const Words& words = kWords[catalogue.size()];
    DetectorInfo info{.name = std::string(name),
                      .about = std::string(words.about),
                      .stored_flows = words.stored_flows,
                      .stored_flows_note = std::string(words.note),
                      .options = {}};
    Describer describer(info);
    detect::VisitOptions(describer, options);
    detect::VisitAlerts(describer, options.alerts);
    catalogue.push_back(std::move(info));
  });
  return catalogue;
}

absl::Status Configure(std::string_view detector, const DetectorSettings& settings,
                       DetectionOptions& options) {
  absl::Status status = NoSuchDetector(detector);
  detect::ForEachDetector(options, [&](std::string_view name, auto& own) {
    if (name != detector) return;
    std::remove_cvref_t<decltype(own)> wanted;
    Setter setter(name, settings);
    detect::VisitOptions(setter, wanted);
    detect::VisitAlerts(setter, wanted.alerts);
    status = setter.status();
    if (status.ok()) own = std::move(wanted);
  });
  if (!status.ok()) return status;
  if (settings.enabled) options.disabled.erase(std::string(detector));
  if (!settings.enabled) options.disabled.insert(std::string(detector));
  return status;
}

absl::StatusOr<std::unique_ptr<Detector>> MakeDetector(std::string_view name,
                                                       const DetectionOptions& options) {
  DetectionOptions only = options;
  only.disabled.clear();
  bool known = false;
  for (const Words& words : kWords) {
    known = known || words.name == name;
    if (words.name != name) only.disabled.insert(std::string(words.name));
  }
  if (!known) return NoSuchDetector(name);
  NTA_ASSIGN_OR_RETURN(DetectorList list, DefaultDetectors(only));
  return std::move(list.front());
}

}  // namespace nta
