#include "http/openapi.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nta::server {
namespace {

using Document = nlohmann::ordered_json;

Document TextSchema(const std::vector<std::string>& values) {
  Document schema = {{"type", "string"}};
  if (!values.empty()) schema["enum"] = values;
  return schema;
}

Document Parameters(const Route& route) {
  Document list = Document::array();
  for (std::size_t at = route.path.find('{'); at != std::string::npos;
       at = route.path.find('{', at + 1)) {
    const std::string name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    list.push_back(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", TextSchema({})}});
  }
  for (const Parameter& parameter : route.parameters) {
    list.push_back({{"name", parameter.name},
                    {"in", "query"},
                    {"required", route.access == Access::kTicket && parameter.name == "ticket"},
                    {"description", parameter.description},
                    {"schema", TextSchema(parameter.values)}});
  }
  return list;
}

Document Body(const Route& route) {
  Document properties = Document::object();
  Document required = Document::array();
  for (const Field& field : route.fields) {
    properties[field.name] = {{"type", std::string(ToString(field.type))},
                              {"description", field.description}};
    if (field.need == Need::kRequired) required.push_back(field.name);
  }
  Document schema = {
      {"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
  if (!required.empty()) schema["required"] = required;
  return {{"required", !required.empty()},
          {"content", {{"application/json", {{"schema", schema}}}}}};
}

Document Responses(const Route& route) {
  const bool streams = route.path == "/api/v1/stream";
  Document success = {{"description", route.answer.empty() ? "Done" : route.answer}};
  if (streams) {
    success["content"] = {{"text/event-stream", {{"schema", {{"type", "string"}}}}}};
  } else if (route.path == "/metrics") {
    success["content"] = {{"text/plain", {{"schema", {{"type", "string"}}}}}};
  } else if (route.success == 202) {
    // Whatever goes on after its answer is a job, the same everywhere.
    success["content"] = {
        {"application/json", {{"schema", {{"$ref", "#/components/schemas/Job"}}}}}};
  } else if (route.success != 204) {
    success["content"] = {{"application/json", {{"schema", {{"type", "object"}}}}}};
  }
  return {{std::to_string(route.success), success},
          {"default", {{"$ref", "#/components/responses/Problem"}}}};
}

Document Operation(const Route& route) {
  Document operation = {{"summary", route.summary},
                        {"x-role", std::string(ToString(route.access))}};
  if (!route.audit.empty()) operation["x-audit"] = route.audit;
  const bool signed_in = route.access != Access::kAnyone && route.access != Access::kTicket;
  operation["security"] = Document::array();
  if (signed_in) operation["security"].push_back({{"bearer", Document::array()}});
  if (Document parameters = Parameters(route); !parameters.empty())
    operation["parameters"] = std::move(parameters);
  if (!route.fields.empty()) operation["requestBody"] = Body(route);
  operation["responses"] = Responses(route);
  return operation;
}

Document ProblemSchema() {
  return {{"type", "object"},
          {"required", {"type", "title", "status", "detail"}},
          {"properties",
           {{"type", {{"type", "string"}}},
            {"title", {{"type", "string"}}},
            {"status", {{"type", "integer"}}},
            {"detail", {{"type", "string"}}},
            {"position", {{"type", "integer"}, {"description", "where a filter is wrong"}}}}}};
}

Document JobSchema() {
  const Document text = {{"type", "string"}};
  const Document file = {
      {"type", "object"},
      {"properties", {{"name", text}, {"type", text}, {"bytes", {{"type", "integer"}}}}}};
  return {{"type", "object"},
          {"required", {"id", "kind", "owner", "state", "progress", "doing", "started"}},
          {"properties",
           {{"id", text},
            {"kind", text},
            {"owner", text},
            {"state", TextSchema({"running", "done", "failed", "cancelled"})},
            {"progress", {{"type", "number"}, {"minimum", 0}, {"maximum", 1}}},
            {"doing", text},
            {"started", text},
            {"ended", text},
            {"error", {{"type", "string"}, {"description", "why it failed"}}},
            {"result", {{"description", "of one that is done"}}},
            {"file", file}}}};
}

}  // namespace

std::string MakeOpenApi(const std::vector<Route>& routes) {
  Document paths = Document::object();
  for (const Route& route : routes) {
    std::string method = route.method;
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    paths[route.path][method] = Operation(route);
  }
  const Document problem = {
      {"description", "RFC 9457 problem"},
      {"content",
       {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  const Document description = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "nta-server"},
        {"version", NTA_VERSION},
        {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
      {"paths", paths},
      {"components",
       {{"securitySchemes",
         {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}}}},
        {"schemas", {{"Job", JobSchema()}, {"Problem", ProblemSchema()}}},
        {"responses", {{"Problem", problem}}}}}};
  return description.dump();
}

}  // namespace nta::server
