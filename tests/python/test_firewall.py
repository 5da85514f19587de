"""nta.firewall and `nta firewall`."""

import ipaddress
import json

import pytest

import nta
from nta._cli import main
from nta.firewall import AddressSet, MemoryBackend, Response, Rule, RuleSet, rehearse

HOUR = 3_600 * 10**9
START = 1_795_334_400 * 10**9


def flow(source, destination, port, **more):
    fields = {
        "first_seen": START, "last_seen": START + HOUR, "protocol": 6, "source_address": source,
        "source_port": 50_000, "destination_address": destination, "destination_port": port,
        "forward_packets": 3, "forward_wire_bytes": 180, "tcp_state": "closed",
    }  # fmt: skip
    return nta.FlowRecord(**{**fields, **more})


TELNET = Rule("no-telnet", protocol="tcp", destination_ports=[23])


def test_a_rule_says_what_it_does_and_what_is_wrong_with_it():
    assert str(TELNET) == "drop in tcp to port 23"
    assert Rule(**TELNET.to_dict()).to_json() == TELNET.to_json()
    with pytest.raises(nta.InvalidArgumentError, match="wider than /8"):
        Rule("wide", source=["0.0.0.0/0"], protocol="tcp")
    for hostile in ("a;drop", "$(reboot)", "a b", ""):
        with pytest.raises(nta.InvalidArgumentError):
            Rule(hostile, protocol="tcp")


@pytest.mark.parametrize(
    ("bad", "own"), [("203.0.113.9", "192.0.2.1"), ("2001:db8:bad::9", "2001:db8::1")]
)
def test_rule_sets_judge_packets_and_admit_what_they_do_not_know(bad, own):
    rules = RuleSet(
        [Rule("blocked", source=["@bad"]), Rule("wan", protocol="udp", in_interface="wan")],
        sets=[AddressSet("bad", [(bad, START + HOUR)])],
    )
    packet = {"direction": "in", "source": bad, "destination": own, "state": "new"}
    assert rules.evaluate(**packet).decision == "drop"
    assert rules.evaluate(**packet).rule_id == "blocked"
    assert rules.evaluate(**packet, time=START + HOUR).decision == "accept"
    unknown = rules.evaluate(**packet, protocol="udp", time=START + HOUR)
    assert (unknown.decision, unknown.missing) == ("undecidable", "interface")
    assert RuleSet.from_json(rules.to_json()) == rules
    assert len(rules) == 2


def test_rule_sets_are_compared_and_checked():
    before, after = RuleSet(), RuleSet([TELNET, Rule("again", protocol="tcp", destination_ports=[23])])
    assert before.diff_text(after).startswith("+ rule no-telnet: drop in tcp to port 23\n")
    assert [change["kind"] for change in before.diff(after)["rules"]] == ["added", "added"]
    assert [(p["kind"], p["because_of"]) for p in after.problems()] == [("redundant", "no-telnet")]


def test_rehearse_tries_rules_on_a_store_and_on_flows(tmp_path):
    flows = [
        flow("203.0.113.9", "192.0.2.1", 23),
        flow("203.0.113.9", "192.0.2.1", 80),
        flow("2001:db8::9", "2001:db8::1", 23),
    ]
    own = ["192.0.2.1", ipaddress.ip_address("2001:db8::1")]
    rules = RuleSet([TELNET])
    with nta.Store.open(tmp_path / "nta.db") as store:
        store.write(flows)
        result = nta.rehearse(rules, store, since=START, own_addresses=own, in_force=RuleSet())
        assert result.cut == {"flows": 2, "bytes": 360}
        assert result.difference["newly_cut"]["flows"] == 2
        assert {host["address"] for host in result.hosts} == {"203.0.113.9", "2001:db8::9"}
        assert "2 flows (360 B) would have been cut, of 2 hosts" in result.summary
        narrowed = rehearse(rules, store, own_addresses=own, where="src=203.0.113.9")
        assert narrowed.cut["flows"] == 1
    assert rehearse(rules, flows, own_addresses=own).cut == result.cut
    # Whose address is whose is not known: nothing is claimed.
    assert rehearse(rules, flows).undecidable["flows"] == 2
    session = rehearse(rules, [], own_addresses=own, sessions=[("203.0.113.9", "192.0.2.1", 23)])
    assert session.sessions[0]["decision"] == "drop"


