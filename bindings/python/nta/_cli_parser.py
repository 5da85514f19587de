"""The parser of every command: its help tells defaults, its errors show the usage of what was meant."""

from __future__ import annotations

import argparse
from typing import Any


class Parser(argparse.ArgumentParser):
    """Subcommands are of the same class. The one that was chosen is `parser` of the options."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        super().__init__(*arguments, **options)
        self.set_defaults(parser=self)


class _Formatter(argparse.HelpFormatter):
    def _format_action(self, action: argparse.Action) -> str:
        words = action.help or ""
        if "[" not in words and "%(default)" not in words and (default := _default_of(action)):
            action.help = f"{words} [{default}]".strip()
        return super()._format_action(action)


def _default_of(action: argparse.Action) -> str:
    """As it stands in the help; empty where there is nothing to tell."""
    value = action.default
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or value == argparse.SUPPRESS:
        return ""
    return (f"{value:g}" if isinstance(value, float) else str(value)).replace("%", "%%")
