#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  <?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client' ...>    (RFC 6120)
//  <starttls/>, <proceed/>                 <auth mechanism='PLAIN'>secret</auth>, <success/>,
//  <failure>
enum Memory : std::size_t { kAuthAsked = 0, kTlsAsked = 1 };
constexpr std::string_view kStream = "<stream:stream";
constexpr std::string_view kDeclaration = "<?xml";

Verdict Match(const Payload& payload) {
  const std::string_view text = payload.text().substr(0, 512);
  const bool starts = text.starts_with(kStream) || text.starts_with(kDeclaration);
  if (!starts) {
    const bool may_be = kStream.starts_with(text) || kDeclaration.starts_with(text);
    return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  const std::size_t at = text.find(kStream);
  if (at == std::string_view::npos)
    return text.size() < 128 ? MoreUnlessLast(payload) : Verdict::kNo;
  const std::string_view rest = text.substr(at);
  if (rest.find("etherx.jabber.org") < rest.size() || rest.find("jabber:") < rest.size())
    return Verdict::kYes;
  return rest.find('>') < rest.size() ? Verdict::kNo : MoreUnlessLast(payload);
}

// The value of ` name='...'` or with double quotes, in the first tag of `text`.
std::string_view Attribute(std::string_view text, std::string_view name) {
  text = text.substr(0, text.find('>'));
  for (std::size_t at = text.find(name); at < text.size(); at = text.find(name, at + 1)) {
    const std::string_view rest = text.substr(at + name.size());
    if (at == 0 || text[at - 1] != ' ' || rest.size() < 3 || rest[0] != '=') continue;
    const std::string_view value = rest.substr(2);
    return value.substr(0, value.find(rest[1]));
  }
  return {};
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  const std::string_view text = payload.text();
  // Half a tag is waited for.
  if (text.back() != '>' && !payload.is_last && text.size() < kMaxLineBytes)
    return {0, ParseNext::kMore};
  ParserMemory& memory = findings.memory();
  const auto has = [&](std::string_view tag) { return text.find(tag) < text.size(); };
  if (const std::size_t at = text.find(kStream); at < text.size()) {
    findings.SetFirst(MetadataField::kServerName,
                      Attribute(text.substr(at), payload.is_forward ? "to" : "from"));
  }
  if (has("<starttls") && payload.is_forward) memory[kTlsAsked] = 1;
  if (memory[kTlsAsked] != 0 && has("<proceed")) return Read(payload, ParseNext::kRestart);
  if (has("<auth ") || has("<authenticate ") || has("<response ")) memory[kAuthAsked] = 1;
  if (memory[kAuthAsked] == 0 || (!has("<success") && !has("<failure"))) {
    return Read(payload, ParseNext::kMore);
  }
  memory[kAuthAsked] = 0;
  findings.Count(has("<success") ? MetadataField::kLoginSuccesses : MetadataField::kLoginFailures);
  return Read(payload, has("<success") ? ParseNext::kDone : ParseNext::kMore);
}

}  // namespace

constinit const Parser kXmppParser = {
    .application = Application::kXmpp,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("<"),
    .patience = 2,
};

}  // namespace nta::internal
