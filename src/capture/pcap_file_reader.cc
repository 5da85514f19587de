#include "nta/capture/pcap_file_reader.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/status.h"
#include "capture/input_buffer.h"
#include "capture/libpcap_file.h"
#include "capture/record_parser.h"

namespace nta {

using internal::InputBuffer;
using internal::LibpcapFile;
using internal::ParseStop;
using internal::RecordParser;

absl::StatusOr<std::unique_ptr<RecordParser>> internal::RecordParser::ForFile(
    std::span<const std::uint8_t> head) {
  if (head.empty()) return base::InvalidArgument("it is empty");
  if (auto parser = internal::MakePcapParser(head)) return parser;
  const auto begins_with = [head](std::initializer_list<std::uint8_t> bytes) {
    return head.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), head.begin());
  };
  if (begins_with({0x0a, 0x0d, 0x0d, 0x0a})) return internal::MakePcapngParser();
  if (begins_with({0xfd, '7', 'z', 'X', 'Z', 0})) {
    return base::InvalidArgument("it is compressed with xz; gzip and zstd can be read");
  }
  if (begins_with({'B', 'Z', 'h'})) {
    return base::InvalidArgument("it is compressed with bzip2; gzip and zstd can be read");
  }
  if (begins_with({0x04, 0x22, 0x4d, 0x18})) {
    return base::InvalidArgument("it is compressed with lz4; gzip and zstd can be read");
  }
  return base::InvalidArgument("it begins like neither pcap nor pcapng");
}

namespace {

std::string Text(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

class PcapFileReader::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Open(const std::string& path,
                                                    PcapFileReaderOptions options) {
    NTA_ASSIGN_OR_RETURN(auto input, internal::OpenByteInput(path, options));
    auto reader = std::make_unique<Impl>(path, options, std::move(input));
    NTA_RETURN_IF_ERROR(reader->FindFormat());
    return reader;
  }

  Impl(std::string path, PcapFileReaderOptions options, std::unique_ptr<internal::ByteInput> input)
      : path_(std::move(path)), options_(options), input_(std::move(input)) {}

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) {
    batch.clear();
    if (!failure_.ok()) return failure_;
    NTA_ASSIGN_OR_RETURN(const ReadResult result,
                         libpcap_ != nullptr ? ReadWithLibpcap(batch) : ReadOwn(batch));
    stats_.received += batch.size();
    for (const PacketView& packet : batch) stats_.received_bytes += packet.bytes.size();
    return result;
  }

  CaptureStats Stats() const {
    CaptureStats stats = stats_;
    stats.bytes_read = input_.file_position();
    stats.bytes_total = input_.input().file_size();
    if (parser_ != nullptr) parser_->AddDrops(stats);
    return stats;
  }

  std::vector<CaptureInterface> Interfaces() const {
    if (libpcap_ != nullptr) return {libpcap_->interface()};
    return {parser_->interfaces().begin(), parser_->interfaces().end()};
  }

  std::span<const PacketComment> comments() const {
    return parser_ == nullptr ? std::span<const PacketComment>() : parser_->comments();
  }
  Compression compression() const { return input_.input().compression(); }
  const std::string& path() const { return path_; }
  // libpcap's packets stand in its own buffer.
  std::shared_ptr<const void> Retain() { return libpcap_ == nullptr ? input_.Retain() : nullptr; }

 private:
  absl::Status FindFormat() {
    constexpr std::size_t kHeadBytes = 16;
    if (const auto filled = input_.Fill(kHeadBytes); !filled.ok()) return Fail(filled.status());
    auto parser = RecordParser::ForFile(input_.available());
    if (!parser.ok()) {
      auto libpcap = LibpcapFile::Open(input_);
      if (libpcap.ok()) {
        libpcap_ = *std::move(libpcap);
        return absl::OkStatus();
      }
      return base::InvalidArgument('"' + path_ + "\" is not a capture file: " +
                                   (compression() == Compression::kNone ? "" : "decompressed, ") +
                                   Text(parser.status()));
    }
    parser_ = *std::move(parser);
    // What stands before the first packet. A pipe is not waited for, and what is wrong can wait.
    if (input_.input().file_size() > 0) {
      constexpr std::size_t kFewInterfaces = 4096;
      if (!input_.Fill(kFewInterfaces).ok()) return absl::OkStatus();
      PacketBatch none;
      input_.Consume(parser_->Parse(input_.available(), 0, none).consumed);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ReadResult> ReadOwn(PacketBatch& batch) {
    while (true) {
      const ParseStop stop = parser_->Parse(input_.available(), options_.max_batch, batch);
      input_.Consume(stop.consumed);
      // Getting more bytes would move those that the batch points to, and an error must not hide
      // its packets.
      if (!batch.empty()) return ReadResult::kPackets;
      if (stop.reason == ParseStop::Reason::kDamaged) return Fail(stop.error);
      const bool skips = stop.reason == ParseStop::Reason::kSkip;
      const absl::StatusOr<bool> complete =
          skips ? input_.Skip(stop.size) : input_.Fill(static_cast<std::size_t>(stop.size));
      if (!complete.ok()) return Fail(complete.status());
      if (*complete) continue;
      if (!skips && input_.available().empty()) return ReadResult::kEnd;
      return Fail("the file ends inside a record");
    }
  }

  absl::StatusOr<ReadResult> ReadWithLibpcap(PacketBatch& batch) {
    absl::StatusOr<ReadResult> result = libpcap_->Read(options_.max_batch, batch);
    if (!result.ok()) return Fail(result.status());
    return result;
  }

  absl::Status Fail(const std::string& why) {
    return Fail(base::MakeStatus(absl::StatusCode::kDataLoss, why));
  }
  // An error of the disk names the file itself.
  absl::Status Fail(const absl::Status& status) {
    const bool is_damage = status.code() == absl::StatusCode::kDataLoss;
    if (!is_damage && status.code() != absl::StatusCode::kResourceExhausted) {
      return failure_ = status;
    }
    failure_ = base::MakeStatus(
        status.code(), '"' + path_ + (is_damage ? "\" is damaged" : "\" was not read") +
                           " after byte " + std::to_string(input_.file_position()) + " (" +
                           std::to_string(stats_.received) + " packets read): " + Text(status));
    return failure_;
  }

  std::string path_;
  PcapFileReaderOptions options_;
  InputBuffer input_;
  std::unique_ptr<RecordParser> parser_;  // either this
  std::unique_ptr<LibpcapFile> libpcap_;  // or this
  CaptureStats stats_;
  absl::Status failure_;
};

absl::StatusOr<std::unique_ptr<PcapFileReader>> PcapFileReader::Open(
    const std::string& path, PcapFileReaderOptions options) {
  if (options.max_batch == 0) return base::InvalidArgument("max_batch must be at least 1");
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Impl::Open(path, options));
  return std::unique_ptr<PcapFileReader>(new PcapFileReader(std::move(impl)));
}

PcapFileReader::PcapFileReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PcapFileReader::~PcapFileReader() = default;

absl::StatusOr<ReadResult> PcapFileReader::Read(PacketBatch& batch) { return impl_->Read(batch); }
std::shared_ptr<const void> PcapFileReader::Retain() { return impl_->Retain(); }
CaptureStats PcapFileReader::Stats() const { return impl_->Stats(); }
std::string PcapFileReader::name() const { return impl_->path(); }
std::vector<CaptureInterface> PcapFileReader::Interfaces() const { return impl_->Interfaces(); }
std::span<const PacketComment> PcapFileReader::comments() const { return impl_->comments(); }
Compression PcapFileReader::compression() const { return impl_->compression(); }

}  // namespace nta
