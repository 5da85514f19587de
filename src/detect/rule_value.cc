#include "detect/rule_value.h"

#include "nta/flow/application.h"

namespace nta::detect {

RuleValue ValueOf(RuleField field, const FlowRecord& flow) {
  switch (field) {
    case RuleField::kSourceAddress:
      return flow.source.address;
    case RuleField::kDestinationAddress:
      return flow.destination.address;
    case RuleField::kSourcePort:
      return std::uint64_t{flow.source.port};
    case RuleField::kDestinationPort:
      return std::uint64_t{flow.destination.port};
    case RuleField::kProtocol:
      return std::uint64_t{flow.protocol};
    case RuleField::kVlan:
      if (flow.vlan) return std::uint64_t{*flow.vlan};
      return {};
    case RuleField::kApplication:
      if (flow.application == Application::kUnknown) return {};
      return static_cast<std::uint64_t>(flow.application);
    case RuleField::kServerName: {
      constexpr std::size_t kLongestName = 255;
      const std::string_view name =
          flow.metadata ? flow.metadata->Get(MetadataField::kServerName) : std::string_view();
      if (name.empty()) return {};
      return std::string(name.substr(0, kLongestName));
    }
  }
  return {};
}

std::string ToText(RuleField field, const RuleValue& value) {
  if (const auto* address = std::get_if<IpAddress>(&value)) return address->ToString();
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<std::uint64_t>(&value);
  if (number == nullptr) return "none";
  if (field == RuleField::kProtocol) return ProtocolName(static_cast<std::uint8_t>(*number));
  if (field == RuleField::kApplication) {
    return std::string(ToString(static_cast<Application>(*number)));
  }
  return std::to_string(*number);
}

}  // namespace nta::detect
