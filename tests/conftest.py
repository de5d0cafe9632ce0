"""What holds for every test."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from tests import parallel

# Thousands of tests and the models of three SDKs stay till the end. To look through them for
# garbage, again and again, would take a tenth of the time.
gc.disable()

# A machine with much to do may stall any example; what things may cost is tested on its own.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

if "PYTEST_XDIST_WORKER" in os.environ:
    parallel.install()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests run side by side, order them for that; elsewhere they run as they are written."""
    if hasattr(config, "workerinput"):
        items.sort(key=parallel.order)


def pytest_collection_finish() -> None:
    """From now on there is garbage, but none of it from before."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def fresh_log() -> Iterator[None]:
    """Making an app decides how the whole process logs; the next test must not notice."""
    yield
    structlog.reset_defaults()
