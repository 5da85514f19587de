#include "app/ntlm.h"

#include <string>

#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  | "NTLMSSP", 0 | type (32) | ...                  little endian; a field is
//  challenge (2):    target name, flags, challenge, ...       | length | room | offset (32) |
//  authenticate (3): two responses, domain, user, workstation, key, flags, ...
//   The responses are as good as passwords to who guesses: never kept.
constexpr std::uint32_t kUnicode = 1;

Bytes ReadField(Bytes message, base::ByteCursor& cursor) {
  const std::size_t length = cursor.U16LittleEndian();
  cursor.Skip(2);
  const std::size_t offset = cursor.U32LittleEndian();
  if (!cursor.ok() || offset > message.size() || length > message.size() - offset) return {};
  return message.subspan(offset, length);
}

void SetName(Findings& findings, MetadataField field, Bytes value, bool is_unicode) {
  if (is_unicode) {
    SetFirstUtf16(findings, field, value);
  } else {
    SetFirst(findings, field, value);
  }
}

void ReadAuthenticate(Bytes message, base::ByteCursor cursor, Findings& findings) {
  cursor.Skip(16);
  const Bytes domain = ReadField(message, cursor);
  const Bytes user = ReadField(message, cursor);
  const Bytes workstation = ReadField(message, cursor);
  cursor.Skip(8);
  const bool is_unicode = (cursor.U32LittleEndian() & kUnicode) != 0 || !cursor.ok();
  SetName(findings, MetadataField::kHostName, workstation, is_unicode);
  if (user.empty() || !findings.Get(MetadataField::kUserName).empty()) return;
  const auto text = [is_unicode](Bytes name) {
    return is_unicode ? Utf16ToText(name) : std::string(AsText(name));
  };
  std::string name = domain.empty() ? std::string() : text(domain) + '\\';
  name += text(user);
  findings.SetFirst(MetadataField::kUserName, name);
}

}  // namespace

NtlmMessage ReadNtlm(Bytes bytes, Findings& findings) {
  const std::size_t at = AsText(bytes).find(kNtlmMark);
  if (at == std::string_view::npos) return NtlmMessage::kNone;
  const Bytes message = bytes.subspan(at);
  base::ByteCursor cursor(message);
  cursor.Skip(kNtlmMark.size());
  const std::uint32_t type = cursor.U32LittleEndian();
  if (type < 1 || type > 3) return NtlmMessage::kNone;
  const auto kind = static_cast<NtlmMessage>(type);
  if (kind == NtlmMessage::kAuthenticate) ReadAuthenticate(message, cursor, findings);
  if (kind == NtlmMessage::kChallenge) {
    const Bytes target = ReadField(message, cursor);
    const bool is_unicode = (cursor.U32LittleEndian() & kUnicode) != 0;
    SetName(findings, MetadataField::kServerName, target, is_unicode);
  }
  return kind;
}

}  // namespace nta::internal
