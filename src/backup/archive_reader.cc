#include "backup/archive_reader.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "backup/backup_file.h"
#include "backup/format.h"
#include "base/status.h"

namespace nta::backup {
namespace {

// zstd's own default for the command line: frames that want a larger window are not ours.
constexpr int kMaxWindowLog = 27;

absl::Status Damaged(std::string_view reason) {
  return base::MakeStatus(absl::StatusCode::kDataLoss, "it is damaged: " + std::string(reason));
}

absl::Status ReadExactly(int file, std::span<std::uint8_t> bytes) {
  NTA_ASSIGN_OR_RETURN(const std::size_t size, ReadUpTo(file, bytes));
  return size == bytes.size() ? absl::OkStatus() : Damaged("it ends too early");
}

absl::Status CheckMagic(int file, std::span<std::uint8_t> magic) {
  NTA_ASSIGN_OR_RETURN(const std::size_t size, ReadUpTo(file, magic));
  const std::size_t version = kMagic.size() - 1;
  if (size < magic.size() || !std::equal(magic.begin(), magic.end() - 1, kMagic.begin())) {
    return base::InvalidArgument("it is not a backup of libnta");
  }
  if (magic[version] == kMagic[version]) return absl::OkStatus();
  if (magic[version] > kMagic[version]) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "it was made by a newer libnta (format " +
                                std::to_string(magic[version]) + ", this one knows up to " +
                                std::to_string(kFormatVersion) + ")");
  }
  return Damaged("it has no version");
}

}  // namespace

absl::StatusOr<Beginning> ReadBeginning(int file) {
  constexpr std::size_t kFixed = kMagic.size() + 4;
  std::vector<std::uint8_t> bytes(kFixed);
  NTA_RETURN_IF_ERROR(CheckMagic(file, std::span(bytes).first(kMagic.size())));
  NTA_RETURN_IF_ERROR(ReadExactly(file, std::span(bytes).subspan(kMagic.size())));
  const std::uint32_t size =
      DecodeCount(std::span<const std::uint8_t, 4>(&bytes[kMagic.size()], 4));
  if (size > kMaxHeaderBytes) return Damaged("its header is too large");
  bytes.resize(kFixed + size);
  NTA_RETURN_IF_ERROR(ReadExactly(file, std::span(bytes).subspan(kFixed)));
  Beginning beginning;
  NTA_RETURN_IF_ERROR(ReadExactly(file, beginning.digest));
  if (HashOf(bytes) != beginning.digest) return Damaged("its header is not what was written");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kFixed, size);
  NTA_ASSIGN_OR_RETURN(beginning.header, ParseHeader(text));
  bytes.insert(bytes.end(), beginning.digest.begin(), beginning.digest.end());
  beginning.bytes = std::move(bytes);
  return beginning;
}

absl::StatusOr<Digest> CheckStored(int file, const Beginning& beginning,
                                   const std::stop_token& stop) {
  Hasher hasher;
  hasher.Add(beginning.bytes);
  std::vector<std::uint8_t> frame;
  for (bool is_last = false; !is_last;) {
    if (stop.stop_requested()) return Cancelled();
    std::array<std::uint8_t, 4> count{};
    NTA_RETURN_IF_ERROR(ReadExactly(file, count));
    const std::uint32_t size = DecodeCount(count) & ~kLastFrame;
    is_last = (DecodeCount(count) & kLastFrame) != 0;
    if (size > kFrameBytes + kFrameOverhead) return Damaged("it has an impossible frame");
    frame.resize(size);
    NTA_RETURN_IF_ERROR(ReadExactly(file, frame));
    hasher.Add(count);
    hasher.Add(frame);
  }
  Digest digest{};
  NTA_RETURN_IF_ERROR(ReadExactly(file, digest));
  if (hasher.Finish() != digest) return Damaged("it is not what was written");
  std::array<std::uint8_t, 1> more{};
  NTA_ASSIGN_OR_RETURN(const std::size_t trailing, ReadUpTo(file, more));
  if (trailing != 0) return Damaged("something follows its end");
  return digest;
}

