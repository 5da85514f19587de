// What rules group by and count: the value of a field of a flow.
#ifndef NTA_SRC_DETECT_RULE_VALUE_H_
#define NTA_SRC_DETECT_RULE_VALUE_H_

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "nta/detect/alert_rule.h"
#include "nta/flow/flow_record.h"
#include "nta/net/ip_address.h"

namespace nta::detect {

// Empty where the flow has no such field.
using RuleValue = std::variant<std::monostate, IpAddress, std::uint64_t, std::string>;
using RuleKey = std::array<RuleValue, 2>;

RuleValue ValueOf(RuleField field, const FlowRecord& flow);
// "10.0.0.1", "22", "tcp", "example.org"; "none" for an empty one.
std::string ToText(RuleField field, const RuleValue& value);

// Bytes on the heap.
inline std::size_t HeapBytes(const RuleValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && text->capacity() > 15 ? text->capacity() + 1 : 0;
}

template <typename Archive>
void WriteValue(Archive& archive, const RuleValue& value) {
  archive(static_cast<std::uint8_t>(value.index()));
  if (const auto* address = std::get_if<IpAddress>(&value)) archive(*address);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) archive(*number);
  if (const auto* text = std::get_if<std::string>(&value)) archive(std::string_view(*text));
}
template <typename Archive>
void ReadValue(Archive& archive, RuleValue& value) {
  std::uint8_t index = 0;
  archive(index);
  switch (index) {
    case 0:
      value = std::monostate();
      break;
    case 1:
      archive(value.emplace<IpAddress>());
      break;
    case 2:
      archive(value.emplace<std::uint64_t>());
      break;
    case 3:
      archive(value.emplace<std::string>());
      break;
    default:
      archive.Fail();
  }
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_RULE_VALUE_H_
