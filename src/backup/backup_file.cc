#include "backup/backup_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "backup/archive_writer.h"
#include "backup/format.h"
#include "backup/throttle.h"
#include "base/status.h"

namespace nta::backup {
namespace {

constexpr std::size_t kBufferBytes = 128 << 10;
constexpr std::size_t kRandomBytes = 6;
// The disk begins to write this often: all at once, at the end, it would hold up the syncs of those
// who write to the live data.
constexpr std::uint64_t kSyncBytes = 1 << 20;
constexpr std::uint64_t kFrameOfManifest = 4 + sizeof(Digest);

Bytes BytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

absl::Status Damaged(std::string_view reason) {
  return base::MakeStatus(absl::StatusCode::kDataLoss, "it is damaged: " + std::string(reason));
}

// Reads a file from its beginning, piece by piece, at the pace of `duty`.
template <typename Use>
absl::Status ForEachPiece(int file, double duty, const BackupControl& control, const Use& use) {
  if (lseek(file, 0, SEEK_SET) != 0) return base::ErrnoStatus(errno, "cannot read the snapshot");
  std::vector<std::uint8_t> buffer(kBufferBytes);
  Throttle throttle(duty, control.stop);
  while (true) {
    if (control.stop.stop_requested()) return Cancelled();
    NTA_ASSIGN_OR_RETURN(const std::size_t size, ReadUpTo(file, buffer));
    if (size == 0) return absl::OkStatus();
    NTA_RETURN_IF_ERROR(use(Bytes(buffer.data(), size)));
    throttle.Rest();
  }
}

// How far work has come, of twice the data: it is hashed, then stored.
class Progress {
 public:
  Progress(const BackupControl& control, BackupPhase phase, std::uint64_t total)
      : control_(control), state_{phase, 0, total} {}
  void Add(std::uint64_t bytes) {
    state_.done_bytes = std::min(state_.done_bytes + bytes, state_.total_bytes);
    if (control_.progress) control_.progress(state_);
  }

 private:
  const BackupControl& control_;
  BackupProgress state_;
};

absl::Status CheckExtras(const std::vector<BackupExtra>& extras) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < extras.size(); ++i) {
    const std::string& name = extras[i].name;
    if (!IsExtraName(name)) {
      return base::InvalidArgument("\"" + name + "\" cannot be the name of an extra");
    }
    const auto before = extras.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::any_of(extras.begin(), before,
                    [&](const auto& other) { return other.name == name; })) {
      return base::InvalidArgument("two extras are named \"" + name + "\"");
    }
    bytes += extras[i].content.size();
  }
  if (bytes <= kMaxExtraBytes) return absl::OkStatus();
  return base::InvalidArgument("the extras take more than 64 MiB");
}

absl::StatusOr<Manifest> Describe(const Contents& contents, const CreateBackupOptions& options,
                                  const BackupControl& control, Progress& progress) {
  Manifest manifest{.time = options.time, .summary = contents.summary, .parts = {}};
  Part data{.name = std::string(kDataPart), .bytes = 0, .sha256 = {}};
  Hasher hasher;
  const auto hash = [&](Bytes bytes) {
    hasher.Add(bytes);
    data.bytes += bytes.size();
    progress.Add(bytes.size());
    return absl::OkStatus();
  };
  NTA_RETURN_IF_ERROR(ForEachPiece(contents.data.get(), options.duty, control, hash));
  data.sha256 = hasher.Finish();
  manifest.parts.push_back(std::move(data));
  for (const BackupExtra& extra : options.extras) {
    manifest.parts.push_back({.name = extra.name,
                              .bytes = extra.content.size(),
                              .sha256 = HashOf(BytesOf(extra.content))});
  }
  return manifest;
}

std::uint64_t ContentBytes(const Manifest& manifest, std::size_t manifest_bytes) {
  std::uint64_t bytes = kFrameOfManifest + manifest_bytes;
  for (const Part& part : manifest.parts) bytes += part.bytes;
  return bytes;
}

// False when the contents shrink so much that a reader would refuse them.
absl::StatusOr<bool> Store(int to, const Contents& contents, const Manifest& manifest,
                           BackupCompression compression, const CreateBackupOptions& options,
                           const BackupControl& control, Progress& progress) {
  const std::string text = ToText(manifest);
  if (text.size() > kMaxManifestBytes) return base::InvalidArgument("the data has too many tables");
  Header header{.time = options.time,
                .tool = "libnta " NTA_VERSION,
                .kind = std::string(contents.kind),
                .application_id = contents.summary.application_id,
                .schema_version = contents.summary.schema_version,
                .content_bytes = ContentBytes(manifest, text.size()),
                .compression = compression,
                .encryption = {}};
  NTA_ASSIGN_OR_RETURN(ArchiveWriter writer,
                       ArchiveWriter::Start(to, std::move(header), options.passphrase));
  NTA_RETURN_IF_ERROR(writer.Write(EncodeCount(static_cast<std::uint32_t>(text.size()))));
  NTA_RETURN_IF_ERROR(writer.Write(BytesOf(text)));
  NTA_RETURN_IF_ERROR(writer.Write(HashOf(BytesOf(text))));
  std::uint64_t synced = 0;
  bool swells = false;
  const auto store = [&](Bytes bytes) {
    const absl::Status status = swells ? absl::OkStatus() : writer.Write(bytes);
    swells = swells || writer.Swells();
    if (writer.stored_bytes() - synced >= kSyncBytes) {
      sync_file_range(to, 0, 0, SYNC_FILE_RANGE_WRITE);
      synced = writer.stored_bytes();
    }
    progress.Add(bytes.size());
    return status;
  };
  NTA_RETURN_IF_ERROR(ForEachPiece(contents.data.get(), options.duty, control, store));
  if (swells) return false;
  for (const BackupExtra& extra : options.extras) {
    NTA_RETURN_IF_ERROR(writer.Write(BytesOf(extra.content)));
  }
  NTA_RETURN_IF_ERROR(writer.Finish());
  return !writer.Swells();
}

