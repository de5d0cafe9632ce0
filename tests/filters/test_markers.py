"""The scanner finds what completes first, however the text is cut, and holds back only doubt."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.filters.markers import Found, Scanner

small = st.text(alphabet="abc<", max_size=12)


def scan(markers: list[str], pieces: list[str]) -> Found:
    """The first marker in some pieces: all text before it, the marker, and all behind it."""
    scanner = Scanner(markers)
    text = ""
    for number, piece in enumerate(pieces):
        found = scanner.feed(piece)
        text += found.text
        if found.marker:
            return Found(text, found.marker, found.rest + "".join(pieces[number + 1 :]))
    return Found(text + scanner.end(), "", "")


def by_definition(markers: list[str], text: str) -> Found:
    """The same, letter by letter and slowly."""
    for end in range(1, len(text) + 1):
        complete = [marker for marker in markers if marker and text[:end].endswith(marker)]
        if complete:
            marker = max(complete, key=len)
            return Found(text[: end - len(marker)], marker, text[end:])
    return Found(text, "", "")


@settings(deadline=None)
@given(st.lists(small, max_size=4), st.lists(small, max_size=6))
def test_any_cut_finds_the_marker_that_completes_first(markers, pieces):
    """What is found is what the definition finds in the joined text."""
    assert by_definition(markers, "".join(pieces)) == scan(markers, pieces)


@settings(deadline=None)
@given(st.lists(small, max_size=4), st.lists(small, max_size=6))
def test_only_what_may_become_a_marker_is_held(markers, pieces):
    """What is held is the longest end of the text that begins a marker."""
    scanner = Scanner(markers)
    seen = shown = ""
    for piece in pieces:
        found = scanner.feed(piece)
        if found.marker:
            break
        seen, shown = seen + piece, shown + found.text
        doubts = [m[:n] for m in markers for n in range(1, len(m)) if seen.endswith(m[:n])]

        assert seen == shown + max(doubts, key=len, default="")


def test_behind_a_marker_the_scanner_starts_anew():
    """The rest can be fed to the same scanner."""
    scanner = Scanner(("</think>",))
    first = scanner.feed("a</think>b</th")

    assert Found("a", "</think>", "b</th") == first
    assert Found("b", "", "") == scanner.feed(first.rest)
    assert "</th" == scanner.end()
    assert "" == scanner.end()


@pytest.mark.parametrize("markers", [(), ("",)])
def test_without_markers_nothing_is_held(markers):
    """No marker, no doubt."""
    assert Found("abc", "", "") == Scanner(markers).feed("abc")


def test_cost_is_linear():
    """A long text of almost-markers in small pieces is read without going back over it."""
    scanner = Scanner(("<" * 50 + ">", "<tool_call>"))
    started = process_time()
    for _ in range(20_000):
        scanner.feed("<<<<<<<<")

    assert process_time() - started < 2
