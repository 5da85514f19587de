#include "app/samples.h"

namespace nta::test {
namespace {

Bytes MysqlPacket(std::uint8_t sequence, const Bytes& body) {
  return Join({Le24(body.size()), {sequence}, body});
}

Bytes PgMessage(char type, const Bytes& body) {
  return Join({{static_cast<std::uint8_t>(type)}, Be32(4 + body.size()), body});
}

Bytes Resp(std::initializer_list<std::string_view> words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    text += "$" + std::to_string(word.size()) + "\r\n";
    text.append(word).append("\r\n");
  }
  return Text(text);
}

Bytes BsonElement(std::uint8_t type, std::string_view name, const Bytes& value) {
  return Join({{type}, Text(name), Zeros(1), value});
}

Bytes Bson(const Bytes& elements) { return Join({Le32(elements.size() + 5), elements, Zeros(1)}); }

Bytes MongoMessage(std::uint32_t answers_to, const Bytes& document) {
  return Join({Le32(21 + document.size()), Le32(9), Le32(answers_to), Le32(2013), Le32(0), Zeros(1),
               document});
}

Bytes TdsPacket(std::uint8_t type, const Bytes& body) {
  return Join({{type, 1}, Be16(8 + body.size()), Zeros(4), body});
}

Bytes TdsLogin() {
  const Bytes host = Utf16("HOST9");
  const Bytes user = Utf16("sa");
  const Bytes secret = Utf16(kCanary);
  const Bytes program = Utf16("tool");
  const std::size_t base = 94;
  Bytes fields;
  std::size_t at = base;
  for (const Bytes& field : {host, user, secret, program, Bytes{}}) {
    fields = Join({fields, Le16(at), Le16(field.size() / 2)});
    at += field.size();
  }
  const Bytes fixed = Join({Le32(at), Le32(0x74000004), Zeros(28)});
  return Join({fixed, fields, Zeros(base - 36 - fields.size()), host, user, secret, program});
}

std::vector<Sample> Make() {
  using enum MetadataField;
  const std::string canary(kCanary);
  const Bytes greeting = MysqlPacket(0, Join({{10},
                                              Text("8.0.36"),
                                              Zeros(1),
                                              Le32(11),
                                              Bytes(8, 'a'),
                                              Hex("00 FFF7 21 0200 FF81 15"),
                                              Zeros(10),
                                              Bytes(12, 'b'),
                                              Zeros(1)}));
  const Bytes login = MysqlPacket(1, Join({Le32(0x000FA685),
                                           Le32(1 << 24),
                                           {33},
                                           Zeros(23),
                                           Text("mia"),
                                           Zeros(1),
                                           {20},
                                           Text(canary),
                                           Bytes(7, 1)}));
  const Bytes start = Join({Hex("00030000"), Text("user"), Zeros(1), Text("nils"), Zeros(1),
                            Text("database"), Zeros(1), Text("shop"), Zeros(2)});
  const Bytes scram = Join({Text("n,,n=olga,r=nonce")});
  const std::string connect =
      "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=orcl)(CID=(PROGRAM=app)(HOST=h1)(USER=pia))))";
  return {
      {.name = "MySQL: a wrong password",
       .application = Application::kMysql,
       .turns = {S(greeting), C(login),
                 S(MysqlPacket(2, Join({{0xFF}, Le16(1045), Text("#28000Access denied")})))},
       .metadata = {{kServerVersion, "8.0.36"},
                    {kUserName, "mia"},
                    {kLoginFailures, "1"},
                    {kResponse, "error 1045"}}},
      {.name = "MySQL: logged in after another method",
       .application = Application::kMysql,
       .turns = {S(greeting), C(login), S(MysqlPacket(2, Join({{0xFE}, Text("sha2"), Zeros(1)}))),
                 C(MysqlPacket(3, Text(canary))), S(MysqlPacket(4, Hex("00 00 00 0200 0000")))},
       .metadata = {{kUserName, "mia"}, {kLoginSuccesses, "1"}}},
      {.name = "PostgreSQL: a wrong password",
       .application = Application::kPostgresql,
       .turns = {C(Join({Be32(8), Be32(80877103)})), S("N"),
                 C(Join({Be32(4 + start.size()), start})),
                 S(PgMessage('R', Join({Be32(5), Hex("01020304")}))),
                 C(PgMessage('p', Join({Text(canary), Zeros(1)}))),
                 S(PgMessage('E', Join({Text("SFATAL"), Zeros(1), Text("C28P01"), Zeros(2)})))},
       .metadata =
           {{kUserName, "nils"}, {kRequest, "shop"}, {kResponse, "28P01"}, {kLoginFailures, "1"}}},
      {.name = "PostgreSQL: logged in",
       .application = Application::kPostgresql,
       .turns = {C(Join({Be32(4 + start.size()), start})),
                 S(Join({PgMessage('R', Be32(0)),
                         PgMessage(
                             'S', Join({Text("server_version"), Zeros(1), Text("15.4"), Zeros(1)})),
                         PgMessage('Z', Text("I"))}))},
       .metadata = {{kUserName, "nils"}, {kServerVersion, "15.4"}, {kLoginSuccesses, "1"}}},
      {.name = "Redis: a wrong and a right password",
       .application = Application::kRedis,
       .turns = {C(Resp({"AUTH", "quinn", canary})),
                 S("-WRONGPASS invalid username-password pair\r\n"), C(Resp({"AUTH", canary})),
                 S("+OK\r\n"), C(Resp({"GET", "key"})), S("$-1\r\n")},
       .metadata = {{kUserName, "quinn"},
                    {kRequest, "AUTH"},
                    {kResponse, "WRONGPASS"},
                    {kLoginFailures, "1"},
                    {kLoginSuccesses, "1"}}},
      {.name = "MongoDB: a wrong password",
       .application = Application::kMongodb,
       .turns = {C(MongoMessage(
                     0, Bson(Join({BsonElement(0x10, "saslStart", Le32(1)),
                                   BsonElement(5, "payload",
                                               Join({Le32(scram.size()), Zeros(1), scram}))})))),
                 S(MongoMessage(9, Bson(Join({BsonElement(8, "done", Hex("00")),
                                              BsonElement(1, "ok", Zeros(8))})))),
                 C(MongoMessage(0, Bson(BsonElement(0x10, "saslContinue", Le32(1))))),
                 S(MongoMessage(9, Bson(Join({BsonElement(1, "ok", Zeros(8)),
                                              BsonElement(0x10, "code", Le32(18))}))))},
       .metadata = {{kRequest, "saslStart"}, {kUserName, "olga"}, {kLoginFailures, "1"}}},
      {.name = "TDS: a wrong password in the clear",
       .application = Application::kMssql,
       .turns = {C(TdsPacket(0x12, Hex("00 000B 0006 01 0011 0001 FF 0F000000 0000 00"))),
                 S(TdsPacket(0x04, Hex("00 000B 0006 01 0011 0001 FF 0F000000 0000 02"))),
                 C(TdsPacket(0x10, TdsLogin())),
                 S(TdsPacket(0x04, Join({{0xAA}, Le16(10), Le32(18456), Hex("01 0E 0000 0000")})))},
       .metadata = {{kHostName, "HOST9"},
                    {kUserName, "sa"},
                    {kClientVersion, "tool"},
                    {kResponse, "error 18456"},
                    {kLoginFailures, "1"}}},
      {.name = "TNS: connect",
       .application = Application::kOracle,
       .turns = {C(Join({Be16(58 + connect.size()), Be16(0), Hex("01 00 0000 013A 012C"), Zeros(46),
                         Text(connect)})),
                 S(Hex("0010 0000 02 00 0000 013A 0000 2000 7FFF"))},
       .metadata =
           {{kRequest, "orcl"}, {kUserName, "pia"}, {kServerName, "h1"}, {kResponse, "accept"}}},
      {.name = "Memcached: text",
       .application = Application::kMemcached,
       .turns = {C("set k 0 0 2\r\nab\r\n"), S("STORED\r\n")},
       .metadata = {{kRequest, "set"}, {kResponse, "STORED"}}},
      {.name = "Memcached: binary",
       .application = Application::kMemcached,
       .turns = {C(
           Join({Hex("80 00 0003 00 00 0000 00000003 00000001 0000000000000000"), Text("key")}))},
       .metadata = {{kRequest, "opcode 0"}}},
      {.name = "Memcached over UDP",
       .application = Application::kMemcached,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Hex("0001 0000 0001 0000"), Text("stats\r\n")}))},
       .metadata = {{kRequest, "stats"}}},
  };
}

}  // namespace

const std::vector<Sample>& DatabaseSamples() {
  static const std::vector<Sample> kSamples = Make();
  return kSamples;
}

}  // namespace nta::test
