// FaultVfs: SQLite's files through a layer that counts, records and fails what is done to them.
//
//   FaultVfs& vfs = FaultVfs::Install();  // before the first store is opened
//   vfs.FailAt(17, FaultVfs::Fault::kIoError);
#ifndef NTA_TESTS_STORE_FAULT_VFS_H_
#define NTA_TESTS_STORE_FAULT_VFS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "store/store_fixture.h"

namespace nta {

// One thread at a time. Shared memory beside a log is passed through: it holds nothing that lasts.
class FaultVfs {
 public:
  enum class Fault : std::uint8_t {
    kNone,
    kIoError,   // whatever is asked for fails
    kDiskFull,  // writes fail
    kBusy,      // locks are not given
    kKill,      // the process ends, as by SIGKILL
  };
  enum class Action : std::uint8_t { kCreate, kWrite, kHole, kTruncate, kSync, kDelete, kMark };
  struct Event {
    Action action{};
    std::string file{};
    std::int64_t offset = 0;  // of kTruncate the size, of kMark its value
    std::string data{};
    bool lasts = false;  // of kDelete: the directory is synced, too
  };

  // The default VFS of the process from now on.
  static FaultVfs& Install();

  // The operation `number` (from 1) from now on that the fault can hit gets it, and with `lasting`
  // every one after it.
  void FailAt(std::uint64_t number, Fault fault, bool lasting = false);
  // No fault any more; answers how many operations there were that the fault could hit.
  std::uint64_t Clear();
  bool was_hit() const { return hit_; }

  void StartRecording();
  void Mark(std::int64_t value);
  const std::vector<Event>& events() const { return events_; }
  std::vector<Event> TakeRecord();

  // For the methods of SQLite's structures.
  bool Hits(Fault possible, bool is_write);
  // Nothing is made for a record that nobody wants: it could not be had.
  bool is_recording() const { return recording_; }
  void Record(Event event);

 private:
  Fault fault_ = Fault::kNone;
  std::uint64_t number_ = 0;
  bool lasting_ = false;
  bool hit_ = false;
  std::uint64_t count_ = 0;
  bool recording_ = false;
  std::vector<Event> events_;
};

// What files a power failure leaves behind after the first `cut` of these events: what was synced,
// and of what was not each 512 bytes, cut and deletion at random, in part and in any order.
std::map<std::string, std::string> FilesAfterPowerFailure(
    const std::vector<FaultVfs::Event>& events, std::size_t cut, RandomFlows& random);

}  // namespace nta

#endif  // NTA_TESTS_STORE_FAULT_VFS_H_
