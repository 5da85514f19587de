#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  M-SEARCH * HTTP/1.1          NOTIFY * HTTP/1.1        HTTP/1.1 200 OK
//  MAN: "ssdp:discover"         NTS: ssdp:alive          ST: upnp:rootdevice
constexpr std::string_view kSearch = "M-SEARCH * HTTP/1.";
constexpr std::string_view kNotify = "NOTIFY * HTTP/1.";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\n";

bool IsSsdp(const Payload& payload) {
  const std::string_view text = AsText(payload.bytes);
  if (StartsWithIgnoreCase(text, kSearch) || StartsWithIgnoreCase(text, kNotify)) return true;
  return StartsWithIgnoreCase(text, kAnswer) &&
         (payload.HasPort(1900) || !FindHeader(text, "USN").empty());
}

void ReadSsdp(const Payload& payload, Findings& findings) {
  const std::string_view text = payload.text();
  if (StartsWithIgnoreCase(text, kAnswer)) {
    SetFirst(findings, MetadataField::kResponse, "200");
    SetFirst(findings, MetadataField::kServerVersion, FindHeader(text, "SERVER"));
    return;
  }
  SetFirst(findings, MetadataField::kRequest, text.substr(0, text.find(' ')));
  SetFirst(findings, MetadataField::kUserAgent, FindHeader(text, "USER-AGENT"));
  if (StartsWithIgnoreCase(text, kNotify)) {
    SetFirst(findings, MetadataField::kServerVersion, FindHeader(text, "SERVER"));
  }
}

}  // namespace

constinit const Parser kSsdpParser = {
    .application = Application::kSsdp,
    .match = MatchEach<IsSsdp>,
    .parse = ReadEach<ReadSsdp>,
    .first_bytes = FirstBytes::Chars("MNHmnh"),
};

}  // namespace nta::internal