// What the header promised before the passphrase was asked for must be what is inside.
absl::Status CheckManifest(const Header& header, const Manifest& manifest) {
  std::uint64_t extras = 0;
  for (std::size_t i = 1; i < manifest.parts.size(); ++i) {
    if (manifest.parts[i].bytes > kMaxExtraBytes) return Damaged("an extra is too large");
    extras += manifest.parts[i].bytes;
    if (extras > kMaxExtraBytes) return Damaged("its extras are too large");
  }
  if (manifest.parts.front().bytes > header.content_bytes ||
      ContentBytes(manifest, ToText(manifest).size()) != header.content_bytes ||
      header.time != manifest.time || header.application_id != manifest.summary.application_id ||
      header.schema_version != manifest.summary.schema_version) {
    return Damaged("its header and its manifest differ");
  }
  return absl::OkStatus();
}

absl::Status UnpackData(ArchiveReader& reader, const Part& part, int to,
                        const BackupControl& control) {
  Progress progress(control, BackupPhase::kUnpack, part.bytes);
  std::vector<std::uint8_t> buffer(kBufferBytes);
  Hasher hasher;
  for (std::uint64_t left = part.bytes; left > 0;) {
    if (control.stop.stop_requested()) return Cancelled();
    const std::size_t size = std::min<std::uint64_t>(left, buffer.size());
    const auto piece = std::span(buffer).first(size);
    NTA_RETURN_IF_ERROR(reader.Read(piece));
    hasher.Add(piece);
    NTA_RETURN_IF_ERROR(WriteAll(to, piece));
    left -= size;
    progress.Add(size);
  }
  return hasher.Finish() == part.sha256 ? absl::OkStatus()
                                        : Damaged("its data is not what was written");
}

}  // namespace

std::string MakeName(BackupTime time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(second - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ-",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data() + RandomHex(kRandomBytes);
}

bool IsName(std::string_view name) {
  constexpr std::string_view kPattern = "dddddddddddddddddxxxxxxxxxxxx";
  constexpr std::string_view kShape = "00000000T000000Z-";
  if (name.size() != kPattern.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool is_digit = c >= '0' && c <= '9';
    const bool fits = i >= kShape.size() ? is_digit || (c >= 'a' && c <= 'f')
                      : kShape[i] == '0' ? is_digit
                                         : c == kShape[i];
    if (!fits) return false;
  }
  return true;
}

absl::Status Pack(int to, const Contents& contents, const CreateBackupOptions& options,
                  const BackupControl& control) {
  NTA_RETURN_IF_ERROR(CheckExtras(options.extras));
  NTA_ASSIGN_OR_RETURN(const std::uint64_t bytes, SizeOf(contents.data.get()));
  Progress progress(control, BackupPhase::kPack, 2 * bytes);
  NTA_ASSIGN_OR_RETURN(const Manifest manifest, Describe(contents, options, control, progress));
  NTA_ASSIGN_OR_RETURN(
      bool stored, Store(to, contents, manifest, options.compression, options, control, progress));
  if (!stored) {
    if (ftruncate(to, 0) != 0 || lseek(to, 0, SEEK_SET) != 0) {
      return base::ErrnoStatus(errno, "cannot write");
    }
    NTA_ASSIGN_OR_RETURN(stored, Store(to, contents, manifest, BackupCompression::kNone, options,
                                       control, progress));
  }
  return Sync(to, "the backup");
}

absl::StatusOr<Unpacked> Unpack(int from, const Beginning& beginning, int to,
                                const ReadBackupOptions& options, const BackupControl& control) {
  if (beginning.header.content_bytes > options.max_content_bytes) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                            "it holds " + std::to_string(beginning.header.content_bytes) +
                                " bytes, more than is allowed");
  }
  NTA_ASSIGN_OR_RETURN(ArchiveReader reader,
                       ArchiveReader::Start(from, beginning, options.passphrase));
  Unpacked unpacked;
  NTA_ASSIGN_OR_RETURN(unpacked.manifest, reader.ReadManifest());
  NTA_RETURN_IF_ERROR(CheckManifest(beginning.header, unpacked.manifest));
  NTA_RETURN_IF_ERROR(UnpackData(reader, unpacked.manifest.parts.front(), to, control));
  for (std::size_t i = 1; i < unpacked.manifest.parts.size(); ++i) {
    const Part& part = unpacked.manifest.parts[i];
    BackupExtra extra{.name = part.name, .content = std::string(part.bytes, '\0')};
    NTA_RETURN_IF_ERROR(
        reader.Read({reinterpret_cast<std::uint8_t*>(extra.content.data()), extra.content.size()}));
    if (HashOf(BytesOf(extra.content)) != part.sha256) {
      return Damaged("\"" + part.name + "\" is not what was written");
    }
    unpacked.extras.push_back(std::move(extra));
  }
  NTA_RETURN_IF_ERROR(reader.Finish());
  return unpacked;
}

absl::Status Cancelled() {
  return base::MakeStatus(absl::StatusCode::kCancelled, "the work was cancelled");
}

}  // namespace nta::backup
