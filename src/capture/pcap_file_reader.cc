#include "nta/capture/pcap_file_reader.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/status.h"
#include "capture/input_buffer.h"
#include "capture/record_parser.h"

namespace nta {

using internal::InputBuffer;
using internal::Record;
using internal::RecordParser;

absl::StatusOr<std::unique_ptr<RecordParser>> internal::RecordParser::ForFile(
    std::span<const std::uint8_t> head) {
  if (head.empty()) return base::InvalidArgument("it is empty");
  if (auto parser = internal::MakePcapParser(head)) return parser;
  const auto begins_with = [head](std::initializer_list<std::uint8_t> bytes) {
    return head.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), head.begin());
  };
  if (begins_with({0x0a, 0x0d, 0x0d, 0x0a})) return internal::MakePcapngParser();
  if (begins_with({0x1f, 0x8b})) return base::InvalidArgument("it is compressed with gzip");
  if (begins_with({0x28, 0xb5, 0x2f, 0xfd})) {
    return base::InvalidArgument("it is compressed with zstd");
  }
  return base::InvalidArgument("it begins like neither pcap nor pcapng");
}

class PcapFileReader::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Open(const std::string& path,
                                                    PcapFileReaderOptions options) {
    NTA_ASSIGN_OR_RETURN(InputBuffer input, InputBuffer::Open(path));
    constexpr std::size_t kHeadBytes = 16;
    NTA_RETURN_IF_ERROR(input.Fill(kHeadBytes).status());
    auto parser = RecordParser::ForFile(input.available());
    if (!parser.ok()) {
      return base::InvalidArgument(
          '"' + path + "\" is not a capture file: " + std::string(parser.status().message()));
    }
    return std::make_unique<Impl>(path, options, std::move(input), *std::move(parser));
  }

  Impl(std::string path, PcapFileReaderOptions options, InputBuffer input,
       std::unique_ptr<RecordParser> parser)
      : path_(std::move(path)),
        options_(options),
        input_(std::move(input)),
        parser_(std::move(parser)) {}

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) {
    batch.clear();
    if (!failure_.ok()) return failure_;
    while (batch.size() < options_.max_batch) {
      Record record = parser_->Next(input_.available());
      if (record.kind == Record::Kind::kPacket) {
        Take(record, batch);
        continue;
      }
      // Passed over here and now: a parser that had to look at it again would count an interface
      // twice.
      if (record.kind == Record::Kind::kOther && record.size <= input_.available().size()) {
        input_.Consume(record.size);
        continue;
      }
      // Getting more bytes moves those that the batch points to, and an error must not hide its
      // packets.
      if (!batch.empty()) break;
      if (record.kind == Record::Kind::kDamaged) return Fail(record.error);
      const absl::StatusOr<bool> complete =
          record.kind == Record::Kind::kOther ? input_.Skip(record.size) : input_.Fill(record.size);
      if (!complete.ok()) return failure_ = complete.status();
      if (*complete) continue;
      if (record.kind == Record::Kind::kNeedMore && input_.available().empty())
        return ReadResult::kEnd;
      return Fail("the file ends inside a record");
    }
    return ReadResult::kPackets;
  }

  CaptureStats Stats() const {
    CaptureStats stats = stats_;
    stats.bytes_read = input_.position();
    stats.bytes_total = input_.total();
    return stats;
  }

  const std::string& path() const { return path_; }

 private:
  void Take(const Record& record, PacketBatch& batch) {
    batch.push_back(record.packet);
    ++stats_.received;
    stats_.received_bytes += record.packet.bytes.size();
    input_.Consume(record.size);
  }

  absl::Status Fail(const std::string& why) {
    failure_ = base::MakeStatus(absl::StatusCode::kDataLoss,
                                '"' + path_ + "\" is damaged after byte " +
                                    std::to_string(input_.position()) + " (" +
                                    std::to_string(stats_.received) + " packets read): " + why);
    return failure_;
  }

  std::string path_;
  PcapFileReaderOptions options_;
  InputBuffer input_;
  std::unique_ptr<RecordParser> parser_;
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
CaptureStats PcapFileReader::Stats() const { return impl_->Stats(); }
std::string PcapFileReader::name() const { return impl_->path(); }

}  // namespace nta
