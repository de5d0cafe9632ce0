"""What views look up."""

from __future__ import annotations

import pytest
from flask import Flask

from poeflask.web.services import install, services


def test_each_app_has_its_own_services(app: Flask) -> None:
    """What is installed in one is found in it and in no other."""
    mine, other = object(), Flask("other")
    with app.app_context():
        install(mine)  # type: ignore[arg-type]  # it is handed through, not looked into

    with app.app_context():
        assert mine is services()
    with other.app_context(), pytest.raises(KeyError):
        services()
