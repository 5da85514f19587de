#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  EtherNet/IP encapsulation (CIP volume 2, chapter 2), little endian
//  +-----------------+-----------------+
//  | command         | length of data  |
//  +-----------------+-----------------+
//  | session (32), status (32), context (64), options (32), 0 |
//  +-----------------------------------+ 24
constexpr std::size_t kHeaderBytes = 24;

std::string_view CommandName(std::uint16_t command) {
  switch (command) {
    case 0x0004:
      return "list_services";
    case 0x0063:
      return "list_identity";
    case 0x0064:
      return "list_interfaces";
    case 0x0065:
      return "register_session";
    case 0x0066:
      return "unregister_session";
    case 0x006F:
      return "send_rr_data";
    case 0x0070:
      return "send_unit_data";
    default:
      return "";
  }
}

bool IsHeader(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint16_t command = cursor.U16LittleEndian();
  const std::size_t length = cursor.U16LittleEndian();
  cursor.Skip(4);
  const std::uint32_t status = cursor.U32LittleEndian();
  cursor.Skip(8);
  const std::uint32_t options = cursor.U32LittleEndian();
  if (!cursor.ok() || CommandName(command).empty() || options != 0 || status > 0x69) return false;
  if (command == 0x0065 && length != 4) return false;
  return payload.is_tcp() ? payload.bytes.size() <= kHeaderBytes + length || length > 0
                          : kHeaderBytes + length == payload.wire_size();
}

Verdict Match(const Payload& payload) {
  if (payload.bytes.size() >= kHeaderBytes) return YesIf(IsHeader(payload));
  base::ByteCursor cursor(payload.bytes);
  const bool is_command = !CommandName(cursor.U16LittleEndian()).empty() || !cursor.ok();
  const bool may_be = payload.is_tcp() && payload.is_start && is_command;
  return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
}

// The answer to list_identity ends with the product's name: | length (8) | text | state (8) |
void ReadIdentity(Bytes bytes, Findings& findings) {
  constexpr std::size_t kNameLengthAt = kHeaderBytes + 2 + 4 + 2 + 16 + 14;
  base::ByteCursor cursor(bytes);
  cursor.Skip(kNameLengthAt);
  SetFirst(findings, MetadataField::kServerVersion, cursor.Bytes(cursor.U8()));
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  if (payload.is_tcp() && payload.bytes.size() < kHeaderBytes && !payload.is_last) {
    return {0, ParseNext::kMore};
  }
  base::ByteCursor cursor(payload.bytes);
  const std::uint16_t command = cursor.U16LittleEndian();
  const std::uint16_t length = cursor.U16LittleEndian();
  findings.SetFirst(MetadataField::kRequest, CommandName(command));
  if (command == 0x0063 && length > 0) ReadIdentity(payload.bytes, findings);
  return Read(payload, ParseNext::kMore);
}

}  // namespace

constinit const Parser kEthernetIpParser = {
    .application = Application::kEthernetIp,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({0x04, 0x63, 0x64, 0x65, 0x66, 0x6F, 0x70}),
};

}  // namespace nta::internal
