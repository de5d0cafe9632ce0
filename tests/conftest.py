"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def fresh_log() -> Iterator[None]:
    """Making an app decides how the whole process logs; the next test must not notice."""
    yield
    structlog.reset_defaults()
