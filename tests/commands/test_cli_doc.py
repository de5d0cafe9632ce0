"""docs/cli.md shows only commands that there are, with options that they take."""

import re
import shlex
from pathlib import Path

import click
import pytest

from poeflask import cli

DOC = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"^```\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_understood(line, tmp_path, monkeypatch):
    """It is read as the shell and the command would read it, and not carried out."""
    monkeypatch.chdir(tmp_path)
    words = shlex.split(re.sub(r"/[\w./-]+", "file", re.sub(r" [<>].*", "", line)), comments=True)
    (tmp_path / "file").write_text("")
    command: click.Command = cli.main
    context = click.Context(command)
    name, *rest = words
    while isinstance(command, click.Group) and rest and rest[0] in command.list_commands(context):
        name, *rest = rest
        command = command.get_command(context, name)

    assert command is not cli.main
    assert name == command.make_context(name, rest, parent=context).info_name


def test_every_command_is_told_of():
    """None is missing from the page."""
    told = {line.split()[1] for line in LINES}

    assert set() == set(cli.main.list_commands(click.Context(cli.main))) - told
