#include "store/postgres/records.h"

#include "base/status.h"
#include "store/checks.h"
#include "store/cursor.h"
#include "store/rows.h"

namespace nta::store {
namespace {

constexpr char kDocumentCursor = 'd';

User ReadUser(const PgRows& rows, int row) {
  return {.username = std::string(rows.Text(row, 0)),
          .password_hash = std::string(rows.Text(row, 1)),
          .role = std::string(rows.Text(row, 2)),
          .created = ToTimestamp(rows.Integer(row, 3)),
          .generation = rows.Integer(row, 4)};
}

// In the caller's transaction.
absl::Status KeepAnAdmin(PgConnection& connection, const User& leaving) {
  if (leaving.role != kAdmin) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t admins,
      connection.QueryInteger("SELECT count(*) FROM users WHERE role = $1", PgList(kAdmin)));
  return admins > 1 ? absl::OkStatus() : IsLastAdmin(leaving.username);
}

Document ReadDocument(const PgRows& rows, int row) {
  return {.kind = std::string(rows.Text(row, 0)),
          .id = std::string(rows.Text(row, 1)),
          .body = std::string(rows.Text(row, 4)),
          .updated = ToTimestamp(rows.Integer(row, 3)),
          .version = rows.Integer(row, 2)};
}

}  // namespace

absl::StatusOr<std::vector<User>> ListPgUsers(PgConnection& connection) {
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection.Query("SELECT username, password_hash, role, created, generation "
                                        "FROM users ORDER BY username"));
  std::vector<User> users;
  for (int i = 0; i < rows.size(); ++i) users.push_back(ReadUser(rows, i));
  return users;
}

absl::StatusOr<User> FindPgUser(PgConnection& connection, std::string_view username) {
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection.Query("SELECT username, password_hash, role, created, generation "
                                        "FROM users WHERE username = $1",
                                        PgList(AsBytea(username))));
  if (rows.size() == 0) return NoUser(username);
  return ReadUser(rows, 0);
}

absl::Status InsertPgUser(PgConnection& connection, const User& user) {
  NTA_RETURN_IF_ERROR(CheckName("a user name", user.username));
  const absl::Status status =
      connection.Run("INSERT INTO users VALUES($1, $2, $3, $4, $5)",
                     PgList(AsBytea(user.username), AsBytea(user.password_hash), user.role,
                            ToInteger(user.created), user.generation));
  return absl::IsAlreadyExists(status) ? UserExists(user.username) : status;
}

absl::Status ChangePgUser(PgConnection& connection, const User& user) {
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const User before, FindPgUser(connection, user.username));
  if (user.role != kAdmin) NTA_RETURN_IF_ERROR(KeepAnAdmin(connection, before));
  NTA_RETURN_IF_ERROR(connection.Run(
      "UPDATE users SET password_hash = $2, role = $3, created = $4, generation = $5 "
      "WHERE username = $1",
      PgList(AsBytea(user.username), AsBytea(user.password_hash), user.role,
             ToInteger(user.created), user.generation)));
  return transaction.Commit();
}

absl::Status DeletePgUser(PgConnection& connection, std::string_view username) {
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const User before, FindPgUser(connection, username));
  NTA_RETURN_IF_ERROR(KeepAnAdmin(connection, before));
  NTA_RETURN_IF_ERROR(
      connection.Run("DELETE FROM users WHERE username = $1", PgList(AsBytea(username))));
  return transaction.Commit();
}

absl::StatusOr<std::string> FindPgSetting(PgConnection& connection, std::string_view name) {
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection.Query("SELECT value FROM settings WHERE name = $1", PgList(AsBytea(name))));
  if (rows.size() == 0) return NoSetting(name);
  return std::string(rows.Text(0, 0));
}

absl::Status ChangePgSetting(PgConnection& connection, std::string_view name,
                             std::string_view value) {
  NTA_RETURN_IF_ERROR(CheckSetting(name, value));
  return connection.Run(
      "INSERT INTO settings VALUES($1, $2) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
      PgList(AsBytea(name), AsBytea(value)));
}

