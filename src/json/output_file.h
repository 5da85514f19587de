// OutputFile: a file that is there when it is complete, or as it was before.
#ifndef NTA_JSON_OUTPUT_FILE_H_
#define NTA_JSON_OUTPUT_FILE_H_

#include <fstream>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace nta::json {

// What is no regular file (a terminal, a pipe) is written as it comes.
class OutputFile {
 public:
  explicit OutputFile(std::string name);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  absl::Status status() const;
  absl::Status Write(std::string_view text);
  absl::Status Complete();

 private:
  const std::string name_;
  const bool is_direct_;
  const std::string written_;
  std::ofstream file_;
  bool is_complete_ = false;
};

}  // namespace nta::json

#endif  // NTA_JSON_OUTPUT_FILE_H_
