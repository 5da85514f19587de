#include <algorithm>
#include <string>

#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  over TCP, the record mark: last fragment (1 bit), length (31)
//  call:  | xid | 0 | RPC version 2 | program | version | procedure | credentials | verifier |
//  reply: | xid | 1 | 0 accepted, 1 denied | verifier | status |        (RFC 5531)
//  credentials, verifier: | flavor | length, up to 400 | ... |
constexpr std::uint32_t kCall = 0;
constexpr std::uint32_t kReply = 1;
constexpr std::uint32_t kMaxAuthBytes = 400;
constexpr std::uint32_t kAuthSys = 1;
constexpr std::uint32_t kNfs = 100003;

struct Message {
  std::uint32_t type = 0;
  std::uint32_t program = 0;
  std::uint32_t version = 0;
  std::uint32_t procedure = 0;
  std::uint32_t flavor = 0;
  Bytes credentials;
  std::uint32_t reply_status = 0;
  std::uint32_t accept_status = 0;
};

bool IsFlavor(std::uint32_t flavor) { return flavor <= 7 || flavor / 10000 == 39; }

bool ReadCall(base::ByteCursor& cursor, Message& message) {
  const std::uint32_t rpc_version = cursor.U32();
  message.program = cursor.U32();
  message.version = cursor.U32();
  message.procedure = cursor.U32();
  message.flavor = cursor.U32();
  const std::uint32_t size = cursor.U32();
  if (!cursor.ok() || rpc_version != 2 || message.version > 255 || message.procedure > 1023)
    return false;
  message.credentials = cursor.rest().first(size <= cursor.remaining() ? size : 0);
  return message.program >= 100000 && IsFlavor(message.flavor) && size <= kMaxAuthBytes;
}

bool ReadReply(base::ByteCursor& cursor, Message& message) {
  message.reply_status = cursor.U32();
  if (message.reply_status == 1) {  // RPC mismatch or authentication error
    return cursor.U32() <= 1 && cursor.remaining() <= 8 && cursor.ok();
  }
  const std::uint32_t flavor = cursor.U32();
  const std::uint32_t size = cursor.U32();
  if (message.reply_status != 0 || !IsFlavor(flavor) || size > kMaxAuthBytes) return false;
  cursor.Skip((size + 3) / 4 * 4);
  message.accept_status = cursor.U32();
  return cursor.ok() && message.accept_status <= 5;
}

bool ReadMessage(Bytes bytes, Message& message) {
  base::ByteCursor cursor(bytes);
  const std::uint32_t xid = cursor.U32();
  message.type = cursor.U32();
  if (!cursor.ok() || xid == 0) return false;
  if (message.type == kCall) return ReadCall(cursor, message);
  return message.type == kReply && ReadReply(cursor, message);
}

std::string_view ProgramName(std::uint32_t program) {
  switch (program) {
    case 100000:
      return "portmap";
    case 100003:
      return "nfs";
    case 100004:
      return "ypserv";
    case 100005:
      return "mount";
    case 100011:
      return "rquota";
    case 100021:
      return "nlm";
    case 100024:
      return "status";
    case 100227:
      return "nfs_acl";
    default:
      return "";
  }
}

// AUTH_SYS: | stamp | length | machine name | uid ... |
void ReadMachineName(const Message& message, Findings& findings) {
  if (message.flavor != kAuthSys) return;
  base::ByteCursor cursor(message.credentials);
  cursor.Skip(4);
  const std::uint32_t size = cursor.U32();
  if (size <= 255) SetFirst(findings, MetadataField::kHostName, cursor.Bytes(size));
}

void ReadContents(Bytes bytes, Findings& findings) {
  Message message;
  if (!ReadMessage(bytes, message)) return;
  if (message.type == kReply) {
    if (message.reply_status == 1) {
      findings.SetFirst(MetadataField::kResponse, "denied");
    } else {
      findings.SetFirst(MetadataField::kResponse,
                        message.accept_status == 0
                            ? "success"
                            : "error " + std::to_string(message.accept_status));
    }
    return;
  }
  if (message.program == kNfs) findings.SetApplication(Application::kNfs);
  ReadMachineName(message, findings);
  if (!findings.Get(MetadataField::kRequest).empty()) return;
  const std::string_view name = ProgramName(message.program);
  std::string text =
      name.empty() ? "program " + std::to_string(message.program) : std::string(name);
  text +=
      " v" + std::to_string(message.version) + " procedure " + std::to_string(message.procedure);
  findings.SetFirst(MetadataField::kRequest, text);
}

bool IsRpc(const Payload& payload) {
  Message message;
  if (!ReadMessage(payload.bytes, message)) return false;
  // A reply alone is mostly zeros: its port must agree.
  return message.type == kCall || payload.HasPort(111) || payload.HasPort(2049) ||
         payload.packet.source_port < 1024;
}

void ReadRpc(const Payload& payload, Findings& findings) { ReadContents(payload.bytes, findings); }

constexpr std::uint32_t kLastFragment = 0x80000000;
constexpr std::size_t kMarkBytes = 4;

Verdict MatchStream(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint32_t mark = cursor.U32();
  if (!cursor.ok()) return MoreUnlessLast(payload);
  const std::uint32_t size = mark & ~kLastFragment;
  if ((mark & kLastFragment) == 0 || size < 16 || size > (1u << 21)) return Verdict::kNo;
  Message message;
  if (ReadMessage(cursor.rest(), message)) return Verdict::kYes;
  constexpr std::size_t kEnough = 64;
  return cursor.remaining() < kEnough && cursor.remaining() < size && payload.is_start
             ? MoreUnlessLast(payload)
             : Verdict::kNo;
}

ParseResult ParseStream(const Payload& payload, Findings& findings) {
  const auto size_of = [](Bytes bytes) -> std::size_t {
    if (bytes.size() < kMarkBytes) return 0;
    return kMarkBytes + (base::ByteCursor(bytes).U32() & ~kLastFragment);
  };
  return ReadFrames(payload, size_of, [&](Bytes bytes) {
    ReadContents(bytes.subspan(std::min(kMarkBytes, bytes.size())), findings);
    const bool is_complete = !findings.Get(MetadataField::kRequest).empty() &&
                             !findings.Get(MetadataField::kResponse).empty();
    return is_complete ? ParseNext::kDone : ParseNext::kMore;
  });
}

}  // namespace

constinit const Parser kRpcParser = {
    .application = Application::kRpc,
    .match = MatchEach<IsRpc>,
    .parse = ReadEach<ReadRpc>,
};
constinit const Parser kRpcStreamParser = {
    .application = Application::kRpc,
    .match = MatchStream,
    .parse = ParseStream,
    .first_bytes = FirstBytes::Of({0x80}),
};

}  // namespace nta::internal
