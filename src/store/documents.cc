#include <string>

#include "base/status.h"
#include "store/checks.h"
#include "store/cursor.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

constexpr char kCursorKind = 'd';

Document ReadDocument(Statement& statement) {
  Document document;
  document.kind = statement.Text(0);
  document.id = statement.Text(1);
  document.version = statement.Integer(2);
  document.updated = ToTimestamp(statement.Integer(3));
  document.body = statement.Text(4);
  return document;
}

// 0 when there is none.
absl::StatusOr<std::int64_t> PresentVersion(Connection& connection, const Document& document) {
  NTA_ASSIGN_OR_RETURN(Statement * read,
                       connection.Cached("SELECT version FROM document WHERE kind = ? AND id = ?"));
  read->BindAll(std::string_view(document.kind), std::string_view(document.id));
  NTA_ASSIGN_OR_RETURN(const bool found, read->Step());
  const std::int64_t version = found ? read->Integer(0) : 0;
  read->Reset();
  return version;
}

}  // namespace

absl::StatusOr<Document> ChangeDocument(Connection& connection, const Document& document) {
  NTA_RETURN_IF_ERROR(CheckDocument(document));
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const std::int64_t present, PresentVersion(connection, document));
  NTA_RETURN_IF_ERROR(CheckVersion(document, present));
  Document saved = document;
  saved.version = present + 1;
  NTA_ASSIGN_OR_RETURN(Statement * put,
                       connection.Cached("INSERT OR REPLACE INTO document VALUES(?, ?, ?, ?, ?)"));
  put->BindAll(std::string_view(saved.kind), std::string_view(saved.id), saved.version,
               ToInteger(saved.updated), std::string_view(saved.body));
  NTA_RETURN_IF_ERROR(put->Run());
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return saved;
}

absl::StatusOr<Document> FindDocument(Connection& connection, std::string_view kind,
                                      std::string_view id) {
  NTA_ASSIGN_OR_RETURN(Statement statement,
                       connection.Prepare("SELECT kind, id, version, updated, body FROM document "
                                          "WHERE kind = ?1 AND id = ?2"));
  statement.BindAll(kind, id);
  NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return NoDocument(kind, id);
  return ReadDocument(statement);
}

absl::StatusOr<DocumentPage> QueryDocuments(Connection& connection, const DocumentQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 10'000));
  Cursor cursor;
  if (!query.cursor.empty()) {
    NTA_ASSIGN_OR_RETURN(cursor, DecodeCursor(kCursorKind, query.cursor));
  }
  NTA_ASSIGN_OR_RETURN(Statement statement,
                       connection.Prepare("SELECT kind, id, version, updated, body FROM document "
                                          "WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3"));
  statement.BindAll(std::string_view(query.kind), std::string_view(cursor.id), query.limit + 1);
  DocumentPage page;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return page;
    if (page.documents.size() == query.limit) break;
    page.documents.push_back(ReadDocument(statement));
  }
  page.next_cursor = EncodeCursor(kCursorKind, {0, page.documents.back().id});
  return page;
}

absl::Status DeleteDocument(Connection& connection, std::string_view kind, std::string_view id) {
  NTA_ASSIGN_OR_RETURN(Statement * remove,
                       connection.Cached("DELETE FROM document WHERE kind = ? AND id = ?"));
  NTA_RETURN_IF_ERROR(remove->BindAll(kind, id).Run());
  return sqlite3_changes64(connection.get()) > 0 ? absl::OkStatus() : NoDocument(kind, id);
}

}  // namespace nta::store
