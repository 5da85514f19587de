#include "backup/backup_fixture.h"
#include "nta/backup/prune.h"

namespace nta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// So many days before kBackupTime, a Sunday.
BackupInfo Aged(int days, bool verified = true) {
  BackupInfo info;
  info.name = std::to_string(days);
  info.time = kBackupTime - std::chrono::days(days);
  info.stored_bytes = 100;
  if (verified) info.verified = info.time;
  return info;
}

std::vector<std::string> Kept(const std::vector<BackupInfo>& backups, const PrunePolicy& policy) {
  const std::vector<bool> keep = SelectToKeep(backups, policy);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < backups.size(); ++i) {
    if (keep[i]) names.push_back(backups[i].name);
  }
  return names;
}

TEST(PrunePolicy, WithoutAnyCountEverythingStays) {
  EXPECT_THAT(Kept({Aged(0), Aged(1), Aged(400)}, {}), ElementsAre("0", "1", "400"));
}

TEST(PrunePolicy, KeepsTheNewestOfEachPeriod) {
  std::vector<BackupInfo> backups;
  for (int day = 0; day < 70; ++day) {
    backups.push_back(Aged(day));
  }
  EXPECT_THAT(Kept(backups, {.last = 3}), ElementsAre("0", "1", "2"));
  EXPECT_THAT(Kept(backups, {.daily = 2}), ElementsAre("0", "1"));
  // Weeks end on Sundays.
  EXPECT_THAT(Kept(backups, {.weekly = 3}), ElementsAre("0", "7", "14"));
  // 22 November, 31 October, 30 September.
  EXPECT_THAT(Kept(backups, {.monthly = 3}), ElementsAre("0", "22", "53"));
  EXPECT_THAT(Kept(backups, {.last = 1, .weekly = 2, .monthly = 2}), ElementsAre("0", "7", "22"));
}

TEST(PrunePolicy, SeveralOfADayCountOnceForDays) {
  std::vector<BackupInfo> backups = {Aged(0), Aged(0), Aged(1)};
  backups[1].name = "0b";
  backups[1].time -= std::chrono::hours(1);
  EXPECT_THAT(Kept(backups, {.daily = 2}), ElementsAre("0", "1"));
}

TEST(PrunePolicy, TheOnlyVerifiedOneStaysWhateverThePolicySays) {
  const std::vector<BackupInfo> backups = {Aged(0, false), Aged(1, false), Aged(9), Aged(10)};
  EXPECT_THAT(Kept(backups, {.last = 1}), ElementsAre("0", "9"));
  EXPECT_THAT(Kept(backups, {.last = 1, .max_bytes = 0}), ElementsAre("9"));
  EXPECT_THAT(Kept(backups, {.max_bytes = 250}), ElementsAre("0", "9"));
}

TEST(PrunePolicy, WithoutAVerifiedOneTheNewestStays) {
  EXPECT_THAT(Kept({Aged(0, false), Aged(1, false)}, {.max_bytes = 1}), ElementsAre("0"));
}

TEST(PrunePolicy, ABadOneNeverStandsForAGoodOne) {
  std::vector<BackupInfo> backups = {Aged(0, false), Aged(1), Aged(2)};
  backups[0].problem = "damaged";
  EXPECT_THAT(Kept(backups, {.last = 1}), ElementsAre("1"));
  EXPECT_THAT(Kept(backups, {.daily = 1}), ElementsAre("1"));
  EXPECT_THAT(Kept({}, {.last = 1}), IsEmpty());
}

using PruneTest = BackupTest;

TEST_F(PruneTest, RemovesWhatThePlanSaid) {
  MakeDatabase(live(), 10);
  const BackupRepository repository = OpenRepository();
  std::vector<std::string> names;
  for (int hour = 0; hour < 4; ++hour) {
    CreateBackupOptions options = Plain();
    options.time = kBackupTime + std::chrono::hours(hour);
    names.push_back(repository.Create(Target(), options)->name);
  }
  ASSERT_TRUE(repository.Verify(names[0], Target(), {.time = kBackupTime}).ok());
  const auto plan = repository.PlanPrune({.last = 2});
  EXPECT_EQ(plan->removed.size(), 1u);
  EXPECT_EQ(repository.List()->size(), 4u);
  ASSERT_TRUE(repository.Prune({.last = 2}).ok());
  std::vector<std::string> left;
  const auto list = repository.List();
  for (const BackupInfo& info : *list) left.push_back(info.name);
  EXPECT_THAT(left, ElementsAre(names[3], names[2], names[0]));
}

}  // namespace
}  // namespace nta
