#include "audit/resume.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/status.h"

namespace nta::audit {
namespace {

std::uint64_t SizeOf(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// Follows one file.
class Follower {
 public:
  explicit Follower(const KeyState& state) { end_.state = state; }

  absl::StatusOr<TrailEnd> Follow(const std::string& path) {
    NTA_ASSIGN_OR_RETURN(SegmentReader reader, SegmentReader::Open(path));
    RawRecord record;
    while (true) {
      NTA_ASSIGN_OR_RETURN(const Step step, reader.Next(record));
      if (step != Step::kRecord || !Accept(record)) break;
      end_.good_bytes = reader.offset() + record.bytes.size();
    }
    end_.torn_bytes = SizeOf(path) - end_.good_bytes;
    if (!reached_) {
      end_.damage = "the last file does not hold record " + std::to_string(end_.state.count) +
                    " as it was written";
    }
    return std::move(end_);
  }

 private:
  bool Accept(const RawRecord& record) {
    if (next_sequence_ == 0) {
      const std::optional<SegmentHead> head = ParseSegmentHead(record);
      if (!head || head->chain != end_.state.chain) return false;
      previous_ = head->previous;
      next_sequence_ = record.sequence();
      Reach(next_sequence_ - 1);
    }
    const Digest digest = sha_(previous_, record.body());
    if (record.sequence() != next_sequence_ || digest != record.digest()) return false;
    if (reached_ && !Extend(record, digest)) return false;
    previous_ = digest;
    Reach(next_sequence_++);
    return true;
  }

  // The chain stands at `count`; is that where the key is?
  void Reach(std::uint64_t count) {
    if (!reached_ && count == end_.state.count) reached_ = previous_ == end_.state.head;
  }

  // A record beyond what the key file knows.
  bool Extend(const RawRecord& record, const Digest& digest) {
    KeyState& state = end_.state;
    if (!IsEqual(state.key.Seal(sha_, digest), record.seal())) return false;
    state.key.Advance(sha_);
    state.head = digest;
    ++state.count;
    return true;
  }

  Sha256 sha_;
  TrailEnd end_;
  Digest previous_{};
  std::uint64_t next_sequence_ = 0;
  bool reached_ = false;
};

// The first record of a file is written in one piece with its beginning.
absl::StatusOr<bool> WasJustBegun(const std::string& path) {
  NTA_ASSIGN_OR_RETURN(SegmentReader reader, SegmentReader::Open(path));
  RawRecord record;
  NTA_ASSIGN_OR_RETURN(const Step step, reader.Next(record));
  return step == Step::kEnd || step == Step::kTorn;
}

}  // namespace

absl::StatusOr<TrailEnd> FindTrailEnd(const std::vector<SegmentFile>& files,
                                      const KeyState& state) {
  TrailEnd lost;
  lost.state = state;
  if (files.empty()) {
    lost.damage = "the files are gone";
    return lost;
  }
  std::size_t last = files.size() - 1;
  if (files[last].number == state.segment + 1) {
    NTA_ASSIGN_OR_RETURN(const bool just_begun, WasJustBegun(files[last].path));
    if (just_begun) {
      if (unlink(files[last].path.c_str()) != 0) {
        return base::ErrnoStatus(errno, "cannot remove \"" + files[last].path + '"');
      }
      if (last == 0) {
        if (state.count > 0) lost.damage = "the files are gone";
        return lost;
      }
      --last;
    }
  }
  if (files[last].number != state.segment && files[last].number != state.segment + 1) {
    lost.damage = "the last file is not the one that was written last";
    return lost;
  }
  absl::StatusOr<TrailEnd> end = Follower(state).Follow(files[last].path);
  if (!end.ok()) {
    lost.damage = std::string(end.status().message());
    return lost;
  }
  end->state.segment = files[last].number;
  return end;
}

}  // namespace nta::audit
