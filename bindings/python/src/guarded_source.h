// GuardedSource: a packet source that Python may close, and use from any thread, at any time.
#ifndef NTA_BINDINGS_PYTHON_GUARDED_SOURCE_H_
#define NTA_BINDINGS_PYTHON_GUARDED_SOURCE_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nta/capture/packet_source.h"

namespace nta::python {

// Pipelines and iterators borrow it, never the source inside, so that closing cannot leave them
// with a dangling one.
class GuardedSource : public PacketSource {
 public:
  explicit GuardedSource(std::unique_ptr<PacketSource> source)
      : source_(std::move(source)),
        is_live_(source_->is_live()),
        name_(source_->name()),
        stats_(source_->Stats()),
        interfaces_(source_->Interfaces()) {}

  // The right to call Read and to look at what it gave, for one thread at a time.
  class Session {
   public:
    explicit Session(GuardedSource& source) : source_(source), status_(source.Enter()) {}
    ~Session() {
      if (status_.ok()) source_.Leave();
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // FailedPrecondition when the source is closed or another thread has a session.
    const absl::Status& status() const { return status_; }

   private:
    GuardedSource& source_;
    const absl::Status status_;
  };

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  absl::StatusOr<ReadResult> ReadNow(PacketBatch& batch) override;
  std::shared_ptr<const void> Retain() override { return source_->Retain(); }
  int descriptor() const override { return source_->descriptor(); }
  // As of the last Read, so that asking never waits for a Read that waits for packets.
  CaptureStats Stats() const override;
  std::vector<CaptureInterface> Interfaces() const override;
  bool is_live() const override { return is_live_; }
  std::string name() const override { return name_; }

  // Later reads fail with FailedPrecondition. A session that is under way keeps its packets.
  virtual void Close();

 protected:
  PacketSource& source() { return *source_; }

 private:
  using Reader = absl::StatusOr<ReadResult> (PacketSource::*)(PacketBatch&);
  absl::StatusOr<ReadResult> ReadWith(Reader reader, PacketBatch& batch);
  absl::Status Enter();
  void Leave();

  std::unique_ptr<PacketSource> source_;
  const bool is_live_;
  const std::string name_;
  mutable std::mutex mutex_;  // of what follows; never held while reading
  bool in_session_ = false;
  bool closed_ = false;
  CaptureStats stats_;
  std::vector<CaptureInterface> interfaces_;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_GUARDED_SOURCE_H_
