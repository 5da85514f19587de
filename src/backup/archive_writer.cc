#include "backup/archive_writer.h"

#include <zstd.h>

#include <algorithm>
#include <utility>

#include "backup/format.h"
#include "base/status.h"

namespace nta::backup {
namespace {

Bytes BytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void Append(std::vector<std::uint8_t>& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

struct ArchiveWriter::Compressor {
  struct Free {
    void operator()(ZSTD_CCtx* freed) const { ZSTD_freeCCtx(freed); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
  std::vector<std::uint8_t> output = std::vector<std::uint8_t>(ZSTD_CStreamOutSize());
};

ArchiveWriter::ArchiveWriter(int file, std::unique_ptr<Cipher> cipher,
                             std::unique_ptr<Compressor> compressor)
    : file_(file),
      write_out_(file),
      cipher_(std::move(cipher)),
      compressor_(std::move(compressor)) {}
ArchiveWriter::ArchiveWriter(ArchiveWriter&&) noexcept = default;
ArchiveWriter::~ArchiveWriter() = default;

absl::StatusOr<ArchiveWriter> ArchiveWriter::Start(int file, Header header,
                                                   std::string_view passphrase) {
  std::unique_ptr<Cipher> cipher;
  if (!passphrase.empty()) {
    NTA_ASSIGN_OR_RETURN(cipher, Cipher::Seal(passphrase, header.encryption.emplace()));
  }
  std::unique_ptr<Compressor> compressor;
  if (header.compression == BackupCompression::kZstd) {
    compressor = std::make_unique<Compressor>();
    if (compressor->context == nullptr) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory to compress with");
    }
  }
  const std::string text = ToText(header);
  std::vector<std::uint8_t> beginning(kMagic.begin(), kMagic.end());
  Append(beginning, EncodeCount(static_cast<std::uint32_t>(text.size())));
  Append(beginning, BytesOf(text));
  const Digest digest = HashOf(beginning);
  Append(beginning, digest);
  if (cipher != nullptr) cipher->Bind(digest);
  ArchiveWriter writer(file, std::move(cipher), std::move(compressor));
  NTA_RETURN_IF_ERROR(writer.WriteStored(beginning));
  return writer;
}

bool ArchiveWriter::Swells() const {
  return compressor_ != nullptr &&
         content_bytes_ > kRatioFreeBytes + kMaxRatio * (stored_bytes_ + frame_.size());
}

absl::Status ArchiveWriter::Write(Bytes contents) {
  content_bytes_ += contents.size();
  if (compressor_ == nullptr) return AddToFrame(contents);
  ZSTD_inBuffer in{contents.data(), contents.size(), 0};
  while (in.pos < in.size) {
    ZSTD_outBuffer out{compressor_->output.data(), compressor_->output.size(), 0};
    const std::size_t result =
        ZSTD_compressStream2(compressor_->context.get(), &out, &in, ZSTD_e_continue);
    if (ZSTD_isError(result)) {
      return base::MakeStatus(absl::StatusCode::kInternal, ZSTD_getErrorName(result));
    }
    NTA_RETURN_IF_ERROR(AddToFrame({compressor_->output.data(), out.pos}));
  }
  return absl::OkStatus();
}

absl::Status ArchiveWriter::Finish() {
  std::size_t left = compressor_ == nullptr ? 0 : 1;
  while (left > 0) {
    ZSTD_inBuffer in{nullptr, 0, 0};
    ZSTD_outBuffer out{compressor_->output.data(), compressor_->output.size(), 0};
    left = ZSTD_compressStream2(compressor_->context.get(), &out, &in, ZSTD_e_end);
    if (ZSTD_isError(left)) {
      return base::MakeStatus(absl::StatusCode::kInternal, ZSTD_getErrorName(left));
    }
    NTA_RETURN_IF_ERROR(AddToFrame({compressor_->output.data(), out.pos}));
  }
  NTA_RETURN_IF_ERROR(WriteFrame(FrameKind::kLast));
  const Digest digest = stored_->Finish();
  stored_bytes_ += digest.size();
  return WriteAll(file_, digest);
}

absl::Status ArchiveWriter::AddToFrame(Bytes bytes) {
  while (!bytes.empty()) {
    const std::size_t part = std::min(bytes.size(), kFrameBytes - frame_.size());
    Append(frame_, bytes.first(part));
    bytes = bytes.subspan(part);
    if (frame_.size() == kFrameBytes) NTA_RETURN_IF_ERROR(WriteFrame(FrameKind::kMiddle));
  }
  return absl::OkStatus();
}

absl::Status ArchiveWriter::WriteFrame(FrameKind kind) {
  if (cipher_ != nullptr) {
    cipher_->Seal(frame_, kind, sealed_);
    frame_.swap(sealed_);
  }
  const auto size = static_cast<std::uint32_t>(frame_.size());
  NTA_RETURN_IF_ERROR(
      WriteStored(EncodeCount(kind == FrameKind::kLast ? size | kLastFrame : size)));
  NTA_RETURN_IF_ERROR(WriteStored(frame_));
  frame_.clear();
  return absl::OkStatus();
}

absl::Status ArchiveWriter::WriteStored(Bytes bytes) {
  stored_bytes_ += bytes.size();
  stored_->Add(bytes);
  NTA_RETURN_IF_ERROR(WriteAll(file_, bytes));
  write_out_.GrownTo(stored_bytes_);
  return absl::OkStatus();
}

}  // namespace nta::backup
