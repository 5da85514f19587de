#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/descriptor.h"
#include "base/status.h"
#include "log/byte_stream.h"
#include "log/file_set.h"

namespace nta::log {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{128} << 10;

absl::Status WriteAll(int file, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(file, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::ErrnoStatus(errno, "cannot pack a log file");
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return absl::OkStatus();
}

absl::Status NoMemory() {
  return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory to pack a log file");
}

absl::Status PackGzip(ByteStream& input, int output) {
  z_stream stream{};
  constexpr int kGzip = 16;
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return NoMemory();
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, deflateEnd);
  std::vector<char> in(kChunkBytes);
  std::vector<char> out(kChunkBytes);
  std::size_t size = 0;
  do {
    NTA_ASSIGN_OR_RETURN(size, input.Read(in));
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(size);
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      deflate(&stream, size == 0 ? Z_FINISH : Z_NO_FLUSH);
      NTA_RETURN_IF_ERROR(WriteAll(output, std::span(out).first(out.size() - stream.avail_out)));
    } while (stream.avail_out == 0);
  } while (size > 0);
  return absl::OkStatus();
}

absl::Status PackZstd(ByteStream& input, int output) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                        ZSTD_freeCCtx);
  if (context == nullptr) return NoMemory();
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<char> in(kChunkBytes);
  std::vector<char> out(kChunkBytes);
  std::size_t size = 0;
  do {
    NTA_ASSIGN_OR_RETURN(size, input.Read(in));
    const ZSTD_EndDirective directive = size == 0 ? ZSTD_e_end : ZSTD_e_continue;
    ZSTD_inBuffer from{in.data(), size, 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      left = ZSTD_compressStream2(context.get(), &to, &from, directive);
      if (ZSTD_isError(left) != 0) return NoMemory();
      NTA_RETURN_IF_ERROR(WriteAll(output, std::span(out).first(to.pos)));
    } while (from.pos < from.size || (size == 0 && left > 0));
  } while (size > 0);
  return absl::OkStatus();
}

absl::Status PackInto(const PutAside& file, LogCompression packing, const std::string& target) {
  base::Descriptor input(open(file.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (input.get() < 0 || fstat(input.get(), &info) != 0) {
    return base::ErrnoStatus(errno, "cannot read \"" + file.path + '"');
  }
  const base::Descriptor output(open(
      target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (output.get() < 0) return base::ErrnoStatus(errno, "cannot create \"" + target + '"');
  NTA_ASSIGN_OR_RETURN(const std::unique_ptr<ByteStream> bytes,
                       ByteStream::Create(std::move(input), LogCompression::kNone));
  NTA_RETURN_IF_ERROR(packing == LogCompression::kGzip ? PackGzip(*bytes, output.get())
                                                       : PackZstd(*bytes, output.get()));
  // Readers pass over files by the time of the last line.
  const std::array<timespec, 2> times = {info.st_mtim, info.st_mtim};
  futimens(output.get(), times.data());
  if (fsync(output.get()) == 0) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot write \"" + target + '"');
}

}  // namespace

absl::Status Pack(const PutAside& file, LogCompression packing) {
  const std::string packed = file.path + std::string(Extension(packing));
  const std::string unfinished = packed + ".tmp";
  const absl::Status status = PackInto(file, packing, unfinished);
  if (!status.ok()) {
    unlink(unfinished.c_str());
    return status;
  }
  // The complete packed file has its name before the other one goes.
  if (rename(unfinished.c_str(), packed.c_str()) != 0) {
    return base::ErrnoStatus(errno, "cannot rename \"" + unfinished + '"');
  }
  NTA_RETURN_IF_ERROR(SyncDirectory(packed));
  if (unlink(file.path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot remove \"" + file.path + '"');
}

}  // namespace nta::log
