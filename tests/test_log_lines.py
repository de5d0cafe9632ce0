"""Loggers come without what only people at a terminal would want."""

import subprocess
import sys


def run(program):
    """What a program of two lines prints."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout


def test_rich_is_not_loaded_but_can_be():
    """Commands print with it, after their loggers have been made."""
    loggers = "import sys, poeflask.log_lines; print([n for n in sys.modules if n[:4] == 'rich']);"

    assert "[]\nrich.text\n" == run(f"{loggers} import rich.text; print(rich.text.__name__)")


def test_rich_that_was_loaded_before_stays():
    """A command may have loaded it first."""
    loggers = "from poeflask.log_lines import get_logger"

    assert "rich.text\n" == run(f"import rich.text; {loggers}; print(rich.text.__name__)")


def test_asyncio_is_loaded_when_it_is_used():
    """A logger that is awaited works as ever, and so do other libraries."""
    loggers = (
        "import sys; from poeflask.log_lines import get_logger; print('asyncio' in sys.modules)"
    )
    used = "import asyncio; asyncio.run(get_logger().ainfo('said', by='structlog'))"
    output = run(f"{loggers}; {used}")

    assert output.startswith("False\n")
    assert "by=structlog" in output
