import asyncio
import socket
import time
import warnings

import pytest
import requests

from poeflask.core.sse import Decoder
from poeflask.simulator.server import SimulatorServer
from tests.simulator.conftest import body


def counts(base_url, **expected):
    """The counts of all answers, once they are as expected or after some seconds."""
    deadline = time.monotonic() + 5
    while True:
        seen = requests.get(f"{base_url}/simulator/connections", timeout=5).json()
        got = {name: seen[name] for name in expected}
        if got == expected or time.monotonic() > deadline:
            return got
        time.sleep(0.01)


def test_a_stream_comes_event_by_event(ask):
    """Each event can be read before the next is sent."""
    pace = {"words": 3, "interval_ms": 40}
    start, times = time.monotonic(), []
    with ask("slow-talker", message={"parameters": pace}, stream=True) as got:
        for chunk in got.iter_content(None):
            times += [time.monotonic() - start] * len(Decoder().feed(chunk))

    assert 4 == len(times)
    assert times[0] < times[1] < times[2] < times[3]
    assert times[3] >= 0.12


@pytest.mark.parametrize("bot", ["Silent-Before", "Silent-Start", "Silent-Middle"])
def test_a_client_that_leaves_is_noticed_while_the_bot_is_silent(ask, base_url, bot):
    """Within a second after the client hung up the answer counts as aborted."""
    with pytest.raises(requests.RequestException, match="Read timed out"):
        ask(bot, timeout=0.1)

    left = {"open": 0, "aborted": 1, "finished": 0}
    assert left == counts(base_url, **left)


def test_headers_come_before_the_silence(ask, base_url):
    """Silent-Start sends its headers at once, and is open as long as the client stays."""
    with ask("Silent-Start", stream=True) as got:
        assert "text/event-stream; charset=utf-8" == got.headers["Content-Type"]
        assert {"open": 1} == counts(base_url, open=1)

    assert {"open": 0, "aborted": 1} == counts(base_url, open=0, aborted=1)


def test_a_client_that_leaves_amid_a_flood_is_noticed(ask, base_url):
    """An answer nobody takes any more ends."""
    with ask("Flood", message={"parameters": {"words": 10_000_000}}, stream=True) as got:
        next(got.iter_content(100))

    assert {"open": 0, "aborted": 1} == counts(base_url, open=0, aborted=1)


@pytest.mark.parametrize(
    ("bot", "complaint"),
    [
        ("Cut-At-Once", "Remote end closed connection without response"),
        ("Cut-After-Headers", "Response ended prematurely"),
        ("Cut-Between", "Response ended prematurely"),
        ("Cut-In-Event", "Response ended prematurely"),
        ("Cut-In-Letter", "Response ended prematurely"),
        ("Cut-Reset", "Connection reset by peer"),
        ("Cut-Once", "Connection reset by peer"),
    ],
)
def test_a_cut_is_a_real_cut(ask, base_url, bot, complaint):
    """The connection breaks without the last chunk, or by a reset, and is counted."""
    with pytest.raises(requests.RequestException, match=complaint):
        ask(bot)

    assert {"open": 0, "cut": 1} == counts(base_url, open=0, cut=1)


def test_a_missing_done_is_a_clean_end(ask, base_url):
    """No-Done ends its HTTP answer as it should."""
    assert ask("No-Done").content.endswith(b'"}\r\n\r\n')
    assert b"" == ask("Empty-Body").content
    assert {"finished": 2} == counts(base_url, finished=2)


def test_a_connection_can_be_used_again(base_url):
    """After a stream that ended well the next query goes over the same connection."""
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer k"
        ports = set()
        for _ in range(2):
            got = session.post(f"{base_url}/bot/echo", json=body("hi"), timeout=5, stream=True)
            ports.add(got.raw.connection.sock.getsockname())
            assert got.content.endswith(b"data: {}\r\n\r\n")

    assert 1 == len(ports)


def test_an_upload_goes_where_the_server_says(server, base_url):
    """The upload's address takes a file and gives a link that can be fetched."""
    got = requests.post(
        server.upload_url,
        files={"file": ("a.bin", b"\0" * 100_000, "application/pdf")},
        headers={"Authorization": "k"},
        timeout=5,
    ).json()

    fetched = requests.get(got["attachment_url"], timeout=5)
    assert f"{base_url}/base/application/" in got["attachment_url"]
    assert (100_000, "application/pdf") == (
        len(fetched.content),
        fetched.headers["Content-Type"],
    )


def test_stopping_closes_what_is_open():
    """A stopped server closes its port, and connections of silent bots with it."""
    server = SimulatorServer()
    base_url = server.start()
    port = int(base_url.rpartition(":")[2])
    headers = {"Authorization": "Bearer k"}
    got = requests.post(
        f"{base_url}/bot/silent-start", json=body("hi"), headers=headers, timeout=5, stream=True
    )
    server.stop()

    with pytest.raises(requests.RequestException, match="ended prematurely"):
        got.content  # noqa: B018 - reading it is the deed
    with socket.socket() as probe:
        assert 0 != probe.connect_ex(("127.0.0.1", port))


def test_links_of_neighbours_become_own_ones():
    """Only to files, only of this machine."""
    server = SimulatorServer()
    base_url = server.start()
    server.stop()
    path = f"/base/image/{'a' * 64}"
    others = [
        *(f"http://127.0.0.1:1{path}/..", f"http://127.0.0.1:1/admin{path}", "http://127.0.0.1:1/"),
        *(f"http://127.0.0.2:1{path}", f"http://a@127.0.0.1:1{path}", f"https://127.0.0.1:1{path}"),
    ]

    assert base_url + path == server.own_link(f"http://127.0.0.1:1{path}")
    assert others == [server.own_link(url) for url in others]


@pytest.fixture
def poes_client():
    """Poe's own library; it uses what its own library calls out of date."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import fastapi_poe
    return fastapi_poe


def test_poes_own_client_understands_the_simulator(base_url, poes_client):
    """The official client reads texts and attachments."""

    async def replies(bot, said):
        asked = [poes_client.ProtocolMessage(role="user", content=said)]
        stream = poes_client.get_bot_response(asked, bot, "k", base_url=f"{base_url}/bot/")
        return [reply async for reply in stream]

    echoed = asyncio.run(replies("Echo", "Hello there"))
    painted = asyncio.run(replies("Painter", "a cat"))

    assert ["Hello ", "there"] == [reply.text for reply in echoed]
    assert ["image/png"] == [r.attachment.content_type for r in painted if r.attachment]
