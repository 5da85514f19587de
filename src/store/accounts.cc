#include <string>

#include "base/status.h"
#include "store/checks.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

User ReadUser(Statement& statement) {
  User user;
  user.username = statement.Text(0);
  user.password_hash = statement.Text(1);
  user.role = statement.Text(2);
  user.created = ToTimestamp(statement.Integer(3));
  user.generation = statement.Integer(4);
  return user;
}

// In the caller's transaction.
absl::Status KeepAnAdmin(Connection& connection, const User& leaving) {
  if (leaving.role != kAdmin) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(const std::int64_t admins,
                       connection.QueryInteger("SELECT count(*) FROM users WHERE role = 'admin'"));
  return admins > 1 ? absl::OkStatus() : IsLastAdmin(leaving.username);
}

}  // namespace

absl::StatusOr<std::vector<User>> ListUsers(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(Statement statement,
                       connection.Prepare("SELECT username, password_hash, role, created, "
                                          "generation FROM users ORDER BY username"));
  std::vector<User> users;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return users;
    users.push_back(ReadUser(statement));
  }
}

absl::StatusOr<User> FindUser(Connection& connection, std::string_view username) {
  NTA_ASSIGN_OR_RETURN(Statement statement,
                       connection.Prepare("SELECT username, password_hash, role, created, "
                                          "generation FROM users WHERE username = ?"));
  statement.Bind(username);
  NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return NoUser(username);
  return ReadUser(statement);
}

absl::Status InsertUser(Connection& connection, const User& user) {
  NTA_RETURN_IF_ERROR(CheckName("a user name", user.username));
  NTA_ASSIGN_OR_RETURN(Statement * insert,
                       connection.Cached("INSERT INTO users VALUES(?, ?, ?, ?, ?)"));
  insert->BindAll(std::string_view(user.username), std::string_view(user.password_hash),
                  std::string_view(user.role), ToInteger(user.created), user.generation);
  const absl::Status status = insert->Run();
  if (!absl::IsAlreadyExists(status)) return status;
  return UserExists(user.username);
}

absl::Status ChangeUser(Connection& connection, const User& user) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const User before, FindUser(connection, user.username));
  if (user.role != kAdmin) NTA_RETURN_IF_ERROR(KeepAnAdmin(connection, before));
  NTA_ASSIGN_OR_RETURN(Statement * update,
                       connection.Cached("UPDATE users SET password_hash = ?2, role = ?3, "
                                         "created = ?4, generation = ?5 WHERE username = ?1"));
  update->BindAll(std::string_view(user.username), std::string_view(user.password_hash),
                  std::string_view(user.role), ToInteger(user.created), user.generation);
  NTA_RETURN_IF_ERROR(update->Run());
  return transaction.Commit();
}

absl::Status DeleteUser(Connection& connection, std::string_view username) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const User before, FindUser(connection, username));
  NTA_RETURN_IF_ERROR(KeepAnAdmin(connection, before));
  NTA_ASSIGN_OR_RETURN(Statement * remove,
                       connection.Cached("DELETE FROM users WHERE username = ?"));
  NTA_RETURN_IF_ERROR(remove->Bind(username).Run());
  return transaction.Commit();
}

absl::StatusOr<std::string> FindSetting(Connection& connection, std::string_view name) {
  NTA_ASSIGN_OR_RETURN(Statement statement,
                       connection.Prepare("SELECT value FROM settings WHERE name = ?"));
  statement.Bind(name);
  NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (row) return std::string(statement.Text(0));
  return NoSetting(name);
}

absl::Status ChangeSetting(Connection& connection, std::string_view name, std::string_view value) {
  NTA_RETURN_IF_ERROR(CheckSetting(name, value));
  NTA_ASSIGN_OR_RETURN(Statement * put,
                       connection.Cached("INSERT OR REPLACE INTO settings VALUES(?, ?)"));
  return put->BindAll(name, value).Run();
}

}  // namespace nta::store
