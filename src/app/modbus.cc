#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  Modbus/TCP (Modbus Messaging on TCP/IP, 3.1.3)
//  +-----------------+-----------------+
//  | transaction     | protocol, 0     |
//  +-----------------+--------+--------+
//  | length of what  | unit   |function|   function: 0x80 is set in an exception
//  | follows         |        |        |
//  +-----------------+--------+--------+
constexpr std::uint16_t kPort = 502;
constexpr std::size_t kLeastLength = 2;
constexpr std::size_t kMaxLength = 254;

std::string_view FunctionName(std::uint8_t function) {
  switch (function) {
    case 1:
      return "read_coils";
    case 2:
      return "read_discrete_inputs";
    case 3:
      return "read_holding_registers";
    case 4:
      return "read_input_registers";
    case 5:
      return "write_single_coil";
    case 6:
      return "write_single_register";
    case 7:
      return "read_exception_status";
    case 8:
      return "diagnostics";
    case 11:
      return "get_event_counter";
    case 12:
      return "get_event_log";
    case 15:
      return "write_multiple_coils";
    case 16:
      return "write_multiple_registers";
    case 17:
      return "report_server_id";
    case 20:
      return "read_file_record";
    case 21:
      return "write_file_record";
    case 22:
      return "mask_write_register";
    case 23:
      return "read_write_registers";
    case 24:
      return "read_fifo_queue";
    case 43:
      return "encapsulated_interface";
    case 90:
      return "unity";  // Schneider's programming software
    default:
      return "";
  }
}

struct Header {
  std::uint16_t transaction = 0;
  std::size_t length = 0;
  std::uint8_t function = 0;
};

bool ReadHeader(Bytes bytes, Header& header) {
  base::ByteCursor cursor(bytes);
  header.transaction = cursor.U16();
  const std::uint16_t protocol = cursor.U16();
  header.length = cursor.U16();
  cursor.Skip(1);
  header.function = cursor.U8();
  return cursor.ok() && protocol == 0 && header.length >= kLeastLength &&
         header.length <= kMaxLength && !FunctionName(header.function & 0x7F).empty();
}

// A request or answer of this function has this many bytes after the header, or says so itself.
bool IsPlausible(Bytes bytes, const Header& header) {
  if (bytes.size() < 6 + header.length) return false;
  const std::size_t size = header.length;
  const std::uint8_t function = header.function;
  const std::uint8_t count = bytes.size() > 8 ? bytes[8] : 0;
  if ((function & 0x80) != 0) return size == 3 || (size <= 5 && count <= 11);  // some pad
  if (function <= 4) return size == 6 || size == 3u + count;
  if (function <= 6) return size == 6;
  if (function == 15 || function == 16) return size == 6 || (size > 7 && bytes[12] + 7u == size);
  return true;
}

// What is there of a header fits.
bool MayBeHeader(Bytes bytes) {
  base::ByteCursor cursor(bytes);
  cursor.Skip(2);
  const std::uint16_t protocol = cursor.U16();
  if (!cursor.ok()) return bytes.size() < 3 || bytes[2] == 0;
  const std::uint16_t length = cursor.U16();
  if (!cursor.ok()) return protocol == 0 && (bytes.size() < 5 || bytes[4] == 0);
  return protocol == 0 && length >= kLeastLength && length <= kMaxLength;
}

Verdict Match(const Payload& payload) {
  Header header;
  if (payload.bytes.size() < 8) {
    return payload.is_start && MayBeHeader(payload.bytes) ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  if (!ReadHeader(payload.bytes, header)) return Verdict::kNo;
  const bool is_whole = payload.bytes.size() >= 6 + header.length;
  if (!is_whole) return payload.is_start ? MoreUnlessLast(payload) : Verdict::kNo;
  if (!IsPlausible(payload.bytes, header)) return Verdict::kNo;
  if (payload.HasPort(kPort)) return Verdict::kYes;
  // On another port both sides must speak of one transaction.
  Header other;
  if (ReadHeader(payload.other, other) && IsPlausible(payload.other, other) &&
      other.transaction == header.transaction &&
      (other.function & 0x7F) == (header.function & 0x7F)) {
    return Verdict::kYes;
  }
  const bool is_all = payload.bytes.size() == 6 + header.length;
  return is_all ? MoreUnlessLast(payload) : Verdict::kNo;
}

std::size_t SizeOf(Bytes bytes) {
  Header header;
  if (bytes.size() < 8) return 0;
  return ReadHeader(bytes, header) ? 6 + header.length : kBrokenFrame;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadFrames(payload, SizeOf, [&](Bytes bytes) {
    Header header;
    if (!ReadHeader(bytes, header)) return ParseNext::kDone;
    const bool is_exception = (header.function & 0x80) != 0;
    if (is_exception && bytes.size() > 8) {
      SetFirstNumber(findings, MetadataField::kResponse, "exception", bytes[8]);
    }
    findings.SetFirst(MetadataField::kRequest, FunctionName(header.function & 0x7F));
    return ParseNext::kMore;
  });
}

}  // namespace

constinit const Parser kModbusParser = {
    .application = Application::kModbus,
    .match = Match,
    .parse = Parse,
};

}  // namespace nta::internal
