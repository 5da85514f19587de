from __future__ import annotations

import json
import subprocess
import sys

import pytest

import nta


@pytest.fixture
def path(tmp_path, sample):
    path = tmp_path / "nta.db"
    with nta.Store.open(path) as store:
        store.write(nta.read_flows(sample))
    return path


@pytest.fixture
def repository(tmp_path):
    return nta.BackupRepository.open(tmp_path / "backups")


def flows(path):
    with nta.Store.open(path) as store:
        return sorted(repr(flow) for flow in store.flows())


def test_a_backup_is_restored_to_what_it_was(path, repository, tmp_path):
    before = flows(path)
    backup = repository.create(path, extras={"nta.toml": b"listen = 1"})
    assert backup.verified is None
    assert repository.verify(backup.name).verified is not None
    with nta.Store.open(path) as store:
        store.delete_before("2100-01-01T00:00:00Z")
    assert flows(path) == []
    result = repository.restore(backup.name, path)
    assert flows(path) == before
    assert result["extras"] == {"nta.toml": b"listen = 1"}
    assert result["previous"] == str(path) + "-previous"
    assert repository.list()[0].name == backup.name


def test_a_store_that_is_open_is_backed_up_but_not_replaced(path, repository):
    with nta.Store.open(path) as store:
        name = repository.create(path).name
        with pytest.raises(nta.UnavailableError, match="open"):
            repository.restore(name, path)
        assert len(store.flows()) > 0


def test_a_passphrase_is_needed_where_one_was_given(path, repository):
    name = repository.create(path, passphrase="correct horse").name
    assert repository.get(name).encrypted
    for wrong in (None, "wrong"):
        with pytest.raises(nta.Error, match="passphrase"):
            repository.verify(name, passphrase=wrong)
    assert repository.verify(name, passphrase="correct horse").verified is not None


def test_progress_is_told_and_can_end_the_work(path, repository):
    seen = []
    repository.create(path, progress=lambda phase, part: seen.append((phase, part)))
    assert {phase for phase, _ in seen} == {"snapshot", "pack"}
    assert all(0 <= part <= 1 for _, part in seen)

    class Enough(Exception):
        pass

    def stop(phase, part):
        raise Enough

    with pytest.raises(Enough):
        repository.create(path, progress=stop)
    assert len(repository.list()) == 1


def test_names_lead_nowhere(repository):
    for name in ("../nta.db", "/etc/passwd", "", "a" * 28):
        with pytest.raises(nta.InvalidArgumentError):
            repository.remove(name)
    with pytest.raises(nta.NotFoundError):
        repository.get("20261122T080000Z-0123456789ab")


