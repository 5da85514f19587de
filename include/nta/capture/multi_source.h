// MultiSource: several packet sources as one: the interfaces of a tap, the files of a day.
//
//   std::vector<std::unique_ptr<nta::PacketSource>> members;   // two LiveCaptures, say
//   auto both = nta::MultiSource::Create(std::move(members));
//   nta::Pipeline pipeline(**both);
#ifndef NTA_CAPTURE_MULTI_SOURCE_H_
#define NTA_CAPTURE_MULTI_SOURCE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/capture/packet_source.h"
#include "nta/capture/pcap_file_reader.h"

namespace nta {

struct MultiSourceOptions {
  std::size_t max_batch = 256;
  // Read answers kTimeout after this long without packets. Members without a descriptor (see
  // PacketSource) wait as long as they do by themselves, one after the other.
  std::chrono::milliseconds timeout{100};
  // A packet of a live member is held back until it is this old, while another live member is
  // silent, because that one may be about to hand out an older packet. 0 delays nothing; then
  // packets of different members may change places within the time that the members take to deliver
  // (LiveCaptureOptions::timeout in bulk mode). For both sides of a conversation on two interfaces,
  // that time or a little more puts them into order; rings must hold the traffic of that time.
  std::chrono::milliseconds reorder_window{0};
  // The present, by the members' clock, for reorder_window; the system clock when empty.
  std::function<Timestamp()> now{};
};

// Files (and all members that are not live) are merged by time exactly, provided that each is in
// order by itself. Live members are read in turn, each as much as a batch, and what is there of all
// of them is merged by time.
//
// interface_id counts over all members: those of the first one come first, a member that names none
// has one, and interfaces that appear later come last. Interfaces() tells which is which; one
// without a name is called like its member.
class MultiSource final : public PacketSource {
 public:
  // InvalidArgument without members, and for options out of range.
  static absl::StatusOr<std::unique_ptr<MultiSource>> Create(
      std::vector<std::unique_ptr<PacketSource>> members, MultiSourceOptions options = {});
  ~MultiSource() override;

  // A member that is not live and fails is at its end; the others are read on, and its error comes
  // when they have ended. The error of a live member comes at once, after what was read before it
  // (LiveCaptureOptions::outage prevents it). Errors repeat.
  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  absl::StatusOr<ReadResult> ReadNow(PacketBatch& batch) override;
  std::shared_ptr<const void> Retain() override;
  // Sums over the members. bytes_total is 0 unless all are files.
  CaptureStats Stats() const override;
  // In the order of Create.
  std::vector<CaptureStats> MemberStats() const;
  bool is_live() const override;      // when any member is
  std::string name() const override;  // "eth0, eth1"
  std::vector<CaptureInterface> Interfaces() const override;

 private:
  struct Member;
  struct Origin {
    std::size_t member = 0;
    std::uint32_t interface = 0;
  };

  MultiSource(std::vector<std::unique_ptr<PacketSource>> members, MultiSourceOptions options);

  absl::Status Refill();
  absl::Status RefillOne(Member& member);
  void Merge(PacketBatch& batch);
  void MoveRun(Member& member, Timestamp limit, PacketBatch& batch);
  Timestamp ReleaseLimit() const;
  absl::Status Wait() const;
  std::uint32_t InterfaceNumber(Member& member, std::uint32_t interface);
  bool HasEnded() const;

  std::vector<Member> members_;
  std::vector<Origin> origins_;  // of each interface number
  MultiSourceOptions options_;
  absl::Status failure_;   // reported again and again
  absl::Status deferred_;  // of a file, until the others have ended
  std::uint64_t received_ = 0;
  std::uint64_t received_bytes_ = 0;
};

// Opens capture files; several become one source, merged by time. Fails as PcapFileReader::Open
// does, and InvalidArgument without files. All of them are open at once, each with its own buffer.
absl::StatusOr<std::unique_ptr<PacketSource>> OpenCaptureFiles(
    const std::vector<std::string>& paths, PcapFileReaderOptions options = {});

}  // namespace nta

#endif  // NTA_CAPTURE_MULTI_SOURCE_H_
