#include "notify/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace nta::notify {
namespace {

constexpr std::string_view kMagic = "nta1";
constexpr std::string_view kSuffix = ".news";
constexpr std::size_t kLongestFile = 4 << 20;

std::uint64_t Checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return hash;
}

void PutNumber(std::string& bytes, std::uint64_t number, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xff);
}
void PutText(std::string& bytes, std::string_view text) {
  PutNumber(bytes, text.size(), 4);
  bytes += text;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t Number(int size) {
    const auto wanted = static_cast<std::size_t>(size);
    if (bytes_.size() < wanted) return Fail(), 0;
    std::uint64_t number = 0;
    for (std::size_t i = wanted; i > 0; --i) {
      number = number << 8 | static_cast<std::uint8_t>(bytes_[i - 1]);
    }
    bytes_.remove_prefix(wanted);
    return number;
  }
  std::string Text() {
    const std::uint64_t size = Number(4);
    if (size > bytes_.size()) return Fail(), "";
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }
  Timestamp Time() { return Timestamp(Duration(static_cast<std::int64_t>(Number(8)))); }
  bool AtEnd() const { return ok_ && bytes_.empty(); }
  bool ok() const { return ok_; }

 private:
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  std::string_view bytes_;
  bool ok_ = true;
};

void PutTime(std::string& bytes, Timestamp time) {
  PutNumber(bytes, static_cast<std::uint64_t>(time.time_since_epoch().count()), 8);
}

absl::Status Failed(const std::string& what) { return base::ErrnoStatus(errno, what); }

absl::Status WriteFile(const std::string& path, std::string_view bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return Failed("cannot write the queue of notifications");
  absl::Status status;
  while (!bytes.empty() && status.ok()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      status = Failed("cannot write the queue of notifications");
    }
  }
  if (status.ok() && fsync(file) != 0) status = Failed("cannot write the queue of notifications");
  close(file);
  return status;
}

std::optional<std::string> ReadFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return std::nullopt;
  std::string bytes(kLongestFile, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = read(file, bytes.data() + size, bytes.size() - size);
    if (count == 0 || (count < 0 && errno != EINTR)) break;
    if (count > 0) size += static_cast<std::size_t>(count);
  }
  close(file);
  bytes.resize(size);
  return bytes;
}

std::optional<std::uint64_t> NumberOf(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string Encode(const Entry& entry) {
  const Notification& news = entry.news;
  std::string body;
  PutText(body, entry.channel);
  PutText(body, entry.route);
  PutTime(body, entry.offered);
  PutTime(body, entry.due);
  PutTime(body, news.time);
  PutNumber(body, static_cast<std::uint64_t>(news.severity), 1);
  for (const std::string* text : {&news.id, &news.kind, &news.subject, &news.text, &news.json,
                                  &news.alert_class, &news.state}) {
    PutText(body, *text);
  }
  PutNumber(body, news.facts.size(), 4);
  for (const auto& [name, value] : news.facts) {
    PutText(body, name);
    PutText(body, value);
  }
  std::string bytes(kMagic);
  PutNumber(bytes, Checksum(body), 8);
  return bytes + body;
}

std::optional<Entry> Decode(std::string_view bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + 8) return std::nullopt;
  bytes.remove_prefix(kMagic.size());
  if (Reader(bytes.substr(0, 8)).Number(8) != Checksum(bytes.substr(8))) return std::nullopt;
  Reader reader(bytes.substr(8));
  Entry entry;
  Notification& news = entry.news;
  entry.channel = reader.Text();
  entry.route = reader.Text();
  entry.offered = reader.Time();
  entry.due = reader.Time();
  news.time = reader.Time();
  const std::uint64_t severity = reader.Number(1);
  for (std::string* text : {&news.id, &news.kind, &news.subject, &news.text, &news.json,
                            &news.alert_class, &news.state}) {
    *text = reader.Text();
  }
  const std::uint64_t facts = reader.Number(4);
  for (std::uint64_t i = 0; i < facts && reader.ok(); ++i) {
    std::string name = reader.Text();
    news.facts.emplace_back(std::move(name), reader.Text());
  }
  if (!reader.AtEnd() || severity > static_cast<std::uint64_t>(Severity::kCritical)) {
    return std::nullopt;
  }
  news.severity = static_cast<Severity>(severity);
  entry.bytes = bytes.size() + kMagic.size();
  return entry;
}

std::string Spool::PathOf(std::uint64_t number) const {
  return directory_ + absl::StrFormat("/%020d", number) + std::string(kSuffix);
}

absl::StatusOr<Spool> Spool::Open(std::string directory, std::vector<Entry>& entries,
                                  std::uint64_t& damaged) {
  if (mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return Failed("cannot make the directory \"" + directory + "\"");
  }
  DIR* stream = opendir(directory.c_str());
  if (stream == nullptr) return Failed("cannot open the directory \"" + directory + "\"");
  Spool spool(std::move(directory));
  std::vector<std::string> unfinished;
  while (const dirent* found = readdir(stream)) {
    const std::string name = found->d_name;
    if (name.ends_with(".part")) unfinished.push_back(name);
    const auto number = NumberOf(name);
    if (!number) continue;
    const std::string path = spool.directory_ + "/" + name;
    const auto bytes = ReadFile(path);
    std::optional<Entry> entry = bytes ? Decode(*bytes) : std::nullopt;
    if (!entry) {
      ++damaged;
      std::rename(path.c_str(), (path + ".bad").c_str());
      continue;
    }
    entry->number = *number;
    entries.push_back(*std::move(entry));
  }
  closedir(stream);
  for (const std::string& name : unfinished) unlink((spool.directory_ + "/" + name).c_str());
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.number < b.number; });
  return spool;
}

absl::Status Spool::Write(const Entry& entry) {
  const std::string path = PathOf(entry.number);
  const std::string part = path + ".part";
  const absl::Status written = WriteFile(part, Encode(entry));
  if (!written.ok()) {
    unlink(part.c_str());
    return written;
  }
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    return Failed("cannot write the queue of notifications");
  }
  const int directory = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    fsync(directory);
    close(directory);
  }
  return absl::OkStatus();
}

void Spool::Remove(const Entry& entry) { unlink(PathOf(entry.number).c_str()); }

}  // namespace nta::notify
