// Secret: a text that no log shows.
//
//   logger.Info("notify", "sending", {{"url", nta::Secret(webhook_url)}});   // url="[redacted]"
#ifndef NTA_LOG_SECRET_H_
#define NTA_LOG_SECRET_H_

#include <string>
#include <string_view>
#include <utility>

namespace nta {

// Has no conversion to text, no stream operator and no comparison: whoever needs the text says so.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  std::string_view Reveal() const& { return text_; }
  std::string_view Reveal() && = delete;

 private:
  std::string text_;
};

}  // namespace nta

#endif  // NTA_LOG_SECRET_H_
