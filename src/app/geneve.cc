#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  GENEVE (RFC 8926)
//  +--+------+-+-+------+-----------------+
//  |ve|optlen|O|C| rsvd |  protocol type  |   version 0; option length in words
//  +--+------+-+-+------+-----------------+
//  |  network id (24)           | reserved |
//  +----------------------------+----------+
//  |  options, then the frame              |
constexpr std::uint16_t kPort = 6081;

bool IsGeneve(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t first = cursor.U8();
  const std::uint8_t flags = cursor.U8();
  const std::uint16_t protocol = cursor.U16();
  cursor.Skip(3);
  const std::uint8_t reserved = cursor.U8();
  const std::size_t option_bytes = (first & 0x3Fu) * 4;
  return cursor.ok() && first < 0x40 && (flags & 0x3F) == 0 && reserved == 0 &&
         protocol >= 0x0600 && 8 + option_bytes <= payload.wire_size() && payload.HasPort(kPort);
}

void ReadGeneve(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  cursor.Skip(4);
  SetFirstNumber(findings, MetadataField::kRequest, "network", cursor.U24());
}

}  // namespace

constinit const Parser kGeneveParser = {
    .application = Application::kGeneve,
    .match = MatchEach<IsGeneve>,
    .parse = ReadEach<ReadGeneve>,
    .first_bytes = FirstBytes::Range(0, 0x3F),
};

}  // namespace nta::internal
