#include <algorithm>
#include <array>
#include <optional>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  RFC 5424: <PRI>1 TIME HOST APP PROCESS MESSAGE-ID ...
//  RFC 3164: <PRI>Mmm dd hh:mm:ss HOST TAG: ...
constexpr std::uint32_t kMaxPriority = 191;

// What follows "<PRI>".
std::optional<std::string_view> AfterPriority(std::string_view text) {
  if (text.size() < 3 || text[0] != '<') return std::nullopt;
  const std::size_t end = text.substr(0, 5).find('>');
  if (end == std::string_view::npos) return std::nullopt;
  const auto priority = ParseDigits(text.substr(1, end - 1));
  if (!priority || *priority > kMaxPriority) return std::nullopt;
  return text.substr(end + 1);
}

bool StartsWithMonth(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan ", "Feb ", "Mar ", "Apr ",
                                                        "May ", "Jun ", "Jul ", "Aug ",
                                                        "Sep ", "Oct ", "Nov ", "Dec "};
  return std::ranges::find(kMonths, text.substr(0, 4)) != kMonths.end();
}

bool IsVersion1(std::string_view text) {
  return text.size() >= 3 && text.starts_with("1 ") && (IsDigit(text[2]) || text[2] == '-');
}

bool IsMessage(std::string_view text, bool has_port) {
  const auto rest = AfterPriority(text);
  if (!rest || rest->empty()) return false;
  if (IsVersion1(*rest) || StartsWithMonth(*rest)) return true;
  return has_port && IsPrintableAscii(rest->substr(0, 16));
}

// Octet counting: "123 <34>1 ...".
std::string_view WithoutCount(std::string_view text) {
  const std::size_t space = text.substr(0, 6).find(' ');
  if (space == std::string_view::npos || !ParseDigits(text.substr(0, space))) return text;
  return text.substr(space + 1);
}

bool IsSyslog(const Payload& payload) {
  return IsMessage(AsText(payload.bytes), payload.HasPort(514));
}

Verdict MatchStream(const Payload& payload) {
  const std::string_view text = WithoutCount(payload.text());
  if (IsMessage(text, payload.HasPort(514) || payload.HasPort(601))) return Verdict::kYes;
  const bool is_count = text.size() < 6 && std::ranges::all_of(text, IsDigit);
  const bool may_go_on =
      payload.is_start && text.size() < 10 && (text.empty() || text[0] == '<' || is_count);
  return may_go_on ? MoreUnlessLast(payload) : Verdict::kNo;
}

void ReadText(std::string_view text, Findings& findings) {
  auto rest = AfterPriority(text);
  if (!rest) return;
  if (IsVersion1(*rest)) {
    TakeWord(*rest);
    TakeWord(*rest);
    const std::string_view host = TakeWord(*rest);
    if (host != "-") SetFirst(findings, MetadataField::kHostName, host);
    const std::string_view program = TakeWord(*rest);
    if (program != "-") SetFirst(findings, MetadataField::kRequest, program);
    return;
  }
  constexpr std::size_t kTimeBytes = 16;  // "Jan  1 00:00:00 "
  if (!StartsWithMonth(*rest) || rest->size() <= kTimeBytes) return;
  rest->remove_prefix(kTimeBytes);
  const std::string_view host = TakeWord(*rest);
  // Many leave the host out: then the first word is the tag.
  if (host.ends_with(':')) return;
  SetFirst(findings, MetadataField::kHostName, host);
  const std::string_view tag = rest->substr(0, rest->find_first_of("[: "));
  SetFirst(findings, MetadataField::kRequest, tag);
}

void ReadSyslog(const Payload& payload, Findings& findings) { ReadText(payload.text(), findings); }

// A frame ends where its count says, or with its line.
std::size_t SizeOf(Bytes bytes) {
  const std::string_view text = AsText(bytes);
  if (!IsDigit(text[0])) {
    const std::size_t end = text.find('\n');
    return end == std::string_view::npos ? 0 : end + 1;
  }
  const std::size_t space = text.substr(0, 8).find(' ');
  if (space == std::string_view::npos) return text.size() < 8 ? 0 : kBrokenFrame;
  const auto count = ParseDigits(text.substr(0, space));
  return count ? space + 1 + *count : kBrokenFrame;
}

ParseResult ParseStream(const Payload& payload, Findings& findings) {
  return ReadFrames(payload, SizeOf, [&](Bytes bytes) {
    ReadText(WithoutCount(AsText(bytes)), findings);
    // Further ones say nothing new of the sender.
    return ParseNext::kDone;
  });
}

}  // namespace

constinit const Parser kSyslogParser = {
    .application = Application::kSyslog,
    .match = MatchEach<IsSyslog>,
    .parse = ReadEach<ReadSyslog>,
    .first_bytes = FirstBytes::Chars("<"),
};

constinit const Parser kSyslogStreamParser = {
    .application = Application::kSyslog,
    .match = MatchStream,
    .parse = ParseStream,
    .first_bytes = FirstBytes::Chars("<0123456789"),
};

}  // namespace nta::internal
