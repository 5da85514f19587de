#include <string>

#include "app/ber.h"
#include "app/rows.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  v1, v2c: SEQUENCE { version INTEGER, community OCTET STRING, PDU [0] to [8] }
//  v3:      SEQUENCE { version INTEGER 3,
//                      SEQUENCE { id, max size, flags OCTET STRING (1), security model },
//                      security parameters OCTET STRING, scoped PDU }
//  PDU:     { request id, error status, error index, bindings }   (a v1 trap has others)
struct Header {
  std::int64_t version = -1;
  std::uint8_t pdu_tag = 0;  // 0: v3, whose PDU may be encrypted
  Bytes pdu;
  Bytes security;  // v3: user-based security parameters
};

bool ReadVersion3(base::ByteCursor& cursor, Header& header) {
  const auto global = ReadBer(cursor, kBerSequence);
  if (!global) return false;
  base::ByteCursor fields(global->content);
  if (!ReadBerInteger(fields) || !ReadBerInteger(fields)) return false;
  const auto flags = ReadBer(fields, kBerOctetString);
  if (!flags || flags->size != 1 || !ReadBerInteger(fields)) return false;
  const auto security = ReadBer(cursor, kBerOctetString);
  if (!security) return false;
  header.security = security->content;
  return true;
}

bool ReadHeader(Bytes bytes, std::size_t wire_bytes, Header& header) {
  base::ByteCursor outer(bytes);
  const auto message = ReadBer(outer);
  if (!message || message->tag != kBerSequence || message->size > wire_bytes) return false;
  base::ByteCursor cursor(message->content);
  header.version = ReadBerInteger(cursor).value_or(-1);
  if (header.version == 3) return ReadVersion3(cursor, header);
  if (header.version != 0 && header.version != 1 && header.version != 2) return false;
  const auto community = ReadBer(cursor, kBerOctetString);
  const auto pdu = ReadBer(cursor);
  if (!community || !pdu || pdu->tag < 0xA0 || pdu->tag > 0xA8) return false;
  header.pdu_tag = pdu->tag;
  header.pdu = pdu->content;
  return true;
}

std::string_view PduName(std::uint8_t tag) {
  constexpr std::string_view kNames[] = {"get",      "get_next", "response", "set",   "trap",
                                         "get_bulk", "inform",   "trap",     "report"};
  return tag >= 0xA0 && tag <= 0xA8 ? kNames[tag - 0xA0] : "";
}

// UsmSecurityParameters: { engine id, boots, time, user name, ... }
void ReadUser(Bytes security, Findings& findings) {
  base::ByteCursor outer(security);
  const auto sequence = ReadBer(outer, kBerSequence);
  if (!sequence) return;
  base::ByteCursor cursor(sequence->content);
  if (!ReadBer(cursor, kBerOctetString) || !ReadBerInteger(cursor) || !ReadBerInteger(cursor))
    return;
  const auto user = ReadBer(cursor, kBerOctetString);
  if (user) SetFirst(findings, MetadataField::kUserName, user->content);
}

bool IsSnmp(const Payload& payload) {
  Header header;
  if (!ReadHeader(payload.bytes, payload.wire_size(), header)) return false;
  if (header.version == 3) return true;
  base::ByteCursor pdu(header.pdu);
  const auto first = ReadBer(pdu);
  // A v1 trap begins with the enterprise's object identifier, others with the request id.
  return first && first->tag == (header.pdu_tag == 0xA4 ? 0x06 : kBerInteger);
}

void ReadSnmp(const Payload& payload, Findings& findings) {
  Header header;
  if (!ReadHeader(payload.bytes, payload.bytes.size(), header)) return;
  constexpr std::string_view kVersions[] = {"SNMPv1", "SNMPv2c", "SNMPv2", "SNMPv3"};
  SetFirst(findings, MetadataField::kClientVersion, kVersions[header.version]);
  ReadUser(header.security, findings);
  const std::string_view name = PduName(header.pdu_tag);
  if (header.pdu_tag != 0xA2 && header.pdu_tag != 0xA8) {
    SetFirst(findings, MetadataField::kRequest, name);
    return;
  }
  base::ByteCursor pdu(header.pdu);
  if (!ReadBer(pdu)) return;
  const auto status = ReadBerInteger(pdu);
  if (!status) return;
  SetFirst(findings, MetadataField::kResponse,
           *status == 0 ? std::string("no_error") : "error " + std::to_string(*status));
}

}  // namespace

constinit const Parser kSnmpParser = {
    .application = Application::kSnmp,
    .match = MatchEach<IsSnmp>,
    .parse = ReadEach<ReadSnmp>,
    .first_bytes = FirstBytes::Of({kBerSequence}),
};

}  // namespace nta::internal
