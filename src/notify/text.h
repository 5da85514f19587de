// Making text harmless for where it goes.
#ifndef NTA_SRC_NOTIFY_TEXT_H_
#define NTA_SRC_NOTIFY_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace nta::notify {

// PrintableUtf8 of each line of the text.
std::string Lines(std::string_view text, std::size_t max_bytes);
std::string EscapeHtml(std::string_view text);
// In quotes.
std::string JsonQuote(std::string_view text);
std::string Base64(std::string_view bytes);
std::string Hex(std::string_view bytes);

}  // namespace nta::notify

#endif  // NTA_SRC_NOTIFY_TEXT_H_
