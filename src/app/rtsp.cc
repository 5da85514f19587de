#include <algorithm>
#include <array>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  DESCRIBE rtsp://example.org/stream RTSP/1.0      RTSP/1.0 401 Unauthorized     (RFC 7826)
//   The path may hold a password, so it is not kept.
enum Memory : std::size_t { kHadCredentials = 0 };

constexpr std::array<std::string_view, 11> kMethods = {
    "OPTIONS",  "DESCRIBE", "ANNOUNCE",      "SETUP",         "PLAY",    "PAUSE",
    "TEARDOWN", "RECORD",   "GET_PARAMETER", "SET_PARAMETER", "REDIRECT"};

bool IsRequestLine(std::string_view line) {
  const std::string_view method = TakeWord(line);
  return std::ranges::find(kMethods, method) != kMethods.end() &&
         (line.ends_with(" RTSP/1.0") || line.ends_with(" RTSP/2.0"));
}

Verdict Match(const Payload& payload) {
  LineReader lines(payload.bytes);
  if (const auto line = lines.Next()) {
    return YesIf(IsRequestLine(*line) || line->starts_with("RTSP/1.0 ") ||
                 line->starts_with("RTSP/2.0 "));
  }
  if (!payload.is_start || payload.text().size() > 1024) return Verdict::kNo;
  std::string_view rest = payload.text();
  const std::string_view word = TakeWord(rest);
  const bool may_be =
      std::ranges::any_of(kMethods, [&](std::string_view m) { return m.starts_with(word); }) ||
      std::string_view("RTSP/1.0").starts_with(word);
  return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
}

std::string_view HostIn(std::string_view url) {
  if (!StartsWithIgnoreCase(url, "rtsp")) return {};
  const std::size_t at = url.find("://");
  if (at == std::string_view::npos) return {};
  std::string_view host = url.substr(at + 3);
  host = host.substr(0, host.find_first_of("/ ?"));
  const std::size_t user_end = host.rfind('@');
  if (user_end != std::string_view::npos) host.remove_prefix(user_end + 1);
  return host.starts_with('[') ? host : host.substr(0, host.find(':'));
}

void ReadResponse(std::string_view message, Findings& findings) {
  const std::string_view status = message.substr(9, 3);
  if (!ParseDigits(status)) return;
  findings.Set(MetadataField::kResponse, status);
  findings.SetFirst(MetadataField::kServerVersion, FindHeader(message, "Server"));
  std::uint32_t& had_credentials = findings.memory()[kHadCredentials];
  if (had_credentials != 0 && status == "401") findings.Count(MetadataField::kLoginFailures);
  if (had_credentials == 1 && status == "200") findings.Count(MetadataField::kLoginSuccesses);
  had_credentials = status == "200" && had_credentials != 0 ? 2 : 0;  // counted once
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  const std::string_view text = payload.text();
  const bool is_complete = text.find("\r\n\r\n") != std::string_view::npos;
  if (!is_complete && !payload.is_last && text.size() < kMaxLineBytes) return {0, ParseNext::kMore};
  if (text.starts_with("RTSP/")) {
    if (text.size() >= 12) ReadResponse(text, findings);
    return Read(payload, ParseNext::kMore);
  }
  LineReader lines(text);
  std::string_view line = lines.Next().value_or(std::string_view());
  if (!IsRequestLine(line)) return Read(payload, ParseNext::kMore);
  findings.SetFirst(MetadataField::kRequest, TakeWord(line));
  findings.SetFirst(MetadataField::kServerName, HostIn(line));
  findings.SetFirst(MetadataField::kUserAgent, FindHeader(text, "User-Agent"));
  std::uint32_t& had_credentials = findings.memory()[kHadCredentials];
  if (!FindHeader(text, "Authorization").empty() && had_credentials == 0) had_credentials = 1;
  return Read(payload, ParseNext::kMore);
}

}  // namespace

constinit const Parser kRtspParser = {
    .application = Application::kRtsp,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("ODASPTRG"),
    .patience = 2,
};

}  // namespace nta::internal
