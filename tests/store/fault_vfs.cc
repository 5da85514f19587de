#include "store/fault_vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "store/free_pages.h"

namespace nta {
namespace {

using Fault = FaultVfs::Fault;
using Action = FaultVfs::Action;

FaultVfs fault_vfs;
sqlite3_vfs* below = nullptr;

struct File {
  sqlite3_file base;
  const char* name;
  sqlite3_file* real;
};

File& Of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Of(file).real; }
const sqlite3_io_methods& Methods(sqlite3_file* file) { return *Real(file)->pMethods; }

int Close(sqlite3_file* file) {
  const int result = Real(file)->pMethods == nullptr ? SQLITE_OK : Methods(file).xClose(Real(file));
  return result;
}

int Read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  if (fault_vfs.Hits(Fault::kIoError, false)) return SQLITE_IOERR_READ;
  return Methods(file).xRead(Real(file), data, size, offset);
}

int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (fault_vfs.Hits(Fault::kIoError, true)) return SQLITE_IOERR_WRITE;
  if (fault_vfs.Hits(Fault::kDiskFull, true)) return SQLITE_FULL;
  if (fault_vfs.is_recording())
    fault_vfs.Record(
        {.action = Action::kWrite,
         .file = Of(file).name,
         .offset = offset,
         .data = std::string(static_cast<const char*>(data), static_cast<std::size_t>(size))});
  return Methods(file).xWrite(Real(file), data, size, offset);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (fault_vfs.Hits(Fault::kIoError, true)) return SQLITE_IOERR_TRUNCATE;
  if (fault_vfs.is_recording())
    fault_vfs.Record({.action = Action::kTruncate, .file = Of(file).name, .offset = size});
  return Methods(file).xTruncate(Real(file), size);
}

int Sync(sqlite3_file* file, int flags) {
  if (fault_vfs.Hits(Fault::kIoError, true)) return SQLITE_IOERR_FSYNC;
  if (fault_vfs.is_recording()) fault_vfs.Record({.action = Action::kSync, .file = Of(file).name});
  // The disk is simulated; nobody needs to wait for the real one.
  static_cast<void>(flags);
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  if (fault_vfs.Hits(Fault::kIoError, false)) return SQLITE_IOERR_FSTAT;
  return Methods(file).xFileSize(Real(file), size);
}

int Lock(sqlite3_file* file, int level) {
  if (fault_vfs.Hits(Fault::kIoError, false)) return SQLITE_IOERR_LOCK;
  if (fault_vfs.Hits(Fault::kBusy, false)) return SQLITE_BUSY;
  return Methods(file).xLock(Real(file), level);
}

// A lock that cannot be given back would be the fault of no disk.
int Unlock(sqlite3_file* file, int level) { return Methods(file).xUnlock(Real(file), level); }

int CheckReservedLock(sqlite3_file* file, int* result) {
  return Methods(file).xCheckReservedLock(Real(file), result);
}

// As a disk may do it: like a write of zeros that nobody syncs.
int PunchHole(sqlite3_file* file, const store::FileRange& range) {
  if (fault_vfs.Hits(Fault::kIoError, true)) return SQLITE_IOERR_WRITE;
  const std::string zeros(range.size, '\0');
  const auto offset = static_cast<sqlite3_int64>(range.offset);
  if (fault_vfs.is_recording())
    fault_vfs.Record(
        {.action = Action::kHole, .file = Of(file).name, .offset = offset, .data = zeros});
  return Methods(file).xWrite(Real(file), zeros.data(), static_cast<int>(zeros.size()), offset);
}

int FileControl(sqlite3_file* file, int operation, void* argument) {
  if (operation == store::kPunchHoleControl) {
    return PunchHole(file, *static_cast<const store::FileRange*>(argument));
  }
  return Methods(file).xFileControl(Real(file), operation, argument);
}

int SectorSize(sqlite3_file* file) { return Methods(file).xSectorSize(Real(file)); }

