"""How findings are told."""

import io
import json

from poeflask.commands.findings import fault, ok, remark, tell, tell_as_json

ALL = [ok("store", "it is there."), remark("disk", "it is small."), fault("poe", "it is away.")]


class Terminal(io.StringIO):
    """A person looks at it."""

    def isatty(self):
        """It does."""
        return True


def test_a_log_is_told_what_is_not_well():
    """A line for each, with its level in front; a fault is no success."""
    out = io.StringIO()

    assert not tell(ALL, out)
    assert "remark: it is small.\nfault: it is away.\n" == out.getvalue()


def test_a_person_is_told_all():
    """Also what is well, with a mark before each."""
    out = Terminal()

    assert tell(ALL[:2], out)
    assert [True, True, True] == [mark in out.getvalue() for mark in ("✓", "!", "All is well.")]


def test_a_program_is_told_all_at_once():
    """As a JSON array."""
    out = io.StringIO()

    assert not tell_as_json(ALL, out)
    assert ["ok", "remark", "fault"] == [one["level"] for one in json.loads(out.getvalue())]


def test_what_is_found_is_never_markup():
    """Names with brackets stay as they are."""
    out = Terminal()
    tell([ok("models", "[red]bot[/red]")], out)

    assert "[red]bot[/red]" in out.getvalue()
