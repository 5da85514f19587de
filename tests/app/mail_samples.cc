#include "app/samples.h"

namespace nta::test {
namespace {

std::string Secret(std::string_view before, std::string_view after = "\r\n") {
  return std::string(before).append(kCanary).append(after);
}

std::vector<Sample> Make() {
  using enum MetadataField;
  const std::string plain = std::string("\0eve\0", 5).append(kCanary);
  return {
      {.name = "FTP: a wrong and a right password",
       .application = Application::kFtp,
       .turns = {S("220-Welcome\r\n220 FTP service ready\r\n"), C("USER alice\r\n"),
                 S("331 Password?\r\n"), C(Secret("PASS ")), S("530 Login incorrect.\r\n"),
                 C("USER alice\r\n"), S("331 Password?\r\n"), C(Secret("PASS x")),
                 S("230 Logged in.\r\n")},
       .metadata = {{kUserName, "alice"}, {kLoginFailures, "1"}, {kLoginSuccesses, "1"}}},
      {.name = "FTP: a greeting that says nothing",
       .application = Application::kFtp,
       .turns = {S("220 example.org ready\r\n"), C("USER bob\r\n"), S("331 Password?\r\n")},
       .metadata = {{kUserName, "bob"}, {kServerVersion, "example.org ready"}}},
      {.name = "FTP: a listing",
       .application = Application::kFtpData,
       .turns = {S("total 8\r\ndrwxr-xr-x   2 1000  1000   4096 Jan  1 00:00 files\r\n")}},
      {.name = "SMTP: PLAIN refused, LOGIN accepted",
       .application = Application::kSmtp,
       .turns = {S("220 mail.example.org ESMTP ready\r\n"), C("EHLO laptop\r\n"),
                 S("250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n"),
                 C("AUTH PLAIN " + Base64(plain) + "\r\n"), S("535 5.7.8 refused\r\n"),
                 C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"), C(Base64("eve") + "\r\n"),
                 S("334 UGFzc3dvcmQ6\r\n"), C(Base64(kCanary) + "\r\n"), S("235 2.7.0 welcome\r\n"),
                 C("MAIL FROM:<eve@example.org>\r\n")},
       .metadata = {{kServerName, "mail.example.org"},
                    {kHostName, "laptop"},
                    {kUserName, "eve"},
                    {kLoginFailures, "1"},
                    {kLoginSuccesses, "1"}}},
      {.name = "POP3: two wrong passwords",
       .application = Application::kPop3,
       .turns = {S("+OK POP3 ready <1@example.org>\r\n"), C("USER carol\r\n"), S("+OK\r\n"),
                 C(Secret("PASS ")), S("-ERR [AUTH] wrong\r\n"), C("USER carol\r\n"), S("+OK\r\n"),
                 C(Secret("PASS 2")), S("-ERR [AUTH] wrong\r\n")},
       .metadata = {{kUserName, "carol"}, {kLoginFailures, "2"}}},
      {.name = "IMAP: a literal as user name",
       .application = Application::kImap,
       .turns = {S("* OK [CAPABILITY IMAP4rev1] ready\r\n"), C("a1 LOGIN {4}\r\n"),
                 S("+ go ahead\r\n"), C("dave {13}\r\n"), S("+ go ahead\r\n"), C(Secret("")),
                 S("a1 NO [AUTHENTICATIONFAILED] wrong\r\n"),
                 C(Secret("a2 LOGIN dave \"", "\"\r\n")),
                 S("* CAPABILITY IMAP4rev1\r\na2 OK done\r\n")},
       .metadata = {{kUserName, "dave"}, {kLoginFailures, "1"}, {kLoginSuccesses, "1"}}},
      {.name = "TFTP: a read",
       .application = Application::kTftp,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Be16(1), Text("boot/image"), Zeros(1), Text("octet"), Zeros(1)}))},
       .metadata = {{kRequest, "read boot/image"}}},
      {.name = "TFTP: the transfer",
       .application = Application::kTftp,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Be16(3), Be16(1), Bytes(512, 'x')})), S(Join({Be16(4), Be16(1)}))}},
  };
}

}  // namespace

const std::vector<Sample>& MailSamples() {
  static const std::vector<Sample> kSamples = Make();
  return kSamples;
}

}  // namespace nta::test