int DeviceCharacteristics(sqlite3_file* file) {
  return Methods(file).xDeviceCharacteristics(Real(file));
}

int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  if (fault_vfs.Hits(Fault::kIoError, false)) return SQLITE_IOERR_SHMMAP;
  return Methods(file).xShmMap(Real(file), page, size, extend, memory);
}

int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  if ((flags & SQLITE_SHM_LOCK) != 0) {
    if (fault_vfs.Hits(Fault::kIoError, false)) return SQLITE_IOERR_SHMLOCK;
    if (fault_vfs.Hits(Fault::kBusy, false)) return SQLITE_BUSY;
  }
  return Methods(file).xShmLock(Real(file), offset, count, flags);
}

void ShmBarrier(sqlite3_file* file) { Methods(file).xShmBarrier(Real(file)); }
int ShmUnmap(sqlite3_file* file, int remove) { return Methods(file).xShmUnmap(Real(file), remove); }

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Unlock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics,
    .xShmMap = ShmMap,
    .xShmLock = ShmLock,
    .xShmBarrier = ShmBarrier,
    .xShmUnmap = ShmUnmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int Open(sqlite3_vfs*, sqlite3_filename path, sqlite3_file* file, int flags, int* out_flags) {
  File& opened = Of(file);
  opened.base.pMethods = nullptr;
  if (fault_vfs.Hits(Fault::kIoError, false)) return SQLITE_CANTOPEN;
  opened.real = reinterpret_cast<sqlite3_file*>(&opened + 1);
  int existed = 0;
  if (path != nullptr) below->xAccess(below, path, SQLITE_ACCESS_EXISTS, &existed);
  const int result = below->xOpen(below, path, opened.real, flags, out_flags);
  if (result != SQLITE_OK) return result;
  opened.name = path == nullptr ? "" : path;  // which lives as long as the file
  opened.base.pMethods = &kMethods;
  if (existed == 0 && fault_vfs.is_recording())
    fault_vfs.Record({.action = Action::kCreate, .file = opened.name});
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* path, int sync_directory) {
  if (fault_vfs.Hits(Fault::kIoError, true)) return SQLITE_IOERR_DELETE;
  if (fault_vfs.is_recording())
    fault_vfs.Record({.action = Action::kDelete, .file = path, .lasts = sync_directory != 0});
  return below->xDelete(below, path, 0);
}

int Access(sqlite3_vfs*, const char* path, int flags, int* result) {
  if (fault_vfs.Hits(Fault::kIoError, false)) return SQLITE_IOERR_ACCESS;
  return below->xAccess(below, path, flags, result);
}

// A file as a power failure may find it.
class DiskFile {
 public:
  void Add(const FaultVfs::Event& event) { pending_.push_back(&event); }
  void Sync() {
    for (const FaultVfs::Event* event : pending_) Apply(*event, 0, event->data.size());
    pending_.clear();
    exists_ = true;
  }
  void Exists() { exists_ = true; }
  bool exists() const { return exists_; }
  // Deleted, but not surely.
  void Doubt() { is_in_doubt_ = true; }

  // False: it is not there.
  bool Fail(RandomFlows& random) {
    if ((!exists_ || is_in_doubt_) && random.Below(2) == 0) return false;
    const std::uint64_t kept = random.Below(4);  // of four: none, some, some, all
    for (const FaultVfs::Event* event : pending_) {
      if (kept == 0) break;
      if (kept == 3) {
        Apply(*event, 0, event->data.size());
      } else if (event->action == Action::kTruncate) {
        if (random.Below(2) == 0) Apply(*event, 0, 0);
      } else {
        ApplySectors(*event, random);
      }
    }
    return true;
  }
  const std::string& contents() const { return contents_; }

