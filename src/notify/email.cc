#include "nta/notify/email.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/utf8.h"
#include "notify/curl.h"
#include "notify/text.h"

namespace nta {
namespace {

constexpr std::size_t kLongestSubject = 200;
constexpr std::size_t kLongestText = 64 << 10;
constexpr std::size_t kMostRecipients = 50;

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f;
  });
}

// One plain address: nothing that could end the header or the SMTP command it stands in.
absl::Status CheckAddress(std::string_view what, std::string_view address) {
  const bool plain = std::all_of(address.begin(), address.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.@").find(c) != std::string_view::npos;
  });
  const std::size_t at = address.find('@');
  const bool split = at != std::string_view::npos && at > 0 && at + 1 < address.size() &&
                     address.find('@', at + 1) == std::string_view::npos;
  if (plain && split && address.size() <= 254) return absl::OkStatus();
  return base::InvalidArgument(std::string(what) + " is no e-mail address");
}

absl::Status CheckHost(std::string_view host) {
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == ':';
  });
  if (!host.empty() && host.size() <= 253 && plain) return absl::OkStatus();
  return base::InvalidArgument("the mail server is a host name or an address");
}

// RFC 2047: words of at most 75 characters, each of whole UTF-8 characters.
std::string EncodeHeader(std::string_view text) {
  if (IsAscii(text)) return std::string(text);
  constexpr std::size_t kBytesAWord = 42;
  std::string header;
  while (!text.empty()) {
    std::size_t size = std::min(text.size(), kBytesAWord);
    while (size < text.size() && size > 0 &&
           (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
      --size;
    header += (header.empty() ? "" : "\r\n ") +
              ("=?UTF-8?B?" + notify::Base64(text.substr(0, size))) + "?=";
    text.remove_prefix(size);
  }
  return header;
}

// RFC 5322, in UTC.
std::string MailDate(Timestamp now) {
  using namespace std::chrono;
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto midnight = floor<days>(now);
  const year_month_day date(midnight);
  const auto time = floor<seconds>(now - midnight).count();
  return absl::StrFormat("%s, %02d %s %04d %02d:%02d:%02d +0000",
                         kDays[weekday(midnight).c_encoding()], unsigned{date.day()},
                         kMonths[unsigned{date.month()} - 1], int{date.year()}, time / 3600,
                         time / 60 % 60, time % 60);
}

std::string PlainText(const Notification& news) {
  std::string text = news.text + "\n";
  if (news.kind != "digest") {
    text += "\n";
    for (const auto& [name, value] : news.facts) text += name + ": " + value + "\n";
  }
  return notify::Lines(text, kLongestText);
}

std::string Html(const Notification& news) {
  std::string html = "<!DOCTYPE html><html><body style=\"font-family:sans-serif\"><h2>" +
                     notify::EscapeHtml(base::PrintableUtf8(news.subject, kLongestSubject)) +
                     "</h2>";
  if (news.kind != "digest") {
    html += "<p>" + notify::EscapeHtml(notify::Lines(news.text, kLongestText)) + "</p>";
  }
  html += "<table>";
  for (const auto& [name, value] : news.facts) {
    html += "<tr><th align=\"left\">" + notify::EscapeHtml(base::PrintableUtf8(name, 1000)) +
            "</th><td>" + notify::EscapeHtml(base::PrintableUtf8(value, 4000)) + "</td></tr>";
  }
  return html + "</table></body></html>";
}

std::string Part(std::string_view boundary, std::string_view type, std::string_view content) {
  constexpr std::size_t kLine = 76;
  std::string part = "--" + std::string(boundary) + "\r\nContent-Type: " + std::string(type) +
                     "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  const std::string encoded = notify::Base64(content);
  for (std::size_t i = 0; i < encoded.size(); i += kLine) {
    part += encoded.substr(i, kLine) + "\r\n";
  }
  return part;
}

// Letters and digits of the id, so that it can stand in a header.
std::string MessageId(const EmailOptions& options, const Notification& news, Timestamp now) {
  std::string id;
  for (const char c : news.id.substr(0, 100)) {
    id += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '.';
  }
  return "<" + id + "." + std::to_string(now.time_since_epoch().count()) + "@" +
         options.from.substr(options.from.find('@') + 1) + ">";
}

struct Upload {
  std::string_view rest;
};

std::size_t ReadUpload(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto& upload = *static_cast<Upload*>(context);
  const std::size_t bytes = upload.rest.copy(buffer, size * count);
  upload.rest.remove_prefix(bytes);
  return bytes;
}

}  // namespace

std::string_view ToString(EmailSecurity security) {
  switch (security) {
    case EmailSecurity::kStartTls:
      return "starttls";
    case EmailSecurity::kTls:
      return "tls";
    case EmailSecurity::kNone:
      return "none";
  }
  return "";
}

absl::StatusOr<EmailSecurity> ParseEmailSecurity(std::string_view text) {
  for (const EmailSecurity one :
       {EmailSecurity::kStartTls, EmailSecurity::kTls, EmailSecurity::kNone}) {
    if (text == ToString(one)) return one;
  }
  return base::InvalidArgument("security is starttls, tls or none");
}

std::string FormatEmail(const EmailOptions& options, const Notification& news, Timestamp now) {
  std::string to;
  for (const std::string& address : options.to) to += (to.empty() ? "" : ", ") + address;
  const std::string subject =
      base::PrintableUtf8(options.subject_prefix + " " + news.subject, kLongestSubject);
  // Base64 has no "=_" in it.
  const std::string boundary = "=_nta_" + std::to_string(now.time_since_epoch().count());
  std::string mail = "Date: " + MailDate(now) + "\r\n";
  mail += "From: " + options.from + "\r\n";
  mail += "To: " + to + "\r\n";
  mail += "Subject: " + EncodeHeader(subject) + "\r\n";
  mail += "Message-ID: " + MessageId(options, news, now) + "\r\n";
  mail += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  mail += "Content-Type: multipart/alternative; boundary=\"" + boundary + "\"\r\n\r\n";
  mail += Part(boundary, "text/plain", PlainText(news));
  mail += Part(boundary, "text/html", Html(news));
  return mail + "--" + boundary + "--\r\n";
}

absl::StatusOr<std::unique_ptr<EmailChannel>> EmailChannel::Create(EmailOptions options) {
  NTA_RETURN_IF_ERROR(CheckHost(options.host));
  if (options.port == 0) return base::InvalidArgument("the port of the mail server is missing");
  NTA_RETURN_IF_ERROR(CheckAddress("the sender", options.from));
  if (options.to.empty() || options.to.size() > kMostRecipients) {
    return base::InvalidArgument("1 to 50 recipients are needed");
  }
  for (const std::string& to : options.to) NTA_RETURN_IF_ERROR(CheckAddress("a recipient", to));
  if (!options.username.empty() && options.security == EmailSecurity::kNone) {
    return base::InvalidArgument("a password is only sent over TLS: take starttls or tls");
  }
  return std::unique_ptr<EmailChannel>(new EmailChannel(std::move(options)));
}

absl::Status EmailChannel::Send(const Notification& notification, Timestamp now) {
  NTA_ASSIGN_OR_RETURN(notify::CurlTransfer transfer,
                       notify::CurlTransfer::Create(options_.timeout, "smtp,smtps"));
  CURL* handle = transfer.handle();
  const bool is_v6 = options_.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + options_.host + "]" : options_.host;
  const std::string url =
      std::string(options_.security == EmailSecurity::kTls ? "smtps://" : "smtp://") + host + ":" +
      std::to_string(options_.port) + "/nta";
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  if (options_.security != EmailSecurity::kNone) {
    curl_easy_setopt(handle, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  }
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  if (!options_.username.empty()) {
    curl_easy_setopt(handle, CURLOPT_USERNAME, options_.username.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, options_.password.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_MAIL_FROM, ("<" + options_.from + ">").c_str());
  notify::CurlList recipients = notify::NewList();
  for (const std::string& to : options_.to) notify::Append(recipients, "<" + to + ">");
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());
  const std::string mail = FormatEmail(options_, notification, now);
  Upload upload{mail};
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, ReadUpload);
  curl_easy_setopt(handle, CURLOPT_READDATA, &upload);
  long code = 0;
  const absl::Status status = transfer.Perform(code);
  if (status.ok()) return status;
  const std::string message = "mail server " + options_.host + ": " +
                              std::string(status.message().data(), status.message().size());
  // 530 to 539 speak of the log-in, which somebody may put right; other 5xx of this message.
  const bool is_final = code >= 500 && code < 600 && (code < 530 || code > 539) &&
                        status.code() == absl::StatusCode::kUnavailable;
  return base::MakeStatus(is_final ? absl::StatusCode::kInvalidArgument : status.code(), message);
}

}  // namespace nta
