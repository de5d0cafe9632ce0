"""Log lines as events with fields: where the loggers of all parts come from.

What is done with the lines is settled in web/logging.py. structlog would load two libraries that
are of no use here, a tenth of a worker's start and 5 MB: rich, for tracebacks that show local
variables, which are never written since keys are among those; and asyncio, for loggers that are
awaited.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__all__ = ["get_logger", "structlog", "to_standard_error"]


class _Late(ModuleType):
    """Stands for a module, and loads it when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


_WITHOUT = {"rich": None, "asyncio": _Late("asyncio")}
"""What structlog finds under these names, if they are not loaded yet; None: it is not installed."""

_hidden = _WITHOUT.keys() - sys.modules.keys()
sys.modules.update({name: _WITHOUT[name] for name in _hidden})  # type: ignore[misc] # None is meant

import structlog  # noqa: E402 - it looks for both when it is loaded

for _name in _hidden:
    del sys.modules[_name]

get_logger = structlog.get_logger


def to_standard_error() -> None:
    """Write lines to standard error from now on: a command's standard output is what it answers."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
