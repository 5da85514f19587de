//  +---------+-------+------+-------+--------------------+------------+-------------+-------------+
//  | 5       | minor | type | flags | representation (4) | length (2) | auth len (2)| call id (4) |
//  +---------+-------+------+-------+--------------------+------------+-------------+-------------+
//  (C706 12.6.3; numbers are little-endian when the representation begins with 0x10)
//  bind: | max (2) | max (2) | group (4) | n (1) | 0 (3) | context id (2) | m (1) | 0 |
//        | interface UUID (16) | version (4) | ...
#include <array>
#include <string>
#include <string_view>

#include "app/rows.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

using base::ByteCursor;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kHeaderBytes = 16;
constexpr std::uint8_t kBind = 11;
// Requests and answers, binding and what goes with it.
constexpr std::uint32_t kTypes = 1u << 0 | 1u << 2 | 1u << 3 | 0x1FFu << 11;

struct InterfaceRow {
  std::string_view uuid;
  std::string_view name;
};

// Interfaces of Windows by the names that they have in its documentation.
constexpr auto kInterfaces = std::to_array<InterfaceRow>({
    {"e1af8308-5d1f-11c9-91a4-08002b14a0fa", "epmapper"},
    {"12345778-1234-abcd-ef00-0123456789ab", "lsarpc"},
    {"12345778-1234-abcd-ef00-0123456789ac", "samr"},
    {"12345678-1234-abcd-ef00-01234567cffb", "netlogon"},
    {"e3514235-4b06-11d1-ab04-00c04fc2dcd2", "drsuapi"},
    {"4b324fc8-1670-01d3-1278-5a47bf6ee188", "srvsvc"},
    {"6bffd098-a112-3610-9833-46c3f87e345a", "wkssvc"},
    {"367abb81-9844-35f1-ad32-98f038001003", "svcctl"},
    {"338cd001-2244-31f1-aaaa-900038001003", "winreg"},
    {"1ff70682-0a51-30e8-076d-740be8cee98b", "atsvc"},
    {"86d35949-83c9-4044-b424-db363231fd0c", "ITaskSchedulerService"},
    {"c681d488-d850-11d0-8c52-00c04fd90f7e", "efsrpc"},
    {"df1941c5-fe89-4e79-bf10-463657acf44d", "efsrpc"},
    {"000001a0-0000-0000-c000-000000000046", "ISystemActivator"},
    {"99fcfec4-5260-101b-bbcb-00aa0021347a", "IObjectExporter"},
    {"12345678-1234-abcd-ef00-0123456789ab", "spoolss"},
});

Verdict MatchDceRpc(const Payload& payload) {
  ByteCursor cursor(payload.bytes);
  const std::uint8_t version = cursor.U8();
  const std::uint8_t minor = cursor.U8();
  const std::uint8_t type = cursor.U8();
  cursor.Skip(1);
  const std::uint8_t integers = cursor.U8();
  const std::uint8_t floats = cursor.U8();
  const std::uint16_t reserved = cursor.U16();
  const bool is_little = integers == 0x10;
  const std::uint16_t length = is_little ? cursor.U16LittleEndian() : cursor.U16();
  const std::uint16_t auth_length = is_little ? cursor.U16LittleEndian() : cursor.U16();
  if (payload.bytes.size() < kHeaderBytes) {
    const bool fits = version == 5 && (payload.bytes.size() < 2 || minor <= 1);
    return fits && !payload.is_last ? Verdict::kNeedMore : Verdict::kNo;
  }
  const bool is_one = version == 5 && minor <= 1 && type < 32 && (kTypes >> type & 1) != 0 &&
                      (is_little || integers == 0) && floats <= 3 && reserved == 0 &&
                      length >= kHeaderBytes && auth_length < length;
  return is_one ? Verdict::kYes : Verdict::kNo;
}

std::string UuidText(ByteCursor& cursor, bool is_little) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::uint8_t, 16> bytes{};
  // The first three groups are numbers.
  const std::uint32_t first = is_little ? cursor.U32LittleEndian() : cursor.U32();
  const std::uint16_t second = is_little ? cursor.U16LittleEndian() : cursor.U16();
  const std::uint16_t third = is_little ? cursor.U16LittleEndian() : cursor.U16();
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(first >> (24 - 8 * i));
  for (std::size_t i = 0; i < 2; ++i)
    bytes[4 + i] = static_cast<std::uint8_t>(second >> (8 - 8 * i));
  for (std::size_t i = 0; i < 2; ++i)
    bytes[6 + i] = static_cast<std::uint8_t>(third >> (8 - 8 * i));
  for (std::size_t i = 8; i < 16; ++i) bytes[i] = cursor.U8();
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

// What a client binds to says what it is about to do.
ParseResult ParseDceRpc(const Payload& payload, Findings& findings) {
  const Bytes bytes = payload.bytes;
  if (bytes[0] != 5 || bytes.size() < 3 || bytes[2] != kBind) {
    return {bytes.size(), ParseNext::kDone};
  }
  ByteCursor cursor(bytes);
  cursor.Skip(4);
  const bool is_little = cursor.U8() == 0x10;
  cursor.Skip(kHeaderBytes - 5 + 8);
  const std::uint8_t contexts = cursor.U8();
  cursor.Skip(3 + 4);
  const std::string uuid = UuidText(cursor, is_little);
  if (!cursor.ok()) {
    return payload.is_last ? ParseResult{bytes.size(), ParseNext::kDone}
                           : ParseResult{0, ParseNext::kMore};
  }
  if (contexts == 0) return {bytes.size(), ParseNext::kDone};
  std::string_view name = uuid;
  for (const InterfaceRow& row : kInterfaces) {
    if (row.uuid == uuid) name = row.name;
  }
  findings.Set(MetadataField::kRequest, name);
  return {bytes.size(), ParseNext::kDone};
}

}  // namespace

constinit const Parser kDceRpcParser = {
    .application = Application::kRpc,
    .match = MatchDceRpc,
    .parse = ParseDceRpc,
    .first_bytes = FirstBytes::Of({5}),
};

}  // namespace nta::internal
