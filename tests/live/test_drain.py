"""A server that is told to stop while answers are running."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.live.conftest import Live, Simulator, serving

DRAIN_S = 6


@pytest.fixture
def stopping(simulator: Simulator, tmp_path: Path) -> Iterator[Live]:
    """A poeflask of its own, to be stopped, that may go on for six seconds."""
    settings = {"POEFLASK_HEARTBEAT_S": "0.5", "POEFLASK_FIRST_EVENT_WAIT_S": "0.2"}
    with serving(simulator, tmp_path, drain_s=DRAIN_S, **settings) as live:
        yield live


def ask(live: Live, bot: str) -> requests.Response:
    """The beginning of this bot's answer."""
    return requests.post(
        f"{live.url}/v1/chat/completions",
        headers={"Authorization": "Bearer k"},
        json={"model": bot, "stream": True, "messages": [{"role": "user", "content": "hi"}]},
        stream=True,
        timeout=20,
    )


def outcomes(live: Live) -> list[str]:
    """What the log says of how the answers ended, in their order."""
    plain = re.sub(r"\x1b\[\d*m", "", live.log.read_text())
    return re.findall(r"outcome=(\w+)", plain)


def wait_until(holds: Callable[[], bool]) -> bool:
    """Whether it holds soon."""
    deadline = time.monotonic() + 10
    while not (is_so := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so


def test_running_answers_end_with_an_error_before_the_server_does(stopping: Live) -> None:
    """What can be finished is; the other is told to ask again, properly ended."""
    quick = ask(stopping, "Slow-Talker")
    endless = ask(stopping, "Silent-Middle")
    began = time.monotonic()
    os.kill(stopping.pid, signal.SIGTERM)
    quick_text = quick.text
    took_quick_s = time.monotonic() - began
    endless_text = endless.text
    took_s = time.monotonic() - began

    assert '"finish_reason":"stop"' in quick_text
    assert took_quick_s < took_s
    assert '"code":"restarting"' in endless_text
    assert endless_text.endswith("data: [DONE]\n\n")
    assert DRAIN_S - 4 < took_s < DRAIN_S - 1
    assert wait_until(lambda: ["ok", "draining"] == outcomes(stopping)[-2:])


def test_a_reload_loses_nothing(stopping: Live) -> None:
    """Answers that run go on in the old worker, and new requests find the new one."""
    running = ask(stopping, "Slow-Talker")
    os.kill(stopping.pid, signal.SIGHUP)
    deadline = time.monotonic() + 20
    during = []
    while (
        time.monotonic() < deadline
        and "Booting" not in stopping.log.read_text().partition("Handling signal: hup")[2]
    ):
        during.append(ask(stopping, "Echo").status_code)
    after = ask(stopping, "Echo")

    assert '"finish_reason":"stop"' in running.text
    assert {200} >= set(during)
    assert 200 == after.status_code


def test_ctrl_c_ends_everything_in_peace(stopping: Live) -> None:
    """A terminal sends the signal to master and workers alike; no traceback follows."""
    ask(stopping, "Echo")
    children = Path(f"/proc/{stopping.pid}/task/{stopping.pid}/children").read_text().split()
    for pid in (*map(int, children), stopping.pid):
        os.kill(pid, signal.SIGINT)

    assert wait_until(lambda: "Shutting down: Master" in stopping.log.read_text())
    assert "Traceback" not in stopping.log.read_text()
