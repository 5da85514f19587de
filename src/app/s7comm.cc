#include "app/rows.h"
#include "app/tpkt.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  TPKT, X.224 data, then
//  +--------+--------+-----------------+
//  | 0x32   | type   | 0 (16)          |   1 job, 2 ack, 3 ack with data, 7 user data; 0x72:
//  S7comm-plus
//  +--------+--------+-----------------+
//  | reference (16)  | size of parameters (16), of data (16) | acks: error class, code | function |
constexpr std::uint8_t kProtocol = 0x32;
constexpr std::uint8_t kPlusProtocol = 0x72;

bool IsS7(Bytes bytes) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t protocol = cursor.U8();
  const std::uint8_t type = cursor.U8();
  if (!cursor.ok()) return false;
  if (protocol == kPlusProtocol) return type >= 1 && type <= 3;
  if (protocol != kProtocol) return false;
  cursor.Skip(4);
  const std::size_t sizes = std::size_t{cursor.U16()} + cursor.U16();
  const bool is_ack = type == 2 || type == 3;
  return cursor.ok() && (is_ack || type == 1 || type == 7) &&
         sizes + 10 + (is_ack ? 2u : 0u) == bytes.size();
}

// A request is waited for: other protocols use X.224, too.
Verdict Match(const Payload& payload) {
  const auto packet = ReadTpkt(payload.bytes);
  if (!packet) return Verdict::kNo;
  if (!packet->is_whole) return payload.bytes.size() < 512 ? MoreUnlessLast(payload) : Verdict::kNo;
  if (packet->type == kX224Data) return YesIf(IsS7(packet->user_data));
  const Bytes next = payload.bytes.subspan(packet->size);
  if (next.empty()) return MoreUnlessLast(payload);
  const auto second = ReadTpkt(next);
  if (second && !second->is_whole && next.size() < 512) return MoreUnlessLast(payload);
  return YesIf(second && second->type == kX224Data && IsS7(second->user_data));
}

std::string_view FunctionName(std::uint8_t function) {
  switch (function) {
    case 0x04:
      return "read";
    case 0x05:
      return "write";
    case 0x1A:
      return "request_download";
    case 0x1B:
      return "download_block";
    case 0x1C:
      return "download_ended";
    case 0x1D:
      return "start_upload";
    case 0x1E:
      return "upload";
    case 0x1F:
      return "end_upload";
    case 0x28:
      return "plc_control";
    case 0x29:
      return "plc_stop";
    case 0xF0:
      return "setup_communication";
    default:
      return "";
  }
}

void ReadJob(Bytes bytes, Findings& findings) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t protocol = cursor.U8();
  const std::uint8_t type = cursor.U8();
  if (protocol == kPlusProtocol) {
    findings.SetFirst(MetadataField::kRequest, "s7comm_plus");
    return;
  }
  cursor.Skip(8);
  if (protocol != kProtocol || type != 1) return;
  // What is done matters more than that a connection was set up.
  const std::string_view name = FunctionName(cursor.U8());
  if (cursor.ok() && !name.empty() &&
      (findings.Get(MetadataField::kRequest).empty() ||
       findings.Get(MetadataField::kRequest) == "setup_communication")) {
    findings.Set(MetadataField::kRequest, name);
  }
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  Bytes rest = payload.bytes;
  while (!rest.empty()) {
    const auto packet = ReadTpkt(rest);
    if (!packet) return Read(payload, ParseNext::kDone);
    if (!packet->is_whole) break;
    if (packet->type == kX224Data) ReadJob(packet->user_data, findings);
    rest = rest.subspan(packet->size);
  }
  return {payload.is_last ? payload.bytes.size() : payload.bytes.size() - rest.size(),
          ParseNext::kMore};
}

}  // namespace

constinit const Parser kS7commParser = {
    .application = Application::kS7comm,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({3}),
};

}  // namespace nta::internal
