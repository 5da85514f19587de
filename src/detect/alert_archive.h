// AlertFields(): the layout of an alert in saved states; see state_archive.h.
#ifndef NTA_SRC_DETECT_ALERT_ARCHIVE_H_
#define NTA_SRC_DETECT_ALERT_ARCHIVE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "detect/state_archive.h"
#include "nta/detect/alert.h"

namespace nta::detect {

// Lists in alerts are short; a damaged state must not make them long.
inline constexpr std::size_t kMaxArchivedList = 1 << 16;

template <typename Archive, typename T, typename Each>
void OptionalFields(Archive& archive, T& value, const Each& each) {
  bool present = value.has_value();
  archive(present);
  if constexpr (Archive::kReads) {
    value.reset();
    if (present) value.emplace();
  }
  if (value) each(*value);
}

template <typename Archive, typename T, typename Each>
void ListFields(Archive& archive, T& list, std::size_t most, const Each& each) {
  std::size_t size = list.size();
  archive.Size(size, most);
  if constexpr (Archive::kReads) list.resize(size);
  for (auto& item : list) each(item);
}

template <typename Archive, typename T>
void EntityFields(Archive& archive, T& entity) {
  const auto value = [&](auto& v) { archive(v); };
  OptionalFields(archive, entity.source, value);
  OptionalFields(archive, entity.destination, value);
  OptionalFields(archive, entity.service, value);
}

template <typename Archive>
void EvidenceFields(Archive& archive, const EvidenceValue& value) {
  archive(static_cast<std::uint8_t>(value.index()));
  std::visit(
      [&](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, double>) {
          archive.Real(v);
        } else if constexpr (std::is_same_v<V, std::vector<std::string>>) {
          ListFields(archive, v, kMaxArchivedList, [&](const std::string& item) { archive(item); });
        } else {
          archive(v);
        }
      },
      value);
}

inline void EvidenceFields(StateReader& archive, EvidenceValue& value) {
  std::uint8_t index = 0;
  archive(index);
  if (index == 0) {
    archive(value.emplace<0>());
  } else if (index == 1) {
    archive.Real(value.emplace<1>());
  } else if (index == 2) {
    archive(value.emplace<2>());
  } else if (index == 3) {
    ListFields(archive, value.emplace<3>(), kMaxArchivedList,
               [&](std::string& item) { archive(item); });
  } else {
    archive.Fail();
  }
}

template <typename Archive, typename T>
void EvidenceMapFields(Archive& archive, T& evidence) {
  std::size_t size = evidence.size();
  archive.Size(size, kMaxArchivedList);
  if constexpr (Archive::kReads) {
    evidence.clear();
    for (std::size_t i = 0; i < size && archive.ok(); ++i) {
      std::string name;
      archive(name);
      EvidenceFields(archive, evidence[name]);
    }
  } else {
    for (const auto& [name, value] : evidence) {
      archive(name);
      EvidenceFields(archive, value);
    }
  }
}

template <typename Archive, typename T>
void AlertFields(Archive& archive, T& alert) {
  archive(alert.id);
  archive(alert.time);
  archive(alert.detector);
  archive.Enum(alert.alert_class, static_cast<int>(AlertClass::kFlashCrowd) + 1);
  archive.Enum(alert.severity, static_cast<int>(Severity::kCritical) + 1);
  archive.Real(alert.score);
  archive.Real(alert.observed);
  archive.Real(alert.expected);
  archive(alert.unit);
  EntityFields(archive, alert.entity);
  archive(alert.window);
  EvidenceMapFields(archive, alert.evidence);
  archive(alert.technique);
  archive.Enum(alert.state, static_cast<int>(AlertState::kClosed) + 1);
  archive(alert.count);
  archive(alert.summary);
  archive.Real(alert.confidence);
  const auto real = [&](auto& v) { archive.Real(v); };
  OptionalFields(archive, alert.band_low, real);
  OptionalFields(archive, alert.band_high, real);
  archive(alert.first_seen);
  archive(alert.last_seen);
  ListFields(archive, alert.peers, kMaxArchivedList, [&](auto& peer) {
    archive(peer.name);
    archive.Real(peer.share);
  });
  archive(alert.advice);
  archive(alert.suppressed_by);
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_ALERT_ARCHIVE_H_
