// Login: log-ins that a flow shows, by what the server answered or by the shape of the session.
#ifndef NTA_SRC_DETECT_LOGIN_H_
#define NTA_SRC_DETECT_LOGIN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "nta/flow/flow_record.h"

namespace nta::detect {

// How it is known.
enum class LoginEvidence : std::uint8_t {
  kCode = 0,   // the server said so
  kShape = 1,  // the session looks so
  kEvent = 2,  // the application said so
};

struct Logins {
  LoginEvidence evidence = LoginEvidence::kCode;
  std::uint32_t failed = 0;
  std::uint32_t succeeded = 0;
  // A refusal is part of ordinary use.
  bool is_web = false;
  std::string user;  // empty: not known
};

// Of a flow so far, or in all when it is over. Nothing when it shows no log-in.
std::optional<Logins> LoginsOf(const FlowRecord& flow, bool is_over);
// "ssh", "ftp": for sentences.
std::string LoginService(const FlowRecord& flow);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_LOGIN_H_
