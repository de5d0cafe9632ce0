"""Writes what the golden corpus expects anew: `python -m tests.golden.rewrite`.

What it writes is what poeflask does now, right or wrong: read every line that changed.
"""

from __future__ import annotations

import poeflask._patch  # noqa: F401  gevent must come before all that opens sockets
from tests.golden.corpus import ANSWERS, DIALECTS, cases, expectation, rendered


def rewrite() -> None:
    """Write all expectations; remove those of cases and dialects that are gone."""
    for old in ANSWERS.glob("*.txt"):
        old.unlink()
    for case in cases():
        for name, dialect in DIALECTS.items():
            text = rendered(case, dialect)
            expectation(case, name).write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":
    rewrite()
