"""The command line on terminals of every encoding, and with standard streams that are closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harmonizer.cli.theta_table import bar

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def command(files, checkpoint, tmp_path):
    """`harmonizer run` with a shell's redirections; the finished process and whether the picture is there."""

    def command(redirections="", output="out.png", **environment):
        arguments = f'run "{files}/composite.png" "{files}/mask.png" -o {output} --weights "{checkpoint}"'
        done = subprocess.run(
            ["bash", "-c", f'"{sys.executable}" -m harmonizer {arguments} {redirections}; echo $? > code'],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
        )
        return int((tmp_path / "code").read_text()), done.stdout, done.stderr

    return command


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii", "latin-1", "cp437", "shift-jis"])
def test_the_table_is_printed_in_every_encoding(command, encoding):
    code, out, error = command(PYTHONIOENCODING=encoding, COLUMNS="100")
    assert (code, error) == (0, b"")
    table = out.decode(encoding)
    assert "temperature" in table
    assert "\\" not in table
    assert "?" not in table


@pytest.mark.parametrize("redirections", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "| true"])
def test_a_run_that_nobody_listens_to_still_succeeds(command, tmp_path, redirections):
    code = command(redirections.replace("|", "> >(") + ")" if "|" in redirections else redirections)[0]
    assert code == 0
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


@needs_full
def test_a_full_disk_under_the_table_is_a_warning(command, tmp_path):
    code, _, error = command(f"> {FULL}")
    assert code == 0
    assert error.startswith(b"warning: the work is done, but cannot be reported: No space left")
    assert len(error.splitlines()) == 1
    assert (tmp_path / "out.png").is_file()


@needs_full
@pytest.mark.parametrize("redirection", [f"> {FULL}", ">&-"])
def test_a_picture_that_cannot_be_written_to_standard_output_is_an_error(command, redirection):
    code, _, error = command(redirection, output="-")
    assert code == 2
    assert error.startswith(b"error: ")
    assert len(error.splitlines()) == 1


@needs_full
def test_a_table_that_is_the_output_is_an_error_if_it_is_lost(tmp_path):
    with FULL.open("w") as full:
        done = subprocess.run([sys.executable, "-m", "harmonizer", "--version"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_name_that_is_not_utf_8_can_be_reported(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    done = subprocess.run([sys.executable, "-m", "harmonizer", "run", name, name, "-o", "x.png"], capture_output=True)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_bars_have_one_width_in_every_encoding():
    for value in (-1, -0.3, 0, 0.7, 1):
        assert len(bar(value)) == len(bar(value, "ascii")) == 21
        bar(value, "ascii").encode("ascii")
        assert "#" not in bar(value, "utf-8")
