"""``nta backup``: create, list, verify, restore and prune backups of a store."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import stat
import sys
import warnings
from pathlib import Path
from typing import Any, Optional

import nta

from ._cli_progress import Progress


def add(commands: Any) -> None:
    parser = commands.add_parser("backup", help="back a store up, and restore it")
    acts = parser.add_subparsers(title="acts", metavar="ACT", required=True)

    create = acts.add_parser("create", help="back a store up, also while it is written to")
    _add_common(create)
    _add_store(create)
    create.add_argument("--compression", choices=("zstd", "none"), default="zstd")
    create.add_argument("--encrypt", action="store_true", help="ask for a passphrase")
    create.add_argument("--extra", action="append", default=[], metavar="FILE",
                        help="a small file to keep with it, a configuration; several times")  # fmt: skip
    create.add_argument("--no-verify", dest="verify", action="store_false",
                        help="do not restore it into a scratch place and compare")  # fmt: skip
    create.set_defaults(run=_create)

    listing = acts.add_parser("list", help="all backups, the newest first")
    _add_common(listing)
    listing.add_argument("--format", choices=("table", "json"), default="table")
    listing.set_defaults(run=_list)

    verify = acts.add_parser("verify", help="prove that backups can be restored")
    _add_common(verify)
    _add_store(verify)
    verify.add_argument("name", nargs="*", help="default: all, also those that were verified before")
    verify.set_defaults(run=_verify)

    restore = acts.add_parser("restore", help="let a backup take the place of a store")
    _add_common(restore)
    _add_store(restore)
    restore.add_argument("backup", help="a name, or the file of a backup")
    restore.add_argument("--extras", metavar="DIRECTORY", help="write what was kept with it here")
    restore.add_argument("--replace-foreign", action="store_true",
                         help="also a file that is no store (any more); it is kept as -previous")  # fmt: skip
    restore.set_defaults(run=_restore)

    prune = acts.add_parser("prune", help="delete old backups; never the only verified one")
    _add_common(prune)
    for name in ("last", "daily", "weekly", "monthly"):
        prune.add_argument(f"--{name}", type=_count, default=0, metavar="N")
    prune.add_argument("--max-bytes", type=_count, metavar="BYTES")
    prune.add_argument("--dry-run", action="store_true", help="only tell what would go")
    prune.set_defaults(run=_prune)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--directory", default="nta-data/backups", help="of the backups [%(default)s]")
    parser.add_argument("--passphrase-file", metavar="FILE",
                        help="its first line is the passphrase; only its owner may read it")  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", default="nta-data/nta.db", help="a file or postgresql://... [%(default)s]")


def _existing(options: argparse.Namespace) -> nta.BackupRepository:
    """Only what makes a backup may make the directory: elsewhere a wrong name is a mistake."""
    if not os.path.isdir(options.directory):
        raise nta.NotFoundError(f'there is no directory "{options.directory}"; --directory names another')
    return nta.BackupRepository.open(options.directory)


def _create(options: argparse.Namespace) -> int:
    if "://" not in options.store and not os.path.exists(options.store):
        # Before a directory is made for nothing.
        raise nta.NotFoundError(f'cannot open "{options.store}": No such file or directory')
    repository = nta.BackupRepository.open(options.directory)
    extras = {Path(name).name: Path(name).read_bytes() for name in options.extra}
    passphrase = _new_passphrase(options)
    with Progress(options) as progress:
        backup = repository.create(
            options.store,
            passphrase=passphrase,
            compression=options.compression,
            extras=extras,
            progress=progress.phase,
        )
        if options.verify:
            backup = repository.verify(
                backup.name, passphrase=passphrase, progress=progress.phase, store=options.store
            )
    print(backup.name)
    return 0


def _list(options: argparse.Namespace) -> int:
    backups = _existing(options).list()
    if options.format == "json":
        for backup in backups:
            print(json.dumps(_as_dict(backup), separators=(",", ":")))
        return 0
    for backup in backups:
        state = "verified" if backup.verified else "not verified"
        if backup.problem:
            state = f"BAD: {backup.problem}"
        marks = ", encrypted" if backup.encrypted else ""
        print(f"{backup.name}  {backup.stored_bytes:>14,} bytes  {state}{marks}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    repository = _existing(options)
    names = options.name or [backup.name for backup in repository.list()]
    if not names:
        print("there are no backups")
    failed = 0
    for name in names:
        encrypted = repository.get(name).encrypted
        # Among all, a passphrase for some does not stand in the way of the others.
        passphrase = _passphrase(options, encrypted) if options.name or encrypted else None
        try:
            with Progress(options) as progress:
                repository.verify(
                    name, passphrase=passphrase, progress=progress.phase, store=options.store
                )
            print(f"{name}  verified")
        except nta.Error as error:
            failed += 1
            print(f"{name}  BAD")
            print(f"nta: {error}", file=sys.stderr)
    return 1 if failed else 0


def _restore(options: argparse.Namespace) -> int:
    name = options.backup
    if not (os.sep in name or os.path.exists(name)):
        repository = _existing(options)
    else:
        repository = nta.BackupRepository.open(options.directory)
        name = repository.import_file(name).name
    passphrase = _passphrase(options, repository.get(name).encrypted)
    with Progress(options) as progress:
        result = repository.restore(
            name,
            options.store,
            passphrase=passphrase,
            replace_foreign=options.replace_foreign,
            progress=progress.phase,
        )
    if options.extras is not None:
        _write_extras(Path(options.extras), result["extras"])
    print(f"restored {name} to {options.store}")
    if result["previous"] is not None:
        print(f"what was there before: {result['previous']}")
    return 0


def _prune(options: argparse.Namespace) -> int:
    removed, kept = _existing(options).prune(
        last=options.last,
        daily=options.daily,
        weekly=options.weekly,
        monthly=options.monthly,
        max_bytes=options.max_bytes,
        dry_run=options.dry_run,
    )
    for backup in removed:
        print(f"{'would remove' if options.dry_run else 'removed'} {backup.name}")
    print(f"{len(kept)} kept")
    return 0


def _write_extras(directory: Path, extras: dict[str, bytes]) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in extras.items():
        # Names have no slash; what is there already is not overwritten.
        descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)


def _passphrase(options: argparse.Namespace, needed: bool) -> Optional[str]:
    if options.passphrase_file is not None:
        with open(options.passphrase_file, encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise nta.FailedPreconditionError(
                    f"others may read {options.passphrase_file} (chmod 600 it)"
                )
            # Also for a backup in clear: who trusts only what is encrypted wants that refused.
            passphrase = file.readline().rstrip("\r\n")
        if not passphrase:
            raise nta.InvalidArgumentError(
                f"the first line of {options.passphrase_file} is empty; it is the passphrase"
            )
        return passphrase
    return _ask("passphrase: ") if needed else None


def _new_passphrase(options: argparse.Namespace) -> Optional[str]:
    if options.passphrase_file is not None or not options.encrypt:
        return _passphrase(options, False)
    passphrase = _ask("passphrase: ")
    if not passphrase:
        raise nta.InvalidArgumentError("the passphrase is empty")
    if _ask("the same again: ") != passphrase:
        raise nta.InvalidArgumentError("the two passphrases differ; nothing was backed up")
    return passphrase


def _ask(prompt: str) -> str:
    try:
        return ask_secret(prompt)
    except EOFError:
        raise nta.InvalidArgumentError(
            "a passphrase is needed and there is no terminal to ask at: --passphrase-file FILE"
        ) from None


def ask_secret(prompt: str) -> str:
    """Asks at the terminal, else reads a line of stdin; EOFError where there is neither."""
    if not _has_terminal():
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", getpass.GetPassWarning)
        return getpass.getpass(prompt, sys.stderr)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin.isatty()
    return True


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'"{text}" is not a number from 0 on')
    return int(text)


def _as_dict(backup: nta.Backup) -> dict[str, Any]:
    return {
        "name": backup.name,
        "time": backup.time.isoformat(),
        "stored_bytes": backup.stored_bytes,
        "content_bytes": backup.content_bytes,
        "tool": backup.tool,
        "schema_version": backup.schema_version,
        "compression": backup.compression,
        "encrypted": backup.encrypted,
        "verified": backup.verified.isoformat() if backup.verified else None,
        "problem": backup.problem,
    }
