#include "audit/record_codec.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string_view>

#include "base/status.h"
#include "base/utf8.h"

namespace nta {
namespace {

constexpr std::array<std::string_view, 4> kOutcomes = {"begun", "done", "refused", "failed"};

}  // namespace

std::string_view ToString(AuditOutcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

absl::StatusOr<AuditOutcome> ParseAuditOutcome(std::string_view name) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    if (name == kOutcomes[i]) return static_cast<AuditOutcome>(i);
  }
  return base::InvalidArgument("unknown outcome (begun, done, refused, failed)");
}

namespace audit {
namespace {

constexpr std::size_t kMaxDetails = 16;

template <typename T>
void Append(T value, std::vector<std::uint8_t>& out) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i) & 0xFF));
  }
}

template <typename T>
T Load(Bytes bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = sizeof(T); i > 0; --i) {
    value = static_cast<T>(static_cast<std::uint64_t>(value) << 8 | bytes[offset + i - 1]);
  }
  return value;
}

void AppendText(std::string_view text, std::vector<std::uint8_t>& out) {
  Append(static_cast<std::uint16_t>(text.size()), out);
  out.insert(out.end(), text.begin(), text.end());
}

// Takes texts off the front of a body.
class TextCursor {
 public:
  explicit TextCursor(Bytes bytes) : bytes_(bytes) {}

  bool Take(std::string_view& text) {
    if (bytes_.size() < 2) return false;
    const std::size_t size = Load<std::uint16_t>(bytes_, 0);
    if (bytes_.size() - 2 < size) return false;
    text = {reinterpret_cast<const char*>(bytes_.data()) + 2, size};
    bytes_ = bytes_.subspan(2 + size);
    return true;
  }
  bool TakePrintable(std::string_view& text) { return Take(text) && base::IsPrintableUtf8(text); }
  bool ended() const { return bytes_.empty(); }

 private:
  Bytes bytes_;
};

bool AreTextsCanonical(Bytes body) {
  TextCursor texts(body.subspan(kHeadBytes));
  std::string_view text;
  for (int i = 0; i < 5; ++i) {
    if (!texts.TakePrintable(text)) return false;
  }
  const std::size_t details = Load<std::uint16_t>(body, 6);
  std::string_view last;
  for (std::size_t i = 0; i < details; ++i) {
    std::string_view name;
    if (!texts.TakePrintable(name) || name <= last || !texts.TakePrintable(text)) return false;
    last = name;
  }
  return texts.ended();
}

Digest LoadDigest(Bytes bytes, std::size_t offset) {
  Digest digest;
  std::memcpy(digest.data(), bytes.data() + offset, digest.size());
  return digest;
}

}  // namespace

std::uint64_t RawRecord::sequence() const { return Load<std::uint64_t>(bytes, 8); }
Timestamp RawRecord::time() const {
  return Timestamp(Duration(static_cast<std::int64_t>(Load<std::uint64_t>(bytes, 16))));
}
Digest RawRecord::digest() const { return LoadDigest(bytes, bytes.size() - kTailBytes); }
Digest RawRecord::seal() const { return LoadDigest(bytes, bytes.size() - kTailBytes + 32); }

AuditEvent Canonical(AuditEvent event) {
  event.actor = base::EscapedUtf8(event.actor, 128);
  event.role = base::EscapedUtf8(event.role, 32);
  event.address = base::EscapedUtf8(event.address, 64);
  event.act = base::EscapedUtf8(event.act, 64);
  event.target = base::EscapedUtf8(event.target, 1024);
  std::map<std::string, std::string> details;
  for (const auto& [name, value] : event.details) {
    details[base::EscapedUtf8(name.empty() ? "detail" : name, 64)] = base::EscapedUtf8(value, 512);
  }
  if (details.size() > kMaxDetails) {
    const std::size_t more = details.size() - (kMaxDetails - 1);
    while (details.size() > kMaxDetails - 1) details.erase(std::prev(details.end()));
    details["more_details"] = std::to_string(more);
  }
  event.details.assign(details.begin(), details.end());
  return event;
}

std::vector<std::uint8_t> EncodeBody(RecordKind kind, std::uint64_t sequence,
                                     const AuditEvent& event) {
  std::vector<std::uint8_t> body;
  body.reserve(512);
  Append(std::uint32_t{0}, body);
  body.push_back(static_cast<std::uint8_t>(kind));
  body.push_back(static_cast<std::uint8_t>(event.outcome));
  Append(static_cast<std::uint16_t>(event.details.size()), body);
  Append(sequence, body);
  Append(static_cast<std::uint64_t>(event.time.time_since_epoch().count()), body);
  Append(event.about, body);
  for (const std::string* text :
       {&event.actor, &event.role, &event.address, &event.act, &event.target}) {
    AppendText(*text, body);
  }
  for (const auto& [name, value] : event.details) {
    AppendText(name, body);
    AppendText(value, body);
  }
  const auto bytes = static_cast<std::uint32_t>(body.size() + kTailBytes);
  for (std::size_t i = 0; i < 4; ++i) body[i] = static_cast<std::uint8_t>(bytes >> (8 * i) & 0xFF);
  return body;
}

void AppendTail(const Digest& digest, const Digest& seal, std::vector<std::uint8_t>& record) {
  record.insert(record.end(), digest.begin(), digest.end());
  record.insert(record.end(), seal.begin(), seal.end());
  Append(static_cast<std::uint32_t>(record.size() + 4), record);
}

Parsed ParseRecord(Bytes bytes, RawRecord& record) {
  if (bytes.size() < 4) return Parsed::kTooShort;
  const std::size_t size = Load<std::uint32_t>(bytes, 0);
  if (size < kMinRecordBytes || size > kMaxRecordBytes) return Parsed::kMalformed;
  if (bytes.size() < size) return Parsed::kTooShort;
  record.bytes = bytes.first(size);
  const std::uint8_t kind = bytes[4];
  const bool known = (kind == 1 || kind == 2) && bytes[5] < kOutcomes.size();
  if (!known || Load<std::uint32_t>(bytes, size - 4) != size || !AreTextsCanonical(record.body())) {
    return Parsed::kMalformed;
  }
  return Parsed::kRecord;
}

AuditRecord DecodeRecord(const RawRecord& raw) {
  AuditRecord record;
  record.sequence = raw.sequence();
  AuditEvent& event = record.event;
  event.time = raw.time();
  event.outcome = static_cast<AuditOutcome>(raw.bytes[5]);
  event.about = Load<std::uint64_t>(raw.bytes, 24);
  TextCursor texts(raw.body().subspan(kHeadBytes));
  std::string_view text;
  for (std::string* field :
       {&event.actor, &event.role, &event.address, &event.act, &event.target}) {
    texts.Take(text);
    *field = text;
  }
  while (!texts.ended()) {
    std::string_view value;
    if (!texts.Take(text) || !texts.Take(value)) break;
    event.details.emplace_back(text, value);
  }
  return record;
}

std::size_t SizeFromTail(Bytes bytes) {
  if (bytes.size() < 4) return 0;
  const std::size_t size = Load<std::uint32_t>(bytes, bytes.size() - 4);
  return size >= kMinRecordBytes && size <= kMaxRecordBytes ? size : 0;
}

}  // namespace audit
}  // namespace nta
