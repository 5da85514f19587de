#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <thread>

#include "nta/store/incidents.h"
#include "store/sha256.h"
#include "store/store_fixture.h"

namespace nta {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class StoreIncidents : public StoreTest {
 protected:
  StoreIncidents() : store_(OpenStore()), incidents_(*store_) {}

  IncidentActor Ana() {
    time_ += 1s;
    return {.author = "ana", .time = time_};
  }
  Incident Make(const std::string& title = "Scan of the lab") {
    return *incidents_.Create({.title = title, .severity = Severity::kHigh}, Ana());
  }

  Timestamp time_ = kEight;
  std::unique_ptr<Store> store_;
  Incidents incidents_;
};

std::vector<std::string> IdsOf(const IncidentPage& page) {
  std::vector<std::string> ids;
  for (const Incident& incident : page.incidents) ids.push_back(incident.id);
  return ids;
}

TEST_F(StoreIncidents, KeepWhatTheyWereMadeWith) {
  const auto made = incidents_.Create({.title = "  Scan of the lab ",
                                       .description = "First line\r\nsecond\tline",
                                       .severity = Severity::kHigh,
                                       .assignee = "ben"},
                                      Ana());
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->id, "inc-000001");
  EXPECT_EQ(made->title, "Scan of the lab");
  EXPECT_EQ(made->description, "First line\nsecond\tline");
  EXPECT_EQ(made->state, IncidentState::kOpen);
  EXPECT_EQ(made->created_by, "ana");
  EXPECT_EQ(made->created, time_);
  ASSERT_THAT(made->timeline, SizeIs(1));
  EXPECT_EQ(made->timeline[0].act, IncidentAct::kCreated);
  EXPECT_EQ(Make().id, "inc-000002");
  const auto reopened = OpenStore();
  EXPECT_EQ(*Incidents(*reopened).Get("inc-000001"), *made);
}

TEST_F(StoreIncidents, EveryChangeIsOnTheTimelineWithItsAuthor) {
  const Incident made = Make();
  const auto changed = incidents_.Change(made.id, made.version,
                                         {.title = "Scan of everything",
                                          .severity = Severity::kCritical,
                                          .state = IncidentState::kInvestigating,
                                          .assignee = "ben",
                                          .comment = "It goes on."},
                                         {.author = "ben", .time = time_ + 1h});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->title, "Scan of everything");
  EXPECT_EQ(changed->updated, time_ + 1h);
  std::vector<std::string> lines;
  for (const IncidentEntry& entry : changed->timeline) {
    lines.push_back(entry.author + " " + std::string(ToString(entry.act)) + " " + entry.field +
                    " " + entry.before + ">" + entry.after + entry.text);
  }
  EXPECT_THAT(lines,
              ElementsAre("ana created  >Scan of the lab",
                          "ben changed title Scan of the lab>Scan of everything",
                          "ben changed assignee >ben", "ben changed severity high>critical",
                          "ben changed state open>investigating", "ben commented  >It goes on."));
}

TEST_F(StoreIncidents, AChangeOfNothingWritesNothing) {
  const Incident made = Make();
  const auto same = incidents_.Change(made.id, made.version,
                                      {.title = made.title, .state = IncidentState::kOpen}, Ana());
  EXPECT_EQ(*same, made);
}

TEST_F(StoreIncidents, ItIsKnownWhenTheyEnded) {
  Incident incident = Make();
  const auto to = [&](IncidentState state) {
    incident = *incidents_.Change(incident.id, incident.version, {.state = state}, Ana());
    return incident.ended;
  };
  EXPECT_EQ(to(IncidentState::kContained), std::nullopt);
  const auto resolved = to(IncidentState::kResolved);
  EXPECT_EQ(resolved, time_);
  EXPECT_EQ(to(IncidentState::kClosed), resolved);
  EXPECT_EQ(to(IncidentState::kInvestigating), std::nullopt);
}

