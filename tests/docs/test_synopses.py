"""Command lines with placeholders: the command and its options are there, and so many arguments are taken."""

from __future__ import annotations

import shlex

import pytest
import typer.main
from doc_blocks import blocks

from harmonizer.cli.app import app

SYNOPSES = [pytest.param(line, id=f"{block.page}: {line}") for block in blocks() for line in block.synopses]


@pytest.mark.parametrize("line", SYNOPSES)
def test_it_is_accepted(line):
    words = shlex.split(line.replace("[", "").replace("]", ""))
    command, context = typer.main.get_command(app), None
    arguments = words[words.index("harmonizer") + 1 :]
    while hasattr(command, "commands"):
        name = arguments.pop(0)
        command = command.commands[name]
    context = command.context_class(command, info_name=name)
    _, left, _ = command.make_parser(context).parse_args(arguments)
    assert left == []


def test_there_are_some():
    assert len(SYNOPSES) > 30
