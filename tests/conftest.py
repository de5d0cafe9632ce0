"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import structlog

from tests import parallel

if "PYTEST_XDIST_WORKER" in os.environ:
    parallel.install()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests run side by side, order them for that; elsewhere they run as they are written."""
    if hasattr(config, "workerinput"):
        items.sort(key=parallel.order)


@pytest.fixture(autouse=True)
def fresh_log() -> Iterator[None]:
    """Making an app decides how the whole process logs; the next test must not notice."""
    yield
    structlog.reset_defaults()
