#include "logging/audit_details.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nta/log/log_event.h"

namespace nta::server {
namespace {

using Document = nlohmann::ordered_json;

constexpr std::string_view kRedacted = "[redacted]";

void Redact(Document& json) {
  if (json.is_object()) {
    for (const auto& [name, value] : json.items()) {
      if (IsSecretName(name)) {
        value = kRedacted;
      } else {
        Redact(value);
      }
    }
  } else if (json.is_array()) {
    for (Document& value : json) Redact(value);
  }
}

std::string ValueOf(const Field& field, const std::string& value) {
  if (field.type == FieldType::kSecret || IsSecretName(field.name)) return std::string(kRedacted);
  const bool is_nested = field.type == FieldType::kArray || field.type == FieldType::kObject;
  return is_nested ? WithoutSecrets(value) : value;
}

}  // namespace

std::string WithoutSecrets(std::string_view json) {
  Document parsed = Document::parse(json, nullptr, false);
  if (parsed.is_discarded()) return std::string(kRedacted);
  Redact(parsed);
  return parsed.dump(-1, ' ', false, Document::error_handler_t::replace);
}

NamedValues DetailsOf(const Route& route, const Call& call) {
  NamedValues details;
  for (const auto& [name, value] : call.query) {
    details.emplace_back(name, IsSecretName(name) ? std::string(kRedacted) : value);
  }
  for (const Field& field : route.fields) {
    const auto given = call.body.find(field.name);
    // A parameter of the same name was checked against the same thing.
    if (given == call.body.end() || call.query.contains(field.name)) continue;
    details.emplace_back(field.name, ValueOf(field, given->second));
  }
  return details;
}

}  // namespace nta::server
