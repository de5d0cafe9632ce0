"""A small app with all that is shared by the routes, and the log that it writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from poeflask.web import cors, draining, errors, logging

Log = list[dict[str, Any]]


@pytest.fixture
def app() -> Flask:
    """An app without routes, whose clock stands still and whose ids are known."""
    made = Flask("small", static_folder=None)
    made.config["MAX_CONTENT_LENGTH"] = 1000
    logging.install(made, clock=lambda: 5.0, new_id=lambda prefix: f"{prefix}new")
    cors.install(made, ["*"])
    errors.install(made, {})
    draining.install(made)
    return made


@pytest.fixture
def log() -> Iterator[Log]:
    """What is logged, as events with fields."""
    with structlog.testing.capture_logs() as entries:
        yield entries
