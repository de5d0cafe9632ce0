"""Tables for people and for programs."""

from __future__ import annotations

from io import StringIO

import pytest

from poeflask.commands.tables import show_table


class Terminal(StringIO):
    """Where a person looks."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_programs_get_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Tabs between, headings first, nothing that breaks a line or rings a bell."""
    show_table(("A", "B"), [("1", "two words"), ("x\ny\tz", "\x1b[31m")])

    assert "A\tB\n1\ttwo words\nx y z\t [31m\n" == capsys.readouterr().out


def test_people_get_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below each other, and brackets are no commands."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    show_table(("NAME", "STATE"), [("Echo", "[bold]hidden"), ("A-longer-name", "")], out)
    heading, first, second = out.getvalue().splitlines()

    assert heading.index("STATE") == first.index("[bold]hidden")
    assert second.startswith("A-longer-name")
