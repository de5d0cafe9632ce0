"""The current request, past Flask's proxies."""

from __future__ import annotations

import pytest
from flask import Flask, Request, g, request

from poeflask.web.current import current_request, kept


def test_the_request_itself_is_given(app: Flask) -> None:
    """It is no proxy, and the one that Flask's stands for."""
    with app.test_request_context("/a?b=c"):
        found = current_request()

        assert type(found) is Request
        assert request == found
        assert "/a" == found.path


def test_what_is_kept_is_seen_both_ways(app: Flask) -> None:
    """Whatever is kept here, `g` shows, and the other way round."""
    with app.test_request_context("/"):
        kept().one = 1
        g.two = 2

        assert (1, 2) == (g.one, kept().two)


def test_outside_of_a_request_there_is_none() -> None:
    """Whoever asks there hears of it."""
    with pytest.raises(RuntimeError):
        current_request()
