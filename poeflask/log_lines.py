"""Log lines as events with fields: where the loggers of all parts come from.

What is done with the lines is settled in web/logging.py. structlog would load rich, if it is
installed, for tracebacks that show local variables. Keys are among those, so no such traceback is
ever written, and each worker would pay for it with a twentieth of its start and 4 MB.
"""

from __future__ import annotations

import sys

__all__ = ["get_logger", "structlog"]

_HIDDEN = [] if "rich" in sys.modules else ["rich"]
for _name in _HIDDEN:
    sys.modules[_name] = None  # type: ignore[assignment] # as Python itself says: not to be found

import structlog  # noqa: E402 - it looks for rich when it is loaded

for _name in _HIDDEN:
    del sys.modules[_name]

get_logger = structlog.get_logger
