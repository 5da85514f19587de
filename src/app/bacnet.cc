#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  BACnet/IP (ASHRAE 135, annex J)
//  +--------+----------+-----------------+
//  | 0x81   | function | length, of all  |   4 forwarded (six bytes of address follow), 10 unicast,
//  +--------+----------+-----------------+   11 broadcast: a network message follows
//  | 0x01   | control  | addresses if control says so, then the application's message
constexpr std::uint8_t kType = 0x81;
constexpr std::uint8_t kForwarded = 0x04;
constexpr std::uint8_t kUnicast = 0x0A;
constexpr std::uint8_t kBroadcast = 0x0B;
constexpr std::uint8_t kLastFunction = 0x0C;

bool IsBacnet(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t type = cursor.U8();
  const std::uint8_t function = cursor.U8();
  const std::size_t length = cursor.U16();
  if (!cursor.ok() || type != kType || function > kLastFunction) return false;
  if (length != payload.wire_size()) return false;
  if (function == kForwarded) cursor.Skip(6);
  if (function == kForwarded || function == kUnicast || function == kBroadcast) {
    return cursor.U8() == 0x01 && cursor.ok();
  }
  return length >= 4 && length <= 1024;
}

void SkipAddress(base::ByteCursor& cursor) {
  cursor.Skip(2);
  cursor.Skip(cursor.U8());
}

void ReadBacnet(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  cursor.Skip(1);
  const std::uint8_t function = cursor.U8();
  cursor.Skip(2);
  if (function == kForwarded) cursor.Skip(6);
  cursor.Skip(1);
  const std::uint8_t control = cursor.U8();
  if (!cursor.ok() || (control & 0x80) != 0) return;
  if ((control & 0x20) != 0) SkipAddress(cursor);
  if ((control & 0x08) != 0) SkipAddress(cursor);
  if ((control & 0x20) != 0) cursor.Skip(1);
  const std::uint8_t pdu = cursor.U8();
  constexpr std::uint8_t kUnconfirmed = 1;
  constexpr std::uint8_t kConfirmed = 0;
  if (pdu >> 4 == kUnconfirmed) {
    const std::uint8_t service = cursor.U8();
    constexpr std::string_view kNames[] = {"i_am",
                                           "i_have",
                                           "cov_notification",
                                           "event_notification",
                                           "private_transfer",
                                           "text_message",
                                           "time_synchronization",
                                           "who_has",
                                           "who_is"};
    if (cursor.ok() && service < std::size(kNames)) {
      SetFirst(findings, MetadataField::kRequest, kNames[service]);
    }
  } else if (pdu >> 4 == kConfirmed) {
    cursor.Skip((pdu & 8) != 0 ? 4 : 2);
    const std::uint8_t service = cursor.U8();
    if (cursor.ok())
      SetFirstNumber(findings, MetadataField::kRequest, "confirmed service", service);
  }
}

}  // namespace

constinit const Parser kBacnetParser = {
    .application = Application::kBacnet,
    .match = MatchEach<IsBacnet>,
    .parse = ReadEach<ReadBacnet>,
    .first_bytes = FirstBytes::Of({kType}),
};

}  // namespace nta::internal
