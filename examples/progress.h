// ProgressSource: shows on a terminal how far a source has come.
#ifndef NTA_EXAMPLES_PROGRESS_H_
#define NTA_EXAMPLES_PROGRESS_H_

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "nta/capture/packet_source.h"

class ProgressSource final : public nta::PacketSource {
 public:
  // Borrows `source`. Keeps quiet unless stderr is a terminal.
  explicit ProgressSource(nta::PacketSource& source)
      : source_(source), is_shown_(isatty(STDERR_FILENO) == 1) {}
  ~ProgressSource() override {
    if (is_shown_) std::fputs("\r\033[K", stderr);
  }

  absl::StatusOr<nta::ReadResult> Read(nta::PacketBatch& batch) override {
    if (is_shown_ && ++reads_ % 64 == 0) Show();
    return source_.Read(batch);
  }
  std::shared_ptr<const void> Retain() override { return source_.Retain(); }
  nta::CaptureStats Stats() const override { return source_.Stats(); }
  bool is_live() const override { return source_.is_live(); }
  std::string name() const override { return source_.name(); }
  std::vector<nta::CaptureInterface> Interfaces() const override { return source_.Interfaces(); }

 private:
  void Show() {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    const nta::CaptureStats stats = source_.Stats();
    const auto packets = static_cast<unsigned long long>(stats.received);
    if (stats.bytes_total == 0) {
      std::fprintf(stderr, "\r%llu packets\033[K", packets);
    } else {
      const double done =
          static_cast<double>(stats.bytes_read) / static_cast<double>(stats.bytes_total);
      std::fprintf(stderr, "\r%3.0f %%, %llu packets\033[K", 100 * done, packets);
    }
    std::fflush(stderr);
  }

  nta::PacketSource& source_;
  const bool is_shown_;
  unsigned reads_ = 0;
  std::chrono::steady_clock::time_point shown_{};
};

#endif  // NTA_EXAMPLES_PROGRESS_H_
