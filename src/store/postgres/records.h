// What a store keeps besides traffic, in PostgreSQL. Contracts as in nta/store/store.h.
#ifndef NTA_STORE_POSTGRES_RECORDS_H_
#define NTA_STORE_POSTGRES_RECORDS_H_

#include "nta/store/store.h"
#include "store/postgres/connection.h"

namespace nta::store {

// In the caller's transaction.
absl::Status WritePgAlerts(PgConnection& connection, std::span<const Alert> alerts);
absl::StatusOr<AlertPage> QueryPgAlerts(PgConnection& connection, const AlertQuery& query);
absl::StatusOr<Alert> FindPgAlert(PgConnection& connection, std::string_view id);

absl::StatusOr<std::vector<User>> ListPgUsers(PgConnection& connection);
absl::StatusOr<User> FindPgUser(PgConnection& connection, std::string_view username);
absl::Status InsertPgUser(PgConnection& connection, const User& user);
absl::Status ChangePgUser(PgConnection& connection, const User& user);
absl::Status DeletePgUser(PgConnection& connection, std::string_view username);
absl::StatusOr<std::string> FindPgSetting(PgConnection& connection, std::string_view name);
absl::Status ChangePgSetting(PgConnection& connection, std::string_view name,
                             std::string_view value);

absl::StatusOr<Document> ChangePgDocument(PgConnection& connection, const Document& document);
absl::StatusOr<Document> FindPgDocument(PgConnection& connection, std::string_view kind,
                                        std::string_view id);
absl::StatusOr<DocumentPage> QueryPgDocuments(PgConnection& connection, const DocumentQuery& query);
absl::Status DeletePgDocument(PgConnection& connection, std::string_view kind, std::string_view id);

absl::Status InsertPgSamples(PgConnection& connection, std::span<const Sample> samples);
absl::StatusOr<std::vector<SampleLine>> QueryPgSamples(PgConnection& connection,
                                                       const SampleQuery& query);
absl::StatusOr<std::vector<std::string>> ListPgSampleNames(PgConnection& connection);

}  // namespace nta::store

#endif  // NTA_STORE_POSTGRES_RECORDS_H_
