from __future__ import annotations

import errno
import os

import pytest

import nta


def test_missing_file():
    with pytest.raises(FileNotFoundError, match="no-such-file.pcap") as caught:
        nta.read_flows("no-such-file.pcap")
    assert isinstance(caught.value, nta.NotFoundError) and isinstance(caught.value, nta.Error)
    assert caught.value.code == "NOT_FOUND" and caught.value.errno == errno.ENOENT
    assert "\n" not in str(caught.value)


def test_not_a_capture(tmp_path):
    path = tmp_path / "text.pcap"
    path.write_text("hello, world, this is not a capture file at all")
    with pytest.raises(ValueError) as caught:
        nta.PcapFileReader(path)
    assert isinstance(caught.value, nta.InvalidArgumentError)
    assert caught.value.code == "INVALID_ARGUMENT"


def test_no_permission(tmp_path):
    path = tmp_path / "secret.pcap"
    path.write_bytes(b"")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(PermissionError) as caught:
        nta.read_flows(path)
    assert isinstance(caught.value, nta.PermissionDeniedError)


def test_every_code_has_its_class():
    from nta import _errors

    for code in ("INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "DATA_LOSS", "OUT_OF_RANGE",
                 "RESOURCE_EXHAUSTED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "FAILED_PRECONDITION",
                 "ALREADY_EXISTS", "UNIMPLEMENTED", "INTERNAL"):  # fmt: skip
        error = _errors.make_error(code, "what: why")
        assert isinstance(error, nta.Error)
        assert error.code == code and str(error) == "what: why"


def test_names_that_are_not_utf_8_show_in_the_message(tmp_path):
    with pytest.raises(nta.NotFoundError, match=r"\\xff"):
        nta.read_flows(os.fsencode(tmp_path) + b"/\xff.pcap")


@pytest.mark.parametrize("path", [None, 3, "a\0b"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises((TypeError, ValueError)):
        nta.read_flows(path)
