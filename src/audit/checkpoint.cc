#include "audit/checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>

#include "audit/segment.h"
#include "base/descriptor.h"
#include "base/status.h"
#include "nta/audit/audit_log.h"

namespace nta {
namespace {

constexpr std::string_view kMark = "nta-audit-checkpoint 1 ";

// The value of "name=", which must stand at the front; up to the next space.
bool TakeValue(std::string_view& text, std::string_view name, std::string_view& value) {
  if (!text.starts_with(name) || text.substr(name.size(), 1) != "=") return false;
  text.remove_prefix(name.size() + 1);
  value = text.substr(0, text.find(' '));
  text.remove_prefix(value.size());
  if (text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

bool IsHex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

namespace audit {

std::string SealedText(const AuditCheckpoint& checkpoint) {
  return std::string(kMark) + "chain=" + checkpoint.chain +
         " count=" + std::to_string(checkpoint.count) + " time=" + ToString(checkpoint.time) +
         " head=" + checkpoint.head;
}

std::string SealOf(const AuditCheckpoint& checkpoint, const SealingKey& key, Sha256& sha) {
  const std::string text = SealedText(checkpoint);
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  return ToHex(key.Seal(sha, sha(bytes)));
}

}  // namespace audit

std::string ToString(const AuditCheckpoint& checkpoint) {
  return audit::SealedText(checkpoint) + " seal=" + checkpoint.seal;
}

absl::StatusOr<AuditCheckpoint> ParseAuditCheckpoint(std::string_view line) {
  const auto wrong = [] {
    return base::InvalidArgument("this is no checkpoint of an audit trail");
  };
  const std::size_t begin = line.find(kMark);
  if (begin == std::string_view::npos) return wrong();
  std::string_view rest = line.substr(begin + kMark.size());
  while (!rest.empty() && (rest.back() == '\n' || rest.back() == '\r')) rest.remove_suffix(1);
  std::string_view chain;
  std::string_view count;
  std::string_view time;
  std::string_view head;
  std::string_view seal;
  if (!TakeValue(rest, "chain", chain) || !TakeValue(rest, "count", count) ||
      !TakeValue(rest, "time", time) || !TakeValue(rest, "head", head) ||
      !TakeValue(rest, "seal", seal)) {
    return wrong();
  }
  // What a log puts behind a message.
  seal = seal.substr(0, 64);
  AuditCheckpoint checkpoint;
  const auto parsed = std::from_chars(count.data(), count.data() + count.size(), checkpoint.count);
  const auto parsed_time = ParseTimestamp(time);
  if (!IsHex(chain, 32) || !IsHex(head, 64) || !IsHex(seal, 64) || !parsed_time.ok() ||
      parsed.ec != std::errc() || parsed.ptr != count.data() + count.size()) {
    return wrong();
  }
  checkpoint.chain = chain;
  checkpoint.time = *parsed_time;
  checkpoint.head = head;
  checkpoint.seal = seal;
  return checkpoint;
}

absl::Status AppendAuditCheckpoint(const std::string& path, const AuditCheckpoint& checkpoint) {
  const base::Descriptor file(open(
      path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return base::ErrnoStatus(errno, "cannot open \"" + path + '"');
  const std::string line = ToString(checkpoint) + '\n';
  if (write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      fsync(file.get()) != 0) {
    return base::ErrnoStatus(errno, "cannot write \"" + path + '"');
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AuditCheckpoint>> ReadAuditCheckpoints(const std::string& path) {
  std::ifstream file(path);
  if (!file) return base::ErrnoStatus(errno, "cannot read \"" + path + '"');
  std::vector<AuditCheckpoint> checkpoints;
  for (std::string line; std::getline(file, line);) {
    if (auto checkpoint = ParseAuditCheckpoint(line); checkpoint.ok()) {
      checkpoints.push_back(*std::move(checkpoint));
    }
  }
  return checkpoints;
}

}  // namespace nta
