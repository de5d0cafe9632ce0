"""What the admin pages work with, made once by `app.create_app` and looked up in a view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from poeflask.admin.passwords import Passwords
from poeflask.admin.sessions import Sessions
from poeflask.admin.setup_links import SetupLinks
from poeflask.admin.throttle import Throttle
from poeflask.settings import Settings, Source

_NAME = "poeflask.admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts and plain values of the admin pages.

    Attributes:
        passwords: the password and the name that goes with it.
        sessions: who is logged in.
        setup_links: how a first password is set.
        throttle: how often a password may be guessed.
        settings: all settings, to be shown; secrets never are.
        sources: where each setting comes from, by its field's name.
    """

    passwords: Passwords
    sessions: Sessions
    setup_links: SetupLinks
    throttle: Throttle
    settings: Settings
    sources: Mapping[str, Source]


def give(app: Flask, made: Parts) -> None:
    """Give the app its parts."""
    app.extensions[_NAME] = made


def parts() -> Parts:
    """The parts of the app that handles the current request."""
    return cast("Parts", current_app.extensions[_NAME])
