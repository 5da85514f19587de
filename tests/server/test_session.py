"""Setting up, signing in, and what keeps others out."""

import concurrent.futures
import os
import sqlite3
import stat
import time

from conftest import PASSWORD


def test_the_first_start_prints_a_token_that_makes_one_administrator(start):
    first = start()
    token = first.bootstrap_token
    assert token and len(token) == 43
    assert first.call("GET", "/api/v1/setup").json() == {"needed": True}
    first.set_up()
    assert first.call("GET", "/api/v1/setup").json() == {"needed": False}
    again = first.call("POST", "/api/v1/setup", {"bootstrap_token": token, "username": "x", "password": PASSWORD})
    assert again.status == 409
    assert first.stop() == 0
    second = start()
    assert second.bootstrap_token is None
    assert second.login().status == 200


def test_an_unused_token_is_void_after_the_next_start(start):
    old = start()
    assert old.stop() == 0
    new = start()
    assert new.bootstrap_token != old.bootstrap_token
    answer = new.call("POST", "/api/v1/setup", {
        "bootstrap_token": old.bootstrap_token, "username": "root", "password": PASSWORD})
    assert answer.status == 401
    new.set_up()


def test_there_is_no_account_by_default(server):
    for username, password in [("admin", "password"), ("admin", "admin"), ("root", ""), ("", "")]:
        assert server.login(username, password).status in (400, 401)


def test_key_and_database_are_their_owners_only(signed_in):
    data = signed_in.directory / "data"
    assert stat.S_IMODE(os.stat(data).st_mode) == 0o700
    for path in data.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert (data / "jwt.key").stat().st_size == 32


def test_secrets_stand_in_no_output_and_not_in_the_database(signed_in):
    refresh = signed_in.tokens["refresh_token"]
    ticket = signed_in.call("POST", "/api/v1/stream/ticket", token=signed_in.token).json()["ticket"]
    canaries = [PASSWORD, signed_in.token, refresh, ticket, "canary-in-a-wrong-password"]
    signed_in.login("root", "canary-in-a-wrong-password")
    signed_in.login("canary-in-a-wrong-password", "canary-in-a-wrong-password")
    signed_in.call("GET", "/api/v1/me?token=" + signed_in.token, token=signed_in.token)
    signed_in.call("POST", "/api/v1/refresh", {"refresh_token": refresh})
    signed_in.call("POST", "/api/v1/refresh", {"refresh_token": refresh})
    assert signed_in.stop() == 0
    data = b"".join(path.read_bytes() for path in (signed_in.directory / "data").rglob("*") if path.is_file())
    assert b"sign_in.failed" in data and b"session.sign_in" in data  # the logs and the audit trail are among them
    printed = signed_in.stderr() + "\n".join(line for line in signed_in.lines if "bootstrap token" not in line)
    for canary in canaries + [signed_in.bootstrap_token]:
        assert canary not in printed
        assert canary.encode() not in data


def test_sessions_survive_a_restart_and_signed_out_ones_do_not(start):
    first = start()
    kept = first.set_up()
    ended = first.login().json()
    assert first.call("POST", "/api/v1/logout", {"refresh_token": ended["refresh_token"]}, token=ended["token"]).status == 204
    assert first.stop() == 0
    second = start()
    assert second.call("GET", "/api/v1/me", token=kept["token"]).status == 200
    assert second.call("GET", "/api/v1/me", token=ended["token"]).status == 401
    assert second.call("POST", "/api/v1/refresh", {"refresh_token": kept["refresh_token"]}).status == 200


def test_tokens_of_another_server_are_refused(start, tmp_path_factory):
    first = start()
    token = first.set_up()["token"]
    assert first.stop() == 0
    os.remove(first.directory / "data" / "jwt.key")
    second = start()
    assert second.call("GET", "/api/v1/me", token=token).status == 401


def test_guessing_is_slowed_and_the_right_user_gets_in_elsewhere(start):
    server = start(limits=[])
    server.set_up()
    answers = [server.login("root", f"guess number {i:06}", source="127.0.0.2").status for i in range(30)]
    assert answers.count(401) == 5 and answers.count(429) == 25
    assert server.login(source="127.0.0.3").status == 200


def test_hashing_holds_nobody_else_up(signed_in):
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        guesses = [pool.submit(signed_in.login, "root", "not the right one at all") for _ in range(40)]
        started = time.monotonic()
        for _ in range(20):
            assert signed_in.call("GET", "/api/v1/me", token=signed_in.token).status == 200
        assert time.monotonic() - started < 5
        answers = [guess.result().status for guess in guesses]
    assert set(answers) <= {401, 503} and 401 in answers


def test_a_broken_account_table_closes_the_door(signed_in):
    assert signed_in.call("GET", "/api/v1/me", token=signed_in.token).status == 200
    database = sqlite3.connect(signed_in.directory / "data" / "nta.db", timeout=10)
    tables = [name for (name,) in database.execute("select name from sqlite_schema where type = 'table'") if "user" in name]
    assert len(tables) == 1
    database.execute(f"alter table {tables[0]} rename to elsewhere")
    database.commit()
    database.close()
    deadline = time.monotonic() + 10
    while (answer := signed_in.call("GET", "/api/v1/me", token=signed_in.token)).status == 200 and time.monotonic() < deadline:
        pass
    assert answer.status == 503
    assert b"SELECT" not in answer.body.upper() and tables[0].encode() not in answer.body.replace(b"users", b"")
    assert signed_in.login().status == 503
