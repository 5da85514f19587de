// The two forms of a line, there and back.
#ifndef NTA_LOG_LOG_LINE_H_
#define NTA_LOG_LOG_LINE_H_

#include <optional>
#include <string>
#include <string_view>

#include "nta/log/log_event.h"

namespace nta::log {

// The text itself when it is fit for a line, else spelled out.
std::string Fit(std::string_view text);
// Numbers and booleans as JSON and text have them; texts as they are.
std::string ValueText(const LogField::Value& value);

std::string JsonLine(const LogEvent& event);
std::string TextLine(const LogEvent& event);

// Time, level, kind and component, for most filters; `rest` is what follows, in the line.
struct LineHead {
  Timestamp time;
  LogLevel level = LogLevel::kInfo;
  LogKind kind = LogKind::kServer;
  std::string component;
  std::string_view rest;
  bool is_json = false;
};
// Of a line of either form, without its line feed. Absent for what no sink of ours writes.
std::optional<LineHead> ParseHead(std::string_view line);
// The whole event. Absent when what follows the head is not ours.
std::optional<LogEvent> ParseRest(LineHead head);

}  // namespace nta::log

#endif  // NTA_LOG_LOG_LINE_H_
