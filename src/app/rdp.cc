#include "app/rows.h"
#include "app/text.h"
#include "app/tpkt.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  X.224 request:  "Cookie: mstshash=user", end of line | 1 | flags | 8 (16) | protocols (32) |
//  X.224 confirm:  | 2 | flags | 8 | chosen protocol |  or  | 3 | flags | 8 | failure |
//                                                       little endian (MS-RDPBCGR 2.2.1.1, 2.2.1.2)
constexpr std::string_view kCookie = "Cookie: ";
constexpr std::string_view kUser = "mstshash=";
constexpr std::uint8_t kNegotiationRequest = 1;
constexpr std::uint8_t kNegotiationFailure = 3;

struct Negotiation {
  std::uint8_t type = 0;
  std::uint32_t value = 0;
};

bool ReadNegotiation(Bytes bytes, Negotiation& negotiation) {
  base::ByteCursor cursor(bytes);
  negotiation.type = cursor.U8();
  cursor.Skip(1);
  const std::uint16_t size = cursor.U16LittleEndian();
  negotiation.value = cursor.U32LittleEndian();
  return cursor.ok() && size == 8 && negotiation.type >= kNegotiationRequest &&
         negotiation.type <= kNegotiationFailure;
}

Bytes AfterCookie(Bytes parameters) {
  const std::size_t end = AsText(parameters).find("\r\n");
  return end == std::string_view::npos ? parameters : parameters.subspan(end + 2);
}

Verdict Match(const Payload& payload) {
  const auto packet = ReadTpkt(payload.bytes);
  if (!packet || packet->type == kX224Data) return Verdict::kNo;
  if (!packet->is_whole) return payload.bytes.size() < 512 ? MoreUnlessLast(payload) : Verdict::kNo;
  if (AsText(packet->parameters).starts_with(kCookie)) return Verdict::kYes;
  Negotiation negotiation;
  if (ReadNegotiation(packet->parameters, negotiation)) return Verdict::kYes;
  return YesIf(packet->parameters.empty() && payload.HasPort(3389));
}

std::string_view ProtocolName(std::uint32_t protocol) {
  switch (protocol) {
    case 0:
      return "rdp";
    case 1:
      return "tls";
    case 2:
      return "credssp";
    case 4:
      return "rdstls";
    case 8:
      return "credssp_early";
    default:
      return "";
  }
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  const auto packet = ReadTpkt(payload.bytes);
  // Without negotiation the old security begins, else TLS.
  if (!packet) return {0, ParseNext::kRestart};
  if (!packet->is_whole) {
    return payload.is_last ? Read(payload, ParseNext::kDone) : ParseResult{0, ParseNext::kMore};
  }
  Negotiation negotiation;
  if (packet->type == kX224Request) {
    const std::string_view text = AsText(packet->parameters);
    if (text.starts_with(kCookie) && text.substr(kCookie.size()).starts_with(kUser)) {
      const std::string_view name = text.substr(kCookie.size() + kUser.size());
      findings.SetFirst(MetadataField::kUserName, name.substr(0, name.find("\r\n")));
    }
    if (ReadNegotiation(AfterCookie(packet->parameters), negotiation)) {
      findings.SetFirst(MetadataField::kRequest, (negotiation.value & 2) != 0   ? "credssp"
                                                 : (negotiation.value & 1) != 0 ? "tls"
                                                                                : "rdp");
    }
    return {packet->size, ParseNext::kMore};
  }
  if (packet->type != kX224Confirm) return Read(payload, ParseNext::kDone);
  if (!ReadNegotiation(packet->parameters, negotiation)) {
    findings.SetFirst(MetadataField::kResponse, "rdp");
    return Read(payload, ParseNext::kDone);
  }
  if (negotiation.type == kNegotiationFailure) {
    SetFirstNumber(findings, MetadataField::kResponse, "failure", negotiation.value);
    return Read(payload, ParseNext::kDone);
  }
  findings.SetFirst(MetadataField::kResponse, ProtocolName(negotiation.value));
  return {packet->size, negotiation.value == 0 ? ParseNext::kDone : ParseNext::kRestart};
}

}  // namespace

constinit const Parser kRdpParser = {
    .application = Application::kRdp,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({3}),
};

}  // namespace nta::internal