absl::StatusOr<Document> ChangePgDocument(PgConnection& connection, const Document& document) {
  NTA_RETURN_IF_ERROR(CheckDocument(document));
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t present,
      connection.QueryInteger("SELECT version FROM document WHERE kind = $1 AND id = $2",
                              PgList(document.kind, document.id)));
  NTA_RETURN_IF_ERROR(CheckVersion(document, present));
  Document saved = document;
  saved.version = present + 1;
  NTA_RETURN_IF_ERROR(connection.Run(
      "INSERT INTO document VALUES($1, $2, $3, $4, $5) ON CONFLICT(kind, id) DO UPDATE SET "
      "version = excluded.version, updated = excluded.updated, body = excluded.body",
      PgList(saved.kind, saved.id, saved.version, ToInteger(saved.updated), saved.body)));
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return saved;
}

absl::StatusOr<Document> FindPgDocument(PgConnection& connection, std::string_view kind,
                                        std::string_view id) {
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection.Query("SELECT kind, id, version, updated, body FROM document "
                                        "WHERE kind = $1 AND id = $2",
                                        PgList(kind, id)));
  if (rows.size() == 0) return NoDocument(kind, id);
  return ReadDocument(rows, 0);
}

absl::StatusOr<DocumentPage> QueryPgDocuments(PgConnection& connection,
                                              const DocumentQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 10'000));
  Cursor cursor;
  if (!query.cursor.empty()) {
    NTA_ASSIGN_OR_RETURN(cursor, DecodeCursor(kDocumentCursor, query.cursor));
  }
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection.Query("SELECT kind, id, version, updated, body FROM document "
                                        "WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3",
                                        PgList(query.kind, cursor.id, query.limit + 1)));
  DocumentPage page;
  for (int i = 0; i < rows.size(); ++i) {
    if (page.documents.size() == query.limit) {
      page.next_cursor = EncodeCursor(kDocumentCursor, {0, page.documents.back().id});
      break;
    }
    page.documents.push_back(ReadDocument(rows, i));
  }
  return page;
}

absl::Status DeletePgDocument(PgConnection& connection, std::string_view kind,
                              std::string_view id) {
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection.Query("DELETE FROM document WHERE kind = $1 AND id = $2", PgList(kind, id)));
  return rows.touched() > 0 ? absl::OkStatus() : NoDocument(kind, id);
}

absl::Status InsertPgSamples(PgConnection& connection, std::span<const Sample> samples) {
  NTA_RETURN_IF_ERROR(CheckSamples(samples));
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
  for (const Sample& sample : samples) {
    NTA_RETURN_IF_ERROR(connection.Run(
        "INSERT INTO sample VALUES($1, $2, $3) ON CONFLICT(name, \"time\") DO UPDATE SET "
        "value = excluded.value",
        PgList(sample.name, ToInteger(sample.time), sample.value)));
  }
  return transaction.Commit();
}

absl::StatusOr<std::vector<SampleLine>> QueryPgSamples(PgConnection& connection,
                                                       const SampleQuery& query) {
  NTA_RETURN_IF_ERROR(CheckSampleQuery(query));
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginRead(connection));
  std::vector<SampleLine> lines;
  for (const std::string& name : query.names) {
    SampleSteps steps(query);
    NTA_ASSIGN_OR_RETURN(
        const PgRows rows,
        connection.Query("SELECT \"time\", value FROM sample WHERE name = $1 AND \"time\" >= $2 "
                         "AND \"time\" < $3 ORDER BY \"time\"",
                         PgList(name, ToInteger(steps.since()), ToInteger(steps.until()))));
    for (int i = 0; i < rows.size(); ++i) {
      if (!steps.Add(ToTimestamp(rows.Integer(i, 0)), rows.Real(i, 1))) return TooManySteps();
    }
    lines.push_back({name, steps.Take()});
  }
  return lines;
}

absl::StatusOr<std::vector<std::string>> ListPgSampleNames(PgConnection& connection) {
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection.Query("SELECT DISTINCT name FROM sample ORDER BY name"));
  std::vector<std::string> names;
  for (int i = 0; i < rows.size(); ++i) names.emplace_back(rows.Text(i, 0));
  return names;
}

}  // namespace nta::store
