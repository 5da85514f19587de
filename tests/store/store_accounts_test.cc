#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store_fixture.h"

namespace nta {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

User MakeUser(const std::string& username, const std::string& role) {
  return {.username = username,
          .password_hash = "hash of " + username,
          .role = role,
          .created = kEight,
          .generation = 1};
}

class StoreAccounts : public StoreTest {};

TEST_F(StoreAccounts, KeepsUsersInOrderOfTheirNames) {
  const auto store = OpenStore();
  EXPECT_TRUE(store->Users()->empty());
  for (const char* name : {"zoe", "adam", "mia"})
    ASSERT_TRUE(store->AddUser(MakeUser(name, "viewer")).ok());
  const auto users = OpenStore()->Users();
  ASSERT_EQ(users->size(), 3u);
  EXPECT_EQ((*users)[0].username, "adam");
  EXPECT_EQ((*users)[2].username, "zoe");
  const auto mia = store->GetUser("mia");
  ASSERT_TRUE(mia.ok());
  EXPECT_EQ(mia->password_hash, "hash of mia");
  EXPECT_EQ(mia->role, "viewer");
  EXPECT_EQ(mia->created, kEight);
  EXPECT_EQ(mia->generation, 1);
}

TEST_F(StoreAccounts, SaysWhichUserIsMissingOrThereAlready) {
  const auto store = OpenStore();
  EXPECT_EQ(store->GetUser("nobody").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(store->GetUser("nobody").status().message()), HasSubstr("\"nobody\""));
  EXPECT_EQ(store->UpdateUser(MakeUser("nobody", "viewer")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store->RemoveUser("nobody").code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store->AddUser(MakeUser("mia", "viewer")).ok());
  EXPECT_EQ(store->AddUser(MakeUser("mia", "admin")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store->GetUser("mia")->role, "viewer");
  EXPECT_EQ(store->AddUser(MakeUser("", "viewer")).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->AddUser(MakeUser(std::string(257, 'x'), "viewer")).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(StoreAccounts, KeepsTheLastAdministrator) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->AddUser(MakeUser("root", "admin")).ok());
  ASSERT_TRUE(store->AddUser(MakeUser("mia", "viewer")).ok());
  EXPECT_EQ(store->RemoveUser("root").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store->UpdateUser(MakeUser("root", "operator")).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store->GetUser("root")->role, "admin");
  User changed = MakeUser("root", "admin");
  changed.password_hash = "new";
  changed.generation = 2;
  EXPECT_TRUE(store->UpdateUser(changed).ok());
  EXPECT_EQ(store->GetUser("root")->password_hash, "new");
  EXPECT_EQ(store->GetUser("root")->generation, 2);
  ASSERT_TRUE(store->UpdateUser(MakeUser("mia", "admin")).ok());
  EXPECT_TRUE(store->RemoveUser("root").ok());
  EXPECT_EQ(store->RemoveUser("mia").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StoreAccounts, NamesAreValuesAndNotSql) {
  const auto store = OpenStore();
  const std::string name = "x'; DROP TABLE users; --\0\xff"s;
  ASSERT_TRUE(store->AddUser(MakeUser(name, "viewer")).ok());
  EXPECT_EQ(store->GetUser(name)->username, name);
  ASSERT_TRUE(store->PutSetting(name, name).ok());
  EXPECT_EQ(*store->GetSetting(name), name);
}

TEST_F(StoreAccounts, KeepsSettings) {
  const auto store = OpenStore();
  EXPECT_EQ(store->GetSetting("theme").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store->PutSetting("theme", "dark").ok());
  ASSERT_TRUE(store->PutSetting("theme", "light").ok());
  ASSERT_TRUE(store->PutSetting("empty", "").ok());
  EXPECT_EQ(*OpenStore()->GetSetting("theme"), "light");
  EXPECT_EQ(*store->GetSetting("empty"), "");
  EXPECT_EQ(store->PutSetting("", "x").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->PutSetting("big", std::string((1 << 20) + 1, 'x')).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace nta
