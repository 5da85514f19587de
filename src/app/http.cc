//  Request (RFC 9112)                    Response
//  METHOD SP target SP HTTP/1.x CRLF     HTTP/1.x SP status SP [reason] CRLF
//  Name: value CRLF ... CRLF             Name: value CRLF ... CRLF
//
//  HTTP/2 (RFC 9113 3.4): "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", then frames:
//  | length (3) | type | flags | stream (4) | ...; the server begins with SETTINGS (type 4)
#include "app/http.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

namespace nta::internal {
namespace {

using Text = std::string_view;

// A request line longer than this is taken as it is.
constexpr std::size_t kMaxLine = 8192;
constexpr auto kHostValidity = std::chrono::hours(1);

constexpr auto kMethods = std::to_array<Text>(
    {"GET",         "POST",     "HEAD",       "PUT",         "DELETE",       "OPTIONS",
     "CONNECT",     "PATCH",    "TRACE",      "PROPFIND",    "REPORT",       "PROPPATCH",
     "MKCOL",       "COPY",     "MOVE",       "LOCK",        "UNLOCK",       "SEARCH",
     "MERGE",       "CHECKOUT", "MKACTIVITY", "RPC_IN_DATA", "RPC_OUT_DATA", "SUBSCRIBE",
     "UNSUBSCRIBE", "NOTIFY",   "BPROPFIND",  "BPROPPATCH",  "PURGE",        "QUERY",
     "CCM_POST"});

constexpr Text kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class Seen : std::uint32_t { kRequest = 1, kResponse = 2, kConnect = 4, kTunnel = 8 };
constexpr bool Has(std::uint32_t flags, Seen flag) {
  return (flags & static_cast<std::uint32_t>(flag)) != 0;
}
constexpr void Add(std::uint32_t& flags, Seen flag) { flags |= static_cast<std::uint32_t>(flag); }

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsNoCase(Text a, Text lower_b) { return std::ranges::equal(a, lower_b, {}, Lower); }

bool ContainsNoCase(Text text, Text lower_part) {
  const auto is_same = [](char a, char b) { return Lower(a) == b; };
  return std::search(text.begin(), text.end(), lower_part.begin(), lower_part.end(), is_same) !=
         text.end();
}

Text Trim(Text text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The first line without its end; `is_complete`: whether that was there. Removes it from `text`.
Text TakeLine(Text& text, bool& is_complete) {
  const std::size_t end = text.find('\n');
  is_complete = end != Text::npos;
  Text line = text.substr(0, end);
  text.remove_prefix(is_complete ? end + 1 : text.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// What stands before the first space, when that is a method or its beginning.
enum class MethodMatch : std::uint8_t { kNo, kPart, kWhole };
MethodMatch MatchMethod(Text text) {
  if (text.starts_with("GET ") || text.starts_with("POST ")) return MethodMatch::kWhole;
  const Text word = text.substr(0, text.find(' '));
  const bool is_whole = word.size() < text.size();
  for (const Text method : kMethods) {
    if (method[0] != text[0]) continue;
    if (is_whole ? word == method : method.starts_with(word)) {
      return is_whole ? MethodMatch::kWhole : MethodMatch::kPart;
    }
  }
  return MethodMatch::kNo;
}

bool IsVersion(Text word) {
  return word.size() == 8 && word.starts_with("HTTP/1.") && word[7] >= '0' && word[7] <= '9';
}

Verdict MatchResponse(Text text) {
  constexpr Text kStart = "HTTP/1.";
  if (text.size() < 12) {
    const std::size_t size = std::min(text.size(), kStart.size());
    return text.substr(0, size) == kStart.substr(0, size) ? Verdict::kNeedMore : Verdict::kNo;
  }
  const bool has_status = text[8] == ' ' && text[9] >= '1' && text[9] <= '9' && text[10] >= '0' &&
                          text[10] <= '9' && text[11] >= '0' && text[11] <= '9';
  return IsVersion(text.substr(0, 8)) && has_status ? Verdict::kYes : Verdict::kNo;
}

Verdict MatchHttp(const Payload& payload) {
  Text text = payload.text();
  if (text[0] == 'H' && text.size() > 1 && text[1] == 'T') return MatchResponse(text);
  const MethodMatch method = MatchMethod(text);
  if (method == MethodMatch::kNo) return text[0] == 'H' ? MatchResponse(text) : Verdict::kNo;
  if (method == MethodMatch::kPart) return payload.is_last ? Verdict::kNo : Verdict::kNeedMore;
  bool is_complete = false;
  const Text line = TakeLine(text, is_complete);
  // The last word of the line tells HTTP from RTSP, SIP and others that look like it.
  if (is_complete)
    return IsVersion(line.substr(line.rfind(' ') + 1)) ? Verdict::kYes : Verdict::kNo;
  const Text target = line.substr(line.find(' ') + 1);
  if (!payload.is_last && line.size() <= kMaxLine) return Verdict::kNeedMore;
  const bool looks_like_one = target.starts_with('/') || target.starts_with("http://");
  return looks_like_one ? Verdict::kYes : Verdict::kNo;
}

// Calls use(name, value) for each complete header line; true when the empty line was reached.
template <typename Use>
bool ForEachHeader(Text& text, Use use) {
  while (!text.empty()) {
    bool is_complete = false;
    const Text line = TakeLine(text, is_complete);
    if (!is_complete) return false;
    if (line.empty()) return true;
    const std::size_t colon = line.find(':');
    if (colon != Text::npos) use(line.substr(0, colon), Trim(line.substr(colon + 1)));
  }
  return false;
}

// "example.com:8080" -> "example.com"; "[2001:db8::1]:80" -> "2001:db8::1".
Text WithoutPort(Text host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  const std::size_t colon = host.rfind(':');
  // More than one colon: an address of version 6.
  if (colon == Text::npos || host.find(':') != colon) return host;
  return host.substr(0, colon);
}

void SetHost(Text host, const Payload& payload, Findings& findings) {
  const Text name = WithoutPort(host);
  if (name.empty()) return;
  findings.SetFirst(MetadataField::kServerName, name);
  // An address is no name; a request through a proxy names another server than the destination.
  const bool is_address =
      name.find_first_not_of("0123456789.") == Text::npos || name.find(':') != Text::npos;
  if (!is_address && findings.Get(MetadataField::kHttpPath).starts_with('/')) {
    findings.LearnName(payload.packet.destination, name, NameSource::kHttp, kHostValidity);
  }
}

void ReadRequest(Text head, const Payload& payload, Findings& findings) {
  bool is_complete = false;
  const Text line = TakeLine(head, is_complete);
  const std::size_t method_end = line.find(' ');
  if (method_end == Text::npos) return;
  const Text method = line.substr(0, method_end);
  Text target = line.substr(method_end + 1);
  if (is_complete) target = target.substr(0, target.rfind(' '));
  findings.Set(MetadataField::kHttpMethod, method);
  findings.Set(MetadataField::kHttpPath, target);
  if (method == "CONNECT") {
    Add(findings.memory()[0], Seen::kConnect);
    findings.Set(MetadataField::kServerName, WithoutPort(target));
  }
  ForEachHeader(head, [&](Text name, Text value) {
    if (EqualsNoCase(name, "host")) SetHost(value, payload, findings);
    if (EqualsNoCase(name, "user-agent")) findings.Set(MetadataField::kUserAgent, value);
  });
}

// 1xx are followed by the response proper, but for 101, which ends HTTP/1.
bool ReadResponse(Text head, Findings& findings) {
  bool is_complete = false;
  const Text line = TakeLine(head, is_complete);
  const Text status = line.substr(std::min<std::size_t>(9, line.size()), 3);
  if (status.starts_with('1') && status != "101") return false;
  findings.Set(MetadataField::kHttpStatus, status);
  if (status.starts_with('2') && Has(findings.memory()[0], Seen::kConnect)) {
    Add(findings.memory()[0], Seen::kTunnel);
  }
  ForEachHeader(head, [&](Text name, Text value) {
    if (EqualsNoCase(name, "content-type")) findings.Set(MetadataField::kContentType, value);
    if (status != "101" || !EqualsNoCase(name, "upgrade")) return;
    if (ContainsNoCase(value, "websocket")) findings.SetApplication(Application::kWebsocket);
    if (ContainsNoCase(value, "h2c")) findings.SetApplication(Application::kHttp2);
  });
  return true;
}

// The size of the head, its empty line included; npos while that is missing.
std::size_t HeadSize(Text text) {
  std::size_t line = 0;
  while (true) {
    const std::size_t end = text.find('\n', line);
    if (end == Text::npos) return Text::npos;
    const std::size_t size = end - line;
    if (size == 0 || (size == 1 && text[line] == '\r')) return end + 1;
    line = end + 1;
  }
}

ParseResult ParseHttp(const Payload& payload, Findings& findings) {
  std::uint32_t& seen = findings.memory()[0];
  Text text = payload.text();
  std::size_t consumed = 0;
  while (!text.empty()) {
    const bool is_response = text.starts_with("HTTP/");
    const bool is_expected =
        is_response ? !Has(seen, Seen::kResponse)
                    : !Has(seen, Seen::kRequest) && MatchMethod(text) != MethodMatch::kNo;
    // Bodies, and what follows the first exchange.
    if (!is_expected) {
      consumed = payload.bytes.size();
      break;
    }
    std::size_t size = HeadSize(text);
    if (size == Text::npos) {
      if (!payload.is_last) break;
      size = text.size();
    }
    const Text head = text.substr(0, size);
    if (!is_response) {
      ReadRequest(head, payload, findings);
      Add(seen, Seen::kRequest);
    } else if (ReadResponse(head, findings)) {
      Add(seen, Seen::kResponse);
    }
    consumed += size;
    text.remove_prefix(size);
    if (Has(seen, Seen::kTunnel)) return {consumed, ParseNext::kRestart};
    if (Has(seen, Seen::kResponse)) return {payload.bytes.size(), ParseNext::kDone};
  }
  return {consumed, ParseNext::kMore};
}

bool IsHttp2Settings(const Payload& payload) {
  const auto bytes = payload.bytes;
  if (bytes.size() < 9) return false;
  const std::size_t length = static_cast<std::size_t>(bytes[1]) << 8 | bytes[2];
  const bool is_frame = bytes[0] == 0 && bytes[3] == 4 && bytes[4] <= 1 && bytes[5] == 0 &&
                        bytes[6] == 0 && bytes[7] == 0 && bytes[8] == 0;
  // Six bytes a setting, of which there are few; an empty frame alone is too little to go by.
  return is_frame && length > 0 && length % 6 == 0 && length <= 96 && bytes.size() >= 9 + length;
}

Verdict MatchHttp2(const Payload& payload) {
  const Text text = payload.text();
  if (text[0] == 0) return IsHttp2Settings(payload) ? Verdict::kYes : Verdict::kNo;
  const std::size_t size = std::min(text.size(), kPreface.size());
  if (text.substr(0, size) != kPreface.substr(0, size)) return Verdict::kNo;
  if (size == kPreface.size() || (payload.is_last && size >= 14)) return Verdict::kYes;
  return Verdict::kNeedMore;
}

}  // namespace

constinit const Parser kHttpParser = {
    .application = Application::kHttp,
    .match = MatchHttp,
    .parse = ParseHttp,
    .first_bytes = FirstBytes::Chars("GPHDOCTMLUSRNBQ"),
};

constinit const Parser kHttp2Parser = {
    .application = Application::kHttp2,
    .match = MatchHttp2,
    .first_bytes = FirstBytes::Of({0, 'P'}),
};

}  // namespace nta::internal
