"""How commands show rows and columns."""

import io
import sys

from poeflask.commands.tables import plain, show


class Terminal(io.StringIO):
    """Output that is looked at by a person."""

    def isatty(self):
        return True


def test_columns_stand_below_each_other():
    """Without blanks at the end of a line."""
    assert ["a    b", "ccc  d", "     e"] == plain([("a", "b"), ("ccc", "d"), ("", "e")])


def test_other_programs_get_plain_lines(capsys):
    """One for each row."""
    show(("id", "name"), [("1", "Anna [red]")])

    assert "id  name\n1   Anna [red]\n" == capsys.readouterr().out


def test_a_person_gets_a_table_and_no_word_is_markup(monkeypatch):
    """What stands in brackets is shown as it is."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    show(("id", "name"), [("1", "Anna [red]")])

    assert "Anna [red]" in terminal.getvalue()
    assert "│" in terminal.getvalue()