 private:
  void Apply(const FaultVfs::Event& event, std::size_t from, std::size_t until) {
    const auto offset = static_cast<std::size_t>(event.offset);
    if (event.action == Action::kTruncate) {
      contents_.resize(offset);
      return;
    }
    if (contents_.size() < offset + until) contents_.resize(offset + until);
    contents_.replace(offset + from, until - from, event.data, from, until - from);
  }
  void ApplySectors(const FaultVfs::Event& event, RandomFlows& random) {
    constexpr std::size_t kSector = 512;
    const std::size_t size = event.data.size();
    for (std::size_t from = 0; from < size; from += kSector) {
      const std::size_t until = std::min(from + kSector, size);
      const std::uint64_t fate = random.Below(8);
      if (fate < 4) Apply(event, from, until);
      if (fate == 4) Apply(event, from, from + random.Below(until - from));  // torn
    }
  }

  std::string contents_;
  std::vector<const FaultVfs::Event*> pending_;
  bool exists_ = false;
  bool is_in_doubt_ = false;
};

}  // namespace

FaultVfs& FaultVfs::Install() {
  static sqlite3_vfs vfs = [] {
    below = sqlite3_vfs_find(nullptr);
    sqlite3_vfs copy = *below;
    copy.zName = "nta_faults";
    copy.pNext = nullptr;
    copy.szOsFile = static_cast<int>(sizeof(File)) + below->szOsFile;
    copy.xOpen = Open;
    copy.xDelete = Delete;
    copy.xAccess = Access;
    return copy;
  }();
  sqlite3_vfs_register(&vfs, 1);
  return fault_vfs;
}

void FaultVfs::FailAt(std::uint64_t number, Fault fault, bool lasting) {
  number_ = number;
  fault_ = fault;
  lasting_ = lasting;
  hit_ = false;
  count_ = 0;
}

std::uint64_t FaultVfs::Clear() {
  fault_ = Fault::kNone;
  return std::exchange(count_, 0);
}

bool FaultVfs::Hits(Fault possible, bool is_write) {
  // A kill may come at any operation, and is counted where I/O errors are.
  const bool counts = possible == fault_ || (fault_ == Fault::kKill && possible == Fault::kIoError);
  if (!counts || (fault_ == Fault::kDiskFull && !is_write)) return false;
  ++count_;
  if (count_ != number_ && !(lasting_ && count_ > number_)) return false;
  if (fault_ == Fault::kKill) kill(getpid(), SIGKILL);
  hit_ = true;
  return true;
}

void FaultVfs::StartRecording() {
  events_.clear();
  recording_ = true;
}

void FaultVfs::Mark(std::int64_t value) {
  if (recording_) Record({.action = Action::kMark, .offset = value});
}

std::vector<FaultVfs::Event> FaultVfs::TakeRecord() {
  recording_ = false;
  return std::exchange(events_, {});
}

void FaultVfs::Record(Event event) { events_.push_back(std::move(event)); }

std::map<std::string, std::string> FilesAfterPowerFailure(
    const std::vector<FaultVfs::Event>& events, std::size_t cut, RandomFlows& random) {
  std::map<std::string, DiskFile> files;
  std::map<std::string, DiskFile> deleted;  // but perhaps still there
  for (std::size_t i = 0; i < cut; ++i) {
    const FaultVfs::Event& event = events[i];
    if (event.action == Action::kMark) continue;
    const auto [found, is_new] = files.try_emplace(event.file);
    DiskFile& file = found->second;
    if (is_new && event.action != Action::kCreate) file.Exists();
    switch (event.action) {
      case Action::kWrite:
      case Action::kHole:
      case Action::kTruncate:
        file.Add(event);
        break;
      case Action::kSync:
        // SQLite syncs the directory of a new log with its first sync.
        if (!file.exists()) deleted.clear();
        file.Sync();
        break;
      case Action::kDelete:
        if (!event.lasts) {
          file.Doubt();
          deleted[event.file] = std::move(file);
        }
        files.erase(found);
        break;
      default:
        break;
    }
  }
  std::map<std::string, std::string> left;
  for (auto* group : {&deleted, &files}) {
    for (auto& [name, file] : *group) {
      if (file.Fail(random)) left[name] = file.contents();
    }
  }
  return left;
}

}  // namespace nta
