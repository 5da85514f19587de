// Descriptor: an open file that closes itself.
#ifndef NTA_BASE_DESCRIPTOR_H_
#define NTA_BASE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace nta::base {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  int get() const { return descriptor_; }
  bool valid() const { return descriptor_ >= 0; }
  void Close() { *this = Descriptor(); }

 private:
  int descriptor_ = -1;
};

}  // namespace nta::base

#endif  // NTA_BASE_DESCRIPTOR_H_