struct ArchiveReader::Decompressor {
  struct Free {
    void operator()(ZSTD_DCtx* freed) const { ZSTD_freeDCtx(freed); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
  bool at_end = false;  // of the one zstd frame
};

ArchiveReader::ArchiveReader(int file, std::unique_ptr<Cipher> cipher,
                             std::unique_ptr<Decompressor> decompressor)
    : file_(file), cipher_(std::move(cipher)), decompressor_(std::move(decompressor)) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

absl::StatusOr<ArchiveReader> ArchiveReader::Start(int file, const Beginning& beginning,
                                                   std::string_view passphrase) {
  const auto& encryption = beginning.header.encryption;
  if (encryption && passphrase.empty()) {
    return base::MakeStatus(absl::StatusCode::kUnauthenticated,
                            "it is encrypted: a passphrase is needed");
  }
  if (!encryption && !passphrase.empty()) {
    return base::MakeStatus(absl::StatusCode::kUnauthenticated,
                            "a passphrase was given and it is not encrypted: anybody may have "
                            "made it; leave the passphrase out to use it all the same");
  }
  std::unique_ptr<Cipher> cipher;
  if (encryption) {
    NTA_ASSIGN_OR_RETURN(cipher, Cipher::Open(passphrase, *encryption));
    cipher->Bind(beginning.digest);
  }
  std::unique_ptr<Decompressor> decompressor;
  if (beginning.header.compression == BackupCompression::kZstd) {
    decompressor = std::make_unique<Decompressor>();
    if (decompressor->context == nullptr) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory to decompress with");
    }
    ZSTD_DCtx_setParameter(decompressor->context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }
  ArchiveReader reader(file, std::move(cipher), std::move(decompressor));
  reader.stored_->Add(beginning.bytes);
  return reader;
}

absl::StatusOr<Manifest> ArchiveReader::ReadManifest() {
  std::array<std::uint8_t, 4> count{};
  NTA_RETURN_IF_ERROR(Read(count));
  const std::uint32_t size = DecodeCount(count);
  if (size > kMaxManifestBytes) return Damaged("its manifest is too large");
  std::vector<std::uint8_t> bytes(size);
  NTA_RETURN_IF_ERROR(Read(bytes));
  Digest digest{};
  NTA_RETURN_IF_ERROR(Read(digest));
  if (HashOf(bytes) != digest) return Damaged("its manifest is not what was written");
  return ParseManifest({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

absl::Status ArchiveReader::Read(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    NTA_ASSIGN_OR_RETURN(const std::size_t size, ReadSome(bytes));
    if (size == 0) return Damaged("it ends too early");
    bytes = bytes.subspan(size);
  }
  return absl::OkStatus();
}

absl::Status ArchiveReader::Finish() {
  std::array<std::uint8_t, 1> more{};
  NTA_ASSIGN_OR_RETURN(const std::size_t contents, ReadSome(more));
  if (contents > 0) return Damaged("it has more contents than its manifest says");
  if (decompressor_ != nullptr && !decompressor_->at_end) return Damaged("it ends too early");
  Digest digest{};
  NTA_RETURN_IF_ERROR(ReadExactly(file_, digest));
  // Compressed bytes have bits that mean nothing; a change in those is a sign, too.
  if (stored_->Finish() != digest) return Damaged("it is not what was written");
  NTA_ASSIGN_OR_RETURN(const std::size_t trailing, ReadUpTo(file_, more));
  return trailing == 0 ? absl::OkStatus() : Damaged("something follows its end");
}

absl::StatusOr<bool> ArchiveReader::NextFrame() {
  if (last_was_read_) return false;
  std::array<std::uint8_t, 4> count{};
  NTA_RETURN_IF_ERROR(ReadExactly(file_, count));
  const std::uint32_t word = DecodeCount(count);
  const std::uint32_t size = word & ~kLastFrame;
  const FrameKind kind = (word & kLastFrame) != 0 ? FrameKind::kLast : FrameKind::kMiddle;
  if (size > kFrameBytes + kFrameOverhead) return Damaged("it has an impossible frame");
  std::vector<std::uint8_t>& stored = cipher_ == nullptr ? frame_ : sealed_;
  stored.resize(size);
  NTA_RETURN_IF_ERROR(ReadExactly(file_, stored));
  stored_->Add(count);
  stored_->Add(stored);
  if (cipher_ != nullptr && !cipher_->Open(sealed_, kind, frame_)) {
    // With a wrong key nothing opens; with the right one only what was changed does not.
    if (frames_ > 0) return Damaged("an encrypted part is not what was written");
    return base::MakeStatus(absl::StatusCode::kUnauthenticated,
                            "the passphrase is wrong, or its beginning was changed");
  }
  ++frames_;
  stored_bytes_ += size + count.size();
  last_was_read_ = kind == FrameKind::kLast;
  used_ = 0;
  return true;
}

absl::StatusOr<std::size_t> ArchiveReader::ReadSome(std::span<std::uint8_t> bytes) {
  if (decompressor_ != nullptr) return Decompress(bytes);
  while (used_ == frame_.size()) {
    NTA_ASSIGN_OR_RETURN(const bool more, NextFrame());
    if (!more) return 0;
  }
  const std::size_t size = std::min(bytes.size(), frame_.size() - used_);
  std::memcpy(bytes.data(), frame_.data() + used_, size);
  used_ += size;
  return size;
}

absl::StatusOr<std::size_t> ArchiveReader::Decompress(std::span<std::uint8_t> bytes) {
  while (true) {
    ZSTD_inBuffer in{frame_.data(), frame_.size(), used_};
    ZSTD_outBuffer out{bytes.data(), bytes.size(), 0};
    if (!decompressor_->at_end) {
      const std::size_t result = ZSTD_decompressStream(decompressor_->context.get(), &out, &in);
      if (ZSTD_isError(result)) return Damaged("it cannot be decompressed");
      decompressor_->at_end = result == 0;
      used_ = in.pos;
    }
    content_bytes_ += out.pos;
    if (content_bytes_ > kRatioFreeBytes + kMaxRatio * stored_bytes_) {
      return Damaged("it swells beyond all measure when it is decompressed");
    }
    if (out.pos > 0) return out.pos;
    if (used_ < frame_.size()) {
      if (decompressor_->at_end) return Damaged("something follows its contents");
      continue;
    }
    NTA_ASSIGN_OR_RETURN(const bool more, NextFrame());
    if (!more) return 0;
  }
}

}  // namespace nta::backup
