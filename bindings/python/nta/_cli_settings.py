"""Settings of detectors on the command line: ``--set port_scan.min_ports=50``."""

from __future__ import annotations

import argparse
from typing import Any, Mapping, Sequence

import nta

from ._cli_values import UsageError

Settings = dict[str, dict[str, Any]]


def add_set(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    parser.add_argument(flag, action="append", default=[], metavar="DETECTOR.OPTION=VALUE",
                        help=text + "; lists with commas, options as `nta detectors` has them")  # fmt: skip


def parse_settings(texts: Sequence[str]) -> Settings:
    """{"port_scan": {"min_ports": 50.0, "sensitivity": "high"}}"""
    options = {
        row["name"]: {option["name"]: option for option in row["options"]}
        for row in nta.detector_catalogue()
    }
    settings: Settings = {}
    for text in texts:
        target, equals, value = text.partition("=")
        detector, dot, name = target.partition(".")
        if not equals or not dot:
            raise UsageError(f'"{text}" is not DETECTOR.OPTION=VALUE')
        if detector not in options:
            raise UsageError(f'no detector "{detector}" (have: {" ".join(options)})')
        settings.setdefault(detector, {})[name] = _value(options[detector].get(name), name, value)
    return settings


def _value(option: Any, name: str, text: str) -> Any:
    if option is None:
        # "sensitivity" and "enabled" are no options; what is unknown is for the library to refuse.
        return text == "true" if name == "enabled" else text
    if option["kind"] == "flag":
        if text not in ("true", "false"):
            raise UsageError(f"{name} is true or false, not {text!r}")
        return text == "true"
    if isinstance(option["default"], list):
        return [one for one in text.split(",") if one]
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{name} is a number, not {text!r}") from None


def make_detectors(names: Sequence[str], settings: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Those named, or all that are on, with these settings."""
    _check(settings)
    if not names:
        return list(nta.default_detectors(settings=settings))
    chosen = {name: {**settings.get(name, {}), "enabled": True} for name in names}
    disabled = set(nta.default_detector_names()) - set(names)
    return list(nta.default_detectors(settings=chosen, disabled=disabled))


def _check(settings: Mapping[str, Mapping[str, Any]]) -> None:
    try:
        nta.default_detectors(settings=settings)
    except (TypeError, nta.InvalidArgumentError) as error:
        raise UsageError(str(error)) from None
