// TextSearch: a part of a text, whatever the case of its ASCII letters.
#ifndef NTA_BASE_TEXT_SEARCH_H_
#define NTA_BASE_TEXT_SEARCH_H_

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

namespace nta::base {

class TextSearch {
 public:
  explicit TextSearch(std::string_view wanted) : wanted_(wanted) {
    std::transform(wanted_.begin(), wanted_.end(), wanted_.begin(), Lower);
  }

  bool IsIn(std::string_view text) const {
    if (wanted_.empty()) return true;
    return std::search(text.begin(), text.end(), wanted_.begin(), wanted_.end(),
                       [](char a, char b) { return Lower(a) == b; }) != text.end();
  }

 private:
  static char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

  std::string wanted_;
};

}  // namespace nta::base

#endif  // NTA_BASE_TEXT_SEARCH_H_
