// StaticFiles: the dashboard's files, read once at start. No path of a request ever touches the
// file system.
#ifndef NTA_SERVER_HTTP_STATIC_FILES_H_
#define NTA_SERVER_HTTP_STATIC_FILES_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/http.h"

namespace nta::server {

// Immutable, thread-safe.
class StaticFiles {
 public:
  // Reads the regular files of `directory` and below that have an extension a dashboard has; links
  // are not followed. An empty name, or a directory without index.html, gives a page that says how
  // to build the dashboard. ResourceExhausted over 64 MiB.
  static absl::StatusOr<StaticFiles> Load(const std::string& directory);

  // The file, or index.html for every path that names none (the dashboard's own routes); 304 when
  // the client has it.
  Response Get(std::string_view path, std::string_view if_none_match) const;
  bool has_dashboard() const { return has_dashboard_; }

 private:
  struct File {
    std::string content_type;
    std::string cache_control;
    std::string etag;
    std::shared_ptr<const std::string> content;
  };

  void Add(const std::string& path, std::string_view content_type, std::string content);

  std::map<std::string, File, std::less<>> files_;  // by URL path
  bool has_dashboard_ = false;
};

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_STATIC_FILES_H_
