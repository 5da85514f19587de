// Saved states of the brute force detector.
#include <utility>

#include "base/status.h"
#include "detect/alert_archive.h"
#include "detect/guess_engine.h"
#include "detect/state_archive.h"

namespace nta::detect {
namespace {

constexpr std::string_view kName = "brute_force";
constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kMost = std::size_t{1} << 24;

template <typename Archive, typename T>
void KeyFields(Archive& archive, T& key) {
  archive(key.source);
  archive(key.destination);
  archive(key.service);
}

template <typename Archive, typename T>
void GuessFields(Archive& archive, T& guesses) {
  archive(guesses.score);
  archive(guesses.forgiven_until);
  archive(guesses.failed);
  archive(guesses.succeeded);
  archive(guesses.first_failed);
  archive(guesses.last_failed);
  archive.Enum(guesses.evidence, 3);
  archive(guesses.is_web);
  archive(guesses.users.words());
  archive(guesses.others.words());
  const auto text = [&](auto& value) { archive(value); };
  ListFields(archive, guesses.user_names, Guesses::kNames, text);
  ListFields(archive, guesses.other_names, Guesses::kNames, text);
  ListFields(archive, guesses.accounts, Guesses::kAccounts, [&](auto& account) {
    archive(account.name);
    archive(account.score);
    archive(account.failed);
    archive(account.first_failed);
    archive(account.last_failed);
  });
}

void ValueFields(StateWriter& writer, const Guesses& guesses) { GuessFields(writer, guesses); }
void ValueFields(StateReader& reader, Guesses& guesses) { GuessFields(reader, guesses); }

template <typename Archive, typename T>
void PairFields(Archive& archive, T& pair) {
  GuessFields(archive, pair.guesses);
  ListFields(archive, pair.flows, 64, [&](auto& flow) {
    archive(flow.port);
    archive(flow.failed);
    archive(flow.succeeded);
  });
}
void ValueFields(StateWriter& writer, const GuessPair& pair) { PairFields(writer, pair); }
void ValueFields(StateReader& reader, GuessPair& pair) { PairFields(reader, pair); }

template <typename Value>
void WriteTable(StateWriter& writer, const RecentTable<GuessKey, Value>& table) {
  writer.Size(table.size(), kMost);
  for (const auto& [key, value] : table.entries()) {
    KeyFields(writer, key);
    ValueFields(writer, value);
  }
}

template <typename Value>
void ReadTable(StateReader& reader, RecentTable<GuessKey, Value>& table) {
  std::size_t size = 0;
  reader.Size(size, kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    GuessKey key;
    KeyFields(reader, key);
    ValueFields(reader, table.FindOrAdd(key));
  }
}

}  // namespace

std::string GuessEngine::Save() const {
  StateWriter writer;
  writer(now_);
  WriteTable(writer, pairs_);
  WriteTable(writer, sources_);
  WriteTable(writer, services_);
  writer(tracker_.Save());
  return SealState(kName, kVersion, std::move(writer).bytes());
}

absl::StatusOr<GuessEngine> GuessEngine::Load(const BruteForceOptions& options,
                                              std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, OpenState(kName, kVersion, state));
  StateReader reader(payload);
  GuessEngine engine(options);
  reader(engine.now_);
  ReadTable(reader, engine.pairs_);
  ReadTable(reader, engine.sources_);
  ReadTable(reader, engine.services_);
  std::string tracker;
  reader(tracker);
  if (!reader.ok() || reader.remaining() != 0 || !engine.tracker_.Load(tracker).ok()) {
    return base::MakeStatus(
        absl::StatusCode::kDataLoss,
        "the saved detector state is damaged: its fields contradict each other");
  }
  return engine;
}

}  // namespace nta::detect