def test_the_memory_backend_blocks_and_lets_go():
    backend = MemoryBackend()
    backend.replace(RuleSet([Rule("blocked", source=["@bad"])], sets=[AddressSet("bad")]), now=START)
    packet = {"direction": "in", "source": "203.0.113.9", "destination": "192.0.2.1",
              "state": "new", "time": START + 1}  # fmt: skip
    assert backend.offer(60, **packet) == "accept"
    backend.block("bad", "203.0.113.9", expires=START + HOUR, now=START)
    assert backend.offer(60, **packet) == "drop"
    assert backend.counters(now=START + 1) == [{"rule_id": "blocked", "packets": 1, "bytes": 60}]
    assert backend.current(now=START + HOUR).to_dict()["sets"][0]["elements"] == []
    backend.unblock("bad", "203.0.113.9", now=START)
    assert backend.offer(60, **packet) == "accept"
    with pytest.raises(nta.NotFoundError):
        backend.block("nobody", "203.0.113.9", now=START)


def test_one_call_blocks_and_one_lifts():
    backend = MemoryBackend()
    response = Response(backend, allow_list=["198.51.100.0/24"])
    packet = {"direction": "in", "source": "203.0.113.9", "destination": "192.0.2.1",
              "destination_port": 22, "state": "new", "time": START}  # fmt: skip
    made = response.block("203.0.113.9", protocol="tcp", port=22, seconds=60, reason="x", now=START)
    assert made["scope"] == {"protocol": "tcp", "port": 22}
    assert backend.offer(60, **packet) == "drop"
    assert backend.offer(60, **{**packet, "destination_port": 80}) == "accept"
    [block] = response.blocks(now=START + 10**9)
    assert (block["id"], block["effect"]["packets"]) == ("203.0.113.9 tcp port 22", 1)
    response.unblock("203.0.113.9", now=START)
    assert backend.offer(60, **packet) == "accept"
    with pytest.raises(nta.NotFoundError):
        response.unblock("203.0.113.9", now=START)
    with pytest.raises(nta.FailedPreconditionError, match="allow list"):
        response.block("198.51.100.7", now=START)
    with pytest.raises(nta.InvalidArgumentError):
        response.block("203.0.113.9", port=22, now=START)
    response.block("203.0.113.9", seconds=60, now=START)
    assert response.blocks(now=START + 60 * 10**9) == []


def test_the_command_tells_two_files_apart(tmp_path, capsys):
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(RuleSet().to_json())
    after.write_text(RuleSet([TELNET]).to_json())
    assert main(["firewall", "diff", str(before), str(after)]) == 0
    assert capsys.readouterr().out.startswith("+ rule no-telnet: drop in tcp to port 23")
    assert main(["firewall", "diff", str(before)]) == 2
    assert main(["firewall", "add", '{"id":"a;drop"}']) == 1
    assert 'rule id "a;drop"' in capsys.readouterr().err


def test_the_command_lists_and_rehearses(tmp_path, capsys):
    rules = tmp_path / "rules.json"
    rules.write_text(RuleSet([TELNET]).to_json())
    database = str(tmp_path / "nta.db")
    with nta.Store.open(database) as store:
        store.write([flow("203.0.113.9", "192.0.2.1", 23)])
    assert main(["firewall", "list", str(rules)]) == 0
    assert "no-telnet" in capsys.readouterr().out
    arguments = ["firewall", "rehearse", str(rules), database, "--own", "192.0.2.1"]
    assert main(arguments) == 0
    assert "1 flow (180 B) would have been cut" in capsys.readouterr().out
    assert main([*arguments, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["cut"]["flows"] == 1
    rules.write_text("{")
    assert main(["firewall", "list", str(rules)]) == 1
    assert "not JSON" in capsys.readouterr().err


def test_a_rehearsal_of_no_rule_set_says_so():
    with pytest.raises(TypeError, match="rules must be a RuleSet, not list"):
        rehearse([], nta.FlowBatch())


def test_a_rehearsal_on_flows_keeps_to_the_interval_as_on_a_store(sample, tmp_path):
    rules = RuleSet([Rule("no-web", protocol="tcp", destination_ports=[80], allow_wide=True)])
    flows = nta.read_flows(sample)
    with nta.Store.open(tmp_path / "nta.db") as store:
        store.write(flows)
        for since, until in ((None, "2026-11-22T08:22:00Z"), ("2026-11-22T08:22:00Z", None), ("2030-01-01T00:00:00Z", None)):
            one, other = (rehearse(rules, source, since=since, until=until) for source in (flows, store))
            assert one.summary == other.summary and one.summary != rehearse(rules, flows).summary
