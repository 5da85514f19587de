// A store of version 1, for tests of what becomes of it.
#ifndef NTA_TESTS_STORE_VERSION_1_H_
#define NTA_TESTS_STORE_VERSION_1_H_

namespace nta {

// The tables of version 1, as libnta made them.
inline constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta(name, value) VALUES('next_flow_id', 1), ('longest_flow', 0);

CREATE TABLE flows(
  id INTEGER PRIMARY KEY,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  source_address BLOB NOT NULL,
  source_port INTEGER NOT NULL,
  destination_address BLOB NOT NULL,
  destination_port INTEGER NOT NULL,
  vlan INTEGER,
  forward_packets INTEGER NOT NULL,
  forward_wire_bytes INTEGER NOT NULL,
  forward_ip_bytes INTEGER NOT NULL,
  forward_payload_bytes INTEGER NOT NULL,
  reverse_packets INTEGER NOT NULL,
  reverse_wire_bytes INTEGER NOT NULL,
  reverse_ip_bytes INTEGER NOT NULL,
  reverse_payload_bytes INTEGER NOT NULL,
  forward_tcp_flags INTEGER NOT NULL,
  reverse_tcp_flags INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  end_reason INTEGER NOT NULL
) STRICT;
CREATE INDEX flows_last_seen ON flows(last_seen);

CREATE TABLE rollup_protocol(
  minute INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  packets INTEGER NOT NULL,
  flows INTEGER NOT NULL,
  PRIMARY KEY(minute, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_address(
  minute INTEGER NOT NULL,
  address BLOB NOT NULL,
  protocol INTEGER NOT NULL,
  sent_as_source INTEGER NOT NULL,
  received_as_source INTEGER NOT NULL,
  packets_as_source INTEGER NOT NULL,
  flows_as_source INTEGER NOT NULL,
  sent_as_destination INTEGER NOT NULL,
  received_as_destination INTEGER NOT NULL,
  packets_as_destination INTEGER NOT NULL,
  flows_as_destination INTEGER NOT NULL,
  bytes_to_itself INTEGER NOT NULL,
  packets_to_itself INTEGER NOT NULL,
  flows_to_itself INTEGER NOT NULL,
  PRIMARY KEY(minute, address, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_port(
  minute INTEGER NOT NULL,
  port INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  bytes_as_source INTEGER NOT NULL,
  packets_as_source INTEGER NOT NULL,
  flows_as_source INTEGER NOT NULL,
  bytes_as_destination INTEGER NOT NULL,
  packets_as_destination INTEGER NOT NULL,
  flows_as_destination INTEGER NOT NULL,
  PRIMARY KEY(minute, port, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE captured(
  since_minute INTEGER PRIMARY KEY,
  until_minute INTEGER NOT NULL
) STRICT;

CREATE TABLE alerts(
  id TEXT PRIMARY KEY,
  time INTEGER NOT NULL,
  detector TEXT NOT NULL,
  class TEXT NOT NULL,
  severity INTEGER NOT NULL,
  score REAL,
  observed REAL,
  expected REAL,
  unit TEXT NOT NULL,
  source BLOB,
  destination BLOB,
  service TEXT,
  window INTEGER NOT NULL,
  technique TEXT NOT NULL,
  state INTEGER NOT NULL,
  count INTEGER NOT NULL,
  summary TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_time ON alerts(time, id);

CREATE TABLE alert_evidence(
  alert_id TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value ANY,
  PRIMARY KEY(alert_id, name, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE users(
  username TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL,
  created INTEGER NOT NULL,
  generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO flows VALUES(1, 1795334400000000000, 1795334401000000000, 6, x'0a000001', 50000,
  x'c0000250', 443, NULL, 10, 1000, 860, 300, 20, 9000, 8720, 8000, 27, 18, 2, 3);
WITH RECURSIVE n(i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 40004)
INSERT INTO flows SELECT i, 1795334400000000000 + i * 1000000, 1795334401000000000 + i * 1000000, 17,
  x'0a000002', 40000 + i % 1000, x'20010db8000000000000000000000001', 53, 7, 1, 80, 66, 38, 1, 200, 186,
  158, 0, 0, 2, 1 FROM n;
UPDATE meta SET value = 40005 WHERE name = 'next_flow_id';
INSERT INTO users VALUES('mia', 'hash', 'admin', 5, 1);
PRAGMA application_id=1853120817;
PRAGMA user_version=1;
)sql";

}  // namespace nta

#endif  // NTA_TESTS_STORE_VERSION_1_H_
