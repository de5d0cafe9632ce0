"""Several who look on."""

from poeflask.core.reply import Finish, TextDelta
from poeflask.web.watching import together


class Notes:
    """Notes what it sees, under a name."""

    def __init__(self, name, notes):
        self.name = name
        self.notes = notes

    def saw(self, index, batch):
        self.notes.append((self.name, index, batch))

    def heard(self, text):
        self.notes.append((self.name, text))

    def ended(self):
        self.notes.append((self.name, "ended"))


def test_each_sees_all_in_their_order():
    """Whoever is not there is left out."""
    notes = []
    both = together([Notes("a", notes), None, Notes("b", notes)])
    both.saw(0, [TextDelta("x")])
    both.heard("y")
    both.saw(1, [Finish()])
    both.ended()

    assert [
        ("a", 0, [TextDelta("x")]),
        ("b", 0, [TextDelta("x")]),
        ("a", "y"),
        ("b", "y"),
        ("a", 1, [Finish()]),
        ("b", 1, [Finish()]),
        ("a", "ended"),
        ("b", "ended"),
    ] == notes


def test_one_needs_nobody_between():
    """And nobody is nobody."""
    only = Notes("a", [])

    assert only is together([None, only])
    assert together([None]) is None
