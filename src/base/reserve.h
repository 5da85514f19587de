// Reserve: a file that is given up when the disk is full.
#ifndef NTA_BASE_RESERVE_H_
#define NTA_BASE_RESERVE_H_

#include <cstdint>
#include <string>
#include <utility>

namespace nta::base {

// One thread at a time.
class Reserve {
 public:
  // Of `bytes`; 0: there is none.
  Reserve(std::string path, std::uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {}

  // Takes the space when it is not taken yet. That there is none is no error: there will be, later.
  void Take();
  // Gives it up.
  void Release();

 private:
  std::string path_;
  std::uint64_t bytes_;
};

}  // namespace nta::base

#endif  // NTA_BASE_RESERVE_H_