TEST_F(StoreIncidents, TheSecondOfTwoWritersIsTold) {
  const Incident made = Make();
  ASSERT_TRUE(incidents_.Change(made.id, made.version, {.assignee = "ben"}, Ana()).ok());
  const auto late = incidents_.Change(made.id, made.version, {.assignee = "cleo"}, Ana());
  EXPECT_EQ(late.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(incidents_.Get(made.id)->assignee, "ben");
}

TEST_F(StoreIncidents, CommentsOfManyAtOnceAreAllKept) {
  const Incident made = Make();
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < 5; ++i) {
        const std::string text = std::to_string(writer) + "-" + std::to_string(i);
        EXPECT_TRUE(incidents_.Comment(made.id, text, {.author = "ana", .time = kEight}).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> texts;
  std::int64_t last = 0;
  const Incident kept = *incidents_.Get(made.id);
  for (const IncidentEntry& entry : kept.timeline) {
    EXPECT_EQ(entry.id, ++last);
    if (entry.act == IncidentAct::kCommented) texts.insert(entry.text);
  }
  EXPECT_THAT(texts, SizeIs(20));
}

TEST_F(StoreIncidents, LinksKeepACopyOfWhatTheyPointTo) {
  const Incident made = Make();
  auto linked = incidents_.Link(made.id,
                                {.kind = IncidentLinkKind::kAlert,
                                 .target = "1-port_scan-000001",
                                 .note = "the first sign",
                                 .snapshot = "{ \"class\" : \"port_scan\" }"},
                                Ana());
  ASSERT_TRUE(linked.ok()) << linked.status();
  linked = incidents_.Link(made.id,
                           {.kind = IncidentLinkKind::kFlows,
                            .target = "src=192.0.2.1 and dport=22",
                            .since = kEight,
                            .until = kEight + 1h},
                           Ana());
  ASSERT_TRUE(linked.ok()) << linked.status();
  const Incident kept = *incidents_.Get(made.id);
  EXPECT_EQ(kept, *linked);
  ASSERT_THAT(kept.links, SizeIs(2));
  EXPECT_EQ(kept.links[0].snapshot, R"({"class":"port_scan"})");
  EXPECT_EQ(kept.links[1].until, kEight + 1h);
  EXPECT_EQ(incidents_.Link(made.id, kept.links[1], Ana()).status().code(),
            absl::StatusCode::kAlreadyExists);
  const auto unlinked = incidents_.Unlink(made.id, kept.links[0].id, Ana());
  EXPECT_THAT(unlinked->links, SizeIs(1));
  EXPECT_EQ(unlinked->timeline.back().text, "alert 1-port_scan-000001");
  EXPECT_EQ(incidents_.Unlink(made.id, kept.links[0].id, Ana()).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(StoreIncidents, TextsThatDoNotFitAreRefusedByName) {
  const Incident made = Make();
  const auto refused = [](const absl::Status& status, std::string_view field) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(field)));
  };
  for (const std::string& title : {std::string(), std::string("  \n"), std::string(201, 'x'),
                                   std::string("a\nb"), std::string("\x1b[2J"), std::string("\xff"),
                                   std::string("a\0b", 3), std::string("\xe2\x80\xae evil")}) {
    refused(incidents_.Create({.title = title}, Ana()).status(), "\"title\"");
  }
  refused(
      incidents_.Create({.title = "x", .description = std::string(16'385, 'x')}, Ana()).status(),
      "\"description\"");
  refused(incidents_.Create({.title = "x"}, {.author = "", .time = kEight}).status(), "\"author\"");
  refused(incidents_.Comment(made.id, " ", Ana()).status(), "\"text\"");
  refused(incidents_.Link(made.id, {.kind = IncidentLinkKind::kAlert}, Ana()).status(),
          "\"target\"");
  EXPECT_EQ(
      incidents_.Link(made.id, {.kind = IncidentLinkKind::kFlows, .target = "dport>>1"}, Ana())
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
  refused(incidents_.Link(made.id, {.target = "x", .snapshot = "{"}, Ana()).status(),
          "\"snapshot\"");
  refused(incidents_.Link(made.id, {.target = "x", .since = kEight, .until = kEight - 1s}, Ana())
              .status(),
          "\"until\"");
  EXPECT_EQ(incidents_.Get(made.id)->version, made.version);
}

TEST_F(StoreIncidents, NamesThatAreNoneAreNotFound) {
  Make();
  for (const char* id : {"", "inc-", "inc-1", "inc-0000001", "inc-000002", "inc-00000x", "000001",
                         "inc-000000", "inc-999999", "inc--00001", "../inc-000001"}) {
    EXPECT_EQ(incidents_.Get(id).status().code(), absl::StatusCode::kNotFound) << id;
    EXPECT_EQ(incidents_.Comment(id, "x", Ana()).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(incidents_.Remove(id).code(), absl::StatusCode::kNotFound);
  }
}

TEST_F(StoreIncidents, AreListedNewestFirstPageByPage) {
  for (int i = 0; i < 7; ++i) Make("Number " + std::to_string(i));
  IncidentQuery query{.limit = 3};
  std::vector<std::string> ids;
  do {
    const auto page = incidents_.List(query);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const std::string& id : IdsOf(*page)) ids.push_back(id);
    query.cursor = page->next_cursor;
  } while (!query.cursor.empty());
  EXPECT_THAT(ids, ElementsAre("inc-000007", "inc-000006", "inc-000005", "inc-000004", "inc-000003",
                               "inc-000002", "inc-000001"));
  EXPECT_FALSE(incidents_.List({.limit = 0}).ok());
  EXPECT_FALSE(incidents_.List({.cursor = "nonsense"}).ok());
}

TEST_F(StoreIncidents, AreFoundByStateSeverityAssigneeAndText) {
  const Incident first = Make("Beacon to 198.51.100.7");
  Make("Scan");
  ASSERT_TRUE(
      incidents_
          .Change(first.id, first.version,
                  {.severity = Severity::kLow, .state = IncidentState::kClosed, .assignee = "ben"},
                  Ana())
          .ok());
  EXPECT_THAT(IdsOf(*incidents_.List({.states = {IncidentState::kClosed}})), ElementsAre(first.id));
  EXPECT_THAT(IdsOf(*incidents_.List({.min_severity = Severity::kMedium})),
              ElementsAre("inc-000002"));
  EXPECT_THAT(IdsOf(*incidents_.List({.assignee = "ben"})), ElementsAre(first.id));
  EXPECT_THAT(IdsOf(*incidents_.List({.text = "bEACON"})), ElementsAre(first.id));
  EXPECT_THAT(IdsOf(*incidents_.List({.text = "000002"})), ElementsAre("inc-000002"));
  EXPECT_THAT(IdsOf(*incidents_.List({.text = "nothing"})), IsEmpty());
}

TEST_F(StoreIncidents, PagesGoOnBehindWhatDoesNotFit) {
  for (int i = 0; i < 250; ++i) Make(i % 50 == 0 ? "wanted" : "other");
  IncidentQuery query{.text = "wanted", .limit = 2};
  std::size_t found = 0;
  do {
    const IncidentPage page = *incidents_.List(query);
    found += page.incidents.size();
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  EXPECT_EQ(found, 5u);
}

TEST_F(StoreIncidents, EvidenceComesBackAsItWas) {
  const Incident made = Make();
  std::string bytes(4 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{3}, bytes.size()}) {
    const std::string_view part = std::string_view(bytes).substr(0, size);
    const auto added = incidents_.AddEvidence(made.id, {.name = "dump.bin"}, part, Ana());
    ASSERT_TRUE(added.ok()) << added.status();
    const IncidentEvidence& evidence = added->evidence.back();
    EXPECT_TRUE(evidence.complete);
    EXPECT_EQ(evidence.size_bytes, size);
    EXPECT_EQ(evidence.sha256, store::Sha256Hex(part));
    EXPECT_EQ(*incidents_.Evidence(made.id, evidence.id), part);
  }
  EXPECT_EQ(store::Sha256Hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(incidents_.Evidence(made.id, 999).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(StoreIncidents, ACaptureIsKnownByItsFirstBytes) {
  const Incident made = Make();
  const auto type = [&](std::string_view bytes, const std::string& claimed) {
    return incidents_.AddEvidence(made.id, {.name = "x", .media_type = claimed}, bytes, Ana())
        ->evidence.back()
        .media_type;
  };
  EXPECT_EQ(type("\xd4\xc3\xb2\xa1 rest", "text/html"), "application/vnd.tcpdump.pcap");
  EXPECT_EQ(type("\x0a\x0d\x0d\x0a rest", "text/html"), "application/x-pcapng");
  EXPECT_EQ(type("<b>", "text/plain"), "text/plain");
  for (const char* wrong :
       {"", "text", "text/", "/x", "a/b/c", "text/html; charset=utf-8", "A/B"}) {
    EXPECT_EQ(incidents_.AddEvidence(made.id, {.name = "x", .media_type = wrong}, "x", Ana())
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument)
        << wrong;
  }
}

TEST_F(StoreIncidents, EvidenceHasItsBounds) {
  const Incident made = Make();
  const auto add = [&](std::string_view bytes) {
    return incidents_.AddEvidence(made.id, {.name = "x"}, bytes, Ana()).status().code();
  };
  EXPECT_EQ(add(""), absl::StatusCode::kInvalidArgument);
  const std::string most(Incidents::kMaxEvidenceBytes, 'x');
  EXPECT_EQ(add(most + "x"), absl::StatusCode::kInvalidArgument);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(add(most), absl::StatusCode::kOk);
  EXPECT_EQ(add("x"), absl::StatusCode::kFailedPrecondition);
  const Incident full = *incidents_.Get(made.id);
  ASSERT_TRUE(incidents_.RemoveEvidence(made.id, full.evidence[0].id, Ana()).ok());
  EXPECT_EQ(add("x"), absl::StatusCode::kOk);
}

TEST_F(StoreIncidents, ChangedEvidenceIsNoticed) {
  const Incident made = Make();
  const auto added = incidents_.AddEvidence(made.id, {.name = "x"}, "the truth", Ana());
  const DocumentPage parts = *store_->Documents({.kind = "incident_evidence"});
  ASSERT_THAT(parts.documents, SizeIs(1));
  Document part = parts.documents[0];
  for (const char* body : {"\"dGhlIGxpZXMh\"", "\"###\"", "", "\"\""}) {
    part.body = body;
    part.version = Document::kAnyVersion;
    ASSERT_TRUE(store_->PutDocument(part).ok());
    EXPECT_EQ(incidents_.Evidence(made.id, added->evidence[0].id).status().code(),
              absl::StatusCode::kDataLoss)
        << body;
    EXPECT_EQ(
        incidents_.Export(made.id, Ana(), [](std::string_view) { return absl::OkStatus(); }).code(),
        absl::StatusCode::kDataLoss);
  }
  ASSERT_TRUE(store_->RemoveDocument(part.kind, part.id).ok());
  EXPECT_EQ(incidents_.Evidence(made.id, added->evidence[0].id).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(StoreIncidents, WhatIsRemovedLeavesNoBytesButItsTrace) {
  const Incident made = Make();
  const auto added =
      incidents_.AddEvidence(made.id, {.name = "x"}, std::string(2 << 20, 'x'), Ana());
  const IncidentEvidence evidence = added->evidence[0];
  const auto removed = incidents_.RemoveEvidence(made.id, evidence.id, Ana());
  EXPECT_THAT(removed->evidence, IsEmpty());
  EXPECT_THAT(removed->timeline.back().text, HasSubstr(evidence.sha256));
  EXPECT_THAT(store_->Documents({.kind = "incident_evidence"})->documents, IsEmpty());

  ASSERT_TRUE(incidents_.AddEvidence(made.id, {.name = "x"}, "y", Ana()).ok());
  ASSERT_TRUE(incidents_.Remove(made.id).ok());
  EXPECT_FALSE(incidents_.Get(made.id).ok());
  EXPECT_THAT(store_->Documents({.kind = "incident_evidence"})->documents, IsEmpty());
  EXPECT_EQ(Make().id, "inc-000002");  // a number is never given twice
}

TEST_F(StoreIncidents, AnIncidentCannotGrowWithoutBound) {
  const Incident made = Make();
  const std::string text(16'000, 'x');
  absl::Status status;
  int comments = 0;
  while (status.ok() && comments < 1000) {
    status = incidents_.Comment(made.id, text, Ana()).status();
    ++comments;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(comments, testing::AllOf(testing::Gt(100), testing::Lt(150)));
  EXPECT_TRUE(incidents_
                  .Change(made.id, incidents_.Get(made.id)->version,
                          {.state = IncidentState::kClosed}, Ana())
                  .ok());
}

std::string Shell(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string output;
  char buffer[4096];
  while (std::size_t size = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, size);
  return output + "exit " + std::to_string(pclose(pipe));
}

// The system's own tar and sha256sum read it.
TEST_F(StoreIncidents, TheExportIsOneFileThatAnybodyCanCheck) {
  const Incident made = Make();
  ASSERT_TRUE(incidents_
                  .AddEvidence(made.id, {.name = "../../etc/pass wd.pcap"},
                               "\xd4\xc3\xb2\xa1" + std::string(2000, 'p'), Ana())
                  .ok());
  ASSERT_TRUE(incidents_.AddEvidence(made.id, {.name = std::string(200, 'n')}, "y", Ana()).ok());
  ASSERT_TRUE(incidents_.Comment(made.id, "Fine\nState     closed", Ana()).ok());
  TemporaryDirectory directory;
  const std::string file = directory.File("x.tar");
  std::ofstream out(file, std::ios::binary);
  ASSERT_TRUE(incidents_
                  .Export(made.id, Ana(),
                          [&](std::string_view bytes) {
                            out << bytes;
                            return absl::OkStatus();
                          })
                  .ok());
  out.close();
  const std::string in = "cd " + directory.File("") + " && ";
  EXPECT_THAT(
      Shell(in + "tar xvf x.tar && cd inc-000001 && sha256sum -c SHA256SUMS && ls evidence"),
      testing::AllOf(HasSubstr("report.txt: OK"), HasSubstr("manifest.json: OK"),
                     HasSubstr("2-.._.._etc_pass_wd.pcap: OK"), Not(HasSubstr("FAILED")),
                     HasSubstr("exit 0")));
  const std::string report = Shell(in + "cat inc-000001/report.txt");
  EXPECT_THAT(report, HasSubstr("inc-000001: Scan of the lab\n"));
  // A comment cannot pass for a line of ours.
  EXPECT_THAT(report, HasSubstr("\n    State     closed\n"));
  EXPECT_THAT(Shell(in + "python3 -c \"import json; print(len(json.load(open("
                         "'inc-000001/manifest.json'))['files']))\""),
              HasSubstr("4\nexit 0"));
  // One changed byte of the evidence is found.
  EXPECT_THAT(Shell(in + "cd inc-000001 && printf q | dd of=evidence/2-.._.._etc_pass_wd.pcap bs=1 "
                         "seek=9 conv=notrunc status=none; sha256sum -c --quiet SHA256SUMS"),
              HasSubstr("FAILED"));
}

TEST_F(StoreIncidents, AnExportEndsWhenItsReaderDoes) {
  const Incident made = Make();
  int calls = 0;
  const absl::Status status = incidents_.Export(made.id, Ana(), [&](std::string_view) {
    ++calls;
    return absl::CancelledError("gone");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST_F(StoreIncidents, ADamagedDocumentIsToldAndTheOthersAreRead) {
  Make();
  Document document = store_->Documents({.kind = "incident"})->documents[0];
  for (const char* body : {"", "{}", "[]", R"({"id":1})"}) {
    document.body = body;
    document.version = Document::kAnyVersion;
    ASSERT_TRUE(store_->PutDocument(document).ok());
    EXPECT_EQ(incidents_.Get("inc-000001").status().code(), absl::StatusCode::kDataLoss) << body;
  }
  EXPECT_TRUE(incidents_.Get(Make().id).ok());
}

// Adds evidence until it is killed, telling each file that it was told is complete.
[[noreturn]] void AddUntilKilled(const std::string& path, int acknowledged) {
  auto store = Store::Open({.path = path, .reserve_bytes = 0});
  if (!store.ok()) _exit(1);
  Incidents incidents(**store);
  const std::string bytes(2 << 20, 'e');
  while (incidents.AddEvidence("inc-000001", {.name = "x"}, bytes, {"ana", kEight}).ok()) {
    if (write(acknowledged, "x", 1) != 1) break;
    const auto incident = incidents.Get("inc-000001");
    if (incident->evidence.size() < 20) continue;
    incidents.RemoveEvidence("inc-000001", incident->evidence[0].id, {"ana", kEight}).IgnoreError();
  }
  _exit(1);
}

TEST_F(StoreIncidents, AKilledWriterLeavesEachFileWholeOrToldAsIncomplete) {
  Make();
  store_.reset();
  std::size_t complete = 0;
  for (int round = 0; round < 10; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) AddUntilKilled(path(), ends[1]);
    close(ends[1]);
    char byte = 0;
    ASSERT_EQ(read(ends[0], &byte, 1), 1);
    usleep(static_cast<useconds_t>(round * 2'500));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ends[0]);
    const auto store = OpenStore();
    Incidents incidents(*store);
    const Incident incident = *incidents.Get("inc-000001");
    complete = 0;
    for (const IncidentEvidence& evidence : incident.evidence) {
      const auto bytes = incidents.Evidence("inc-000001", evidence.id);
      if (evidence.complete) ++complete;
      EXPECT_EQ(bytes.ok(), evidence.complete) << bytes.status();
      if (evidence.complete) continue;
      EXPECT_TRUE(incidents.RemoveEvidence("inc-000001", evidence.id, Ana()).ok());
    }
  }
  EXPECT_GE(complete, 10u);
}

}  // namespace
}  // namespace nta