def test_prune_keeps_the_only_verified_one(path, repository):
    names = [repository.create(path).name for _ in range(3)]
    repository.verify(names[0])
    removed, kept = repository.prune(last=1, dry_run=True)
    assert len(repository.list()) == 3
    removed, kept = repository.prune(last=1)
    assert names[0] in {backup.name for backup in kept}


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "nta", "backup", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_command_line_destroys_and_restores(path, tmp_path):
    before = flows(path)
    common = ("--directory", tmp_path / "kept")
    (tmp_path / "nta.toml").write_text("listen = 1")
    (tmp_path / "secret").write_text("correct horse\n")
    (tmp_path / "secret").chmod(0o600)
    made = run("create", *common, "--store", path, "--extra", tmp_path / "nta.toml",
               "--passphrase-file", tmp_path / "secret", cwd=tmp_path)  # fmt: skip
    assert made.returncode == 0, made.stderr
    name = made.stdout.strip()
    listed = json.loads(run("list", *common, "--format", "json", cwd=tmp_path).stdout)
    assert listed["name"] == name and listed["encrypted"] and listed["verified"]

    for file in tmp_path.glob("nta.db*"):
        file.unlink()
    refused = run("restore", *common, "--store", path, tmp_path / "nta.toml", cwd=tmp_path)
    assert refused.returncode == 1 and "not a backup" in refused.stderr
    done = run("restore", *common, "--store", path, name, "--extras", tmp_path / "extras",
               "--passphrase-file", tmp_path / "secret", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert flows(path) == before
    assert (tmp_path / "extras" / "nta.toml").read_text() == "listen = 1"

    file = next((tmp_path / "kept").glob("*.ntabackup"))
    damaged = bytearray(file.read_bytes())
    damaged[-100] ^= 1
    file.write_bytes(damaged)
    bad = run("verify", *common, "--passphrase-file", tmp_path / "secret", name, cwd=tmp_path)
    assert bad.returncode == 1 and "BAD" in bad.stdout


def test_verify_looks_again_at_what_was_verified_before(path, tmp_path):
    common = ("--directory", tmp_path / "kept")
    (tmp_path / "kept").mkdir(mode=0o700)
    assert "no backups" in run("verify", *common, "--store", path, cwd=tmp_path).stdout
    name = run("create", *common, "--store", path, cwd=tmp_path).stdout.strip()
    file = next((tmp_path / "kept").glob("*.ntabackup"))
    rotten = bytearray(file.read_bytes())
    rotten[len(rotten) // 2] ^= 1
    file.write_bytes(rotten)
    found = run("verify", *common, "--store", path, cwd=tmp_path)
    assert (found.returncode, found.stdout) == (1, f"{name}  BAD\n")
    assert "BAD" in run("list", *common, cwd=tmp_path).stdout


def test_who_gives_a_passphrase_gets_no_backup_in_clear(path, tmp_path):
    before = path.read_bytes()
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    common = ("--directory", tmp_path / "kept", "--store", path)
    name = run("create", *common, cwd=tmp_path).stdout.strip()
    for act in ("restore", "verify"):
        refused = run(act, *common, name, "--passphrase-file", secret, cwd=tmp_path)
        assert refused.returncode == 1
        assert "it is not encrypted" in refused.stderr
    assert path.read_bytes() == before
    # Among all, it is for those that are encrypted.
    assert run("verify", *common, "--passphrase-file", secret, cwd=tmp_path).returncode == 0
    secret.write_text("\n")
    empty = run("create", *common, "--passphrase-file", secret, cwd=tmp_path)
    assert empty.returncode == 1 and "empty" in empty.stderr


def test_a_file_that_is_no_store_is_not_replaced(path, tmp_path):
    common = ("--directory", tmp_path / "kept")
    name = run("create", *common, "--store", path, cwd=tmp_path).stdout.strip()
    before = flows(path)
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear all,\n")
    directory = tmp_path / "directory"
    directory.mkdir()
    for target, reason in ((letter, "it is no SQLite database"), (directory, "it is a directory")):
        refused = run("restore", *common, "--store", target, name, cwd=tmp_path)
        assert refused.returncode == 1 and reason in refused.stderr
        assert "Traceback" not in refused.stderr
        with pytest.raises(nta.FailedPreconditionError, match=reason):
            nta.BackupRepository.open(tmp_path / "kept").restore(name, target)
    assert letter.read_text() == "Dear all,\n" and list(directory.iterdir()) == []
    done = run("restore", *common, "--store", letter, "--replace-foreign", name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert flows(letter) == before
    assert (tmp_path / "letter.txt-previous").read_text() == "Dear all,\n"


def test_a_passphrase_is_asked_for_twice_and_never_with_a_traceback(path, tmp_path):
    def create(typed):
        # Of a session of its own: no terminal.
        return subprocess.run(
            [sys.executable, "-m", "nta", "backup", "create", "--encrypt", "--store", path,
             "--directory", tmp_path / "kept"],
            cwd=tmp_path, input=typed, capture_output=True, text=True, timeout=120, check=False,
            start_new_session=True,
        )  # fmt: skip

    for typed, word in (
        ("", "--passphrase-file"),
        ("one passphrase\ntwo passphrases\n", "differ"),
        ("\n\n", "empty"),
        ("7 chars\n7 chars\n", "at least 8 characters"),
    ):
        refused = create(typed)
        assert refused.returncode == 1 and word in refused.stderr
        assert "Traceback" not in refused.stderr
    assert not list(tmp_path.glob("kept/*.ntabackup"))
    assert create("8 chars.\n8 chars.\n").returncode == 0
    wrong = run("prune", "--directory", tmp_path / "kept", "--last", "-3", cwd=tmp_path)
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr


def test_only_a_backup_makes_its_directory(path, tmp_path):
    wrong = ("--directory", tmp_path / "wrong")
    for act in (["list"], ["verify"], ["prune"], ["restore", "20261122T080000Z-0123456789ab"]):
        done = run(*act, *wrong, cwd=tmp_path)
        assert done.returncode == 1 and "there is no directory" in done.stderr
    missing = run("create", *wrong, "--store", tmp_path / "missing.db", cwd=tmp_path)
    assert missing.returncode == 1 and "missing.db" in missing.stderr
    assert not (tmp_path / "wrong").exists()
    assert run("create", *wrong, "--store", path, cwd=tmp_path).returncode == 0


def test_what_cannot_be_backed_up_is_named(tmp_path, repository):
    with pytest.raises(nta.NotFoundError, match="missing.db.*No such file"):
        repository.create(tmp_path / "missing.db")
    (tmp_path / "text.db").write_text("no database, but long enough to be asked about" * 100)
    with pytest.raises(nta.Error, match="text.db"):
        repository.create(tmp_path / "text.db")
    with pytest.raises(nta.InvalidArgumentError, match='"monday" cannot be the name'):
        repository.verify("monday")


def test_a_passphrase_is_read_from_a_pipe_without_a_terminal(path, tmp_path):
    common = ("--directory", tmp_path / "kept", "--store", path)
    command = [sys.executable, "-m", "nta", "backup", "create", "--encrypt", *map(str, common)]
    done = subprocess.run(command, input="correct horse\n" * 2, capture_output=True, text=True,
                          timeout=120, start_new_session=True)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, start_new_session=True)  # fmt: skip
    assert done.returncode == 1 and done.stderr.count("\n") == 1
