"""The README tells what the code does."""

import re
from pathlib import Path

from poeflask.core.errors import RULES, ErrorKind
from poeflask.settings import markdown_table

README = Path(__file__).parent.parent / "README.md"

OF_HTTP = {
    ErrorKind.FORBIDDEN,
    ErrorKind.UNKNOWN_ROUTE,
    ErrorKind.NOT_FOUND,
    ErrorKind.METHOD_NOT_ALLOWED,
    ErrorKind.REQUEST_TIMEOUT,
    ErrorKind.CONFLICT,
    ErrorKind.UNSUPPORTED_MEDIA_TYPE,
    ErrorKind.CLIENT_GONE,
}
"""What the table leaves out: it says no more than its status does, or nobody is there to hear."""

ALWAYS_FINAL = {ErrorKind.WRONG_SHAPE}
"""What is raised with the word that no other try is worth it, whatever the kind may say."""


def test_the_table_of_settings_is_the_generated_one() -> None:
    """Between its marks the README holds what `poeflask settings --markdown` prints."""
    _, _, rest = README.read_text(encoding="utf-8").partition("<!-- settings -->\n")
    table, end, _ = rest.partition("<!-- /settings -->")

    assert markdown_table().strip() == table.strip()
    assert "<!-- /settings -->" == end


def test_the_table_of_errors_tells_every_kind() -> None:
    """With its status, its code, and whether another try makes sense."""
    _, _, rest = README.read_text(encoding="utf-8").partition("\n## Errors\n")
    rows = re.findall(r"^\| [^|]+ \| ([0-9, ]+) \|([^|]*)\| (yes|no) \|$", rest, re.MULTILINE)
    told = {
        (int(status), code or None, again == "yes")
        for statuses, codes, again in rows
        for status in statuses.split(", ")
        for code in re.findall(r"`(\w+)`", codes) or [None]
    }
    kinds = {
        kind: (rule.status, rule.openai[1], rule.again and kind not in ALWAYS_FINAL)
        for kind, rule in RULES.items()
        if kind not in OF_HTTP
    }

    assert {} == {kind: what for kind, what in kinds.items() if what not in told}
