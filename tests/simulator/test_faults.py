import dataclasses

import pytest

from poeflask.core import json_text
from poeflask.core.sse import Decoder, Frame
from poeflask.simulator.faults import FAULTS, INTERNAL, SCRIPTS, STATUSES
from poeflask.simulator.roster import ROSTER
from poeflask.simulator.steps import (
    DONE,
    FOREVER,
    Answer,
    Cut,
    Event,
    Open,
    Raw,
    Wait,
    error,
    event_bytes,
    text,
)
from tests.simulator.queries import query, said, user

SAID = [text("Hello, "), text("wörld! "), text("🙂")]
SAID_FRAMES = [
    Frame("text", '{"text":"Hello, "}'),
    Frame("text", '{"text":"wörld! "}'),
    Frame("text", '{"text":"🙂"}'),
    Frame("done", "{}"),
]


def steps(name, attempt=1, **parameters):
    """What a bot does at this attempt."""
    asked = dataclasses.replace(query(user("hi", parameters=parameters)), attempt=attempt)
    return list(ROSTER[name.lower()].act(asked))


def frames(name):
    """What a bot's stream means."""
    written = [
        step.content if isinstance(step, Raw) else event_bytes(step)
        for step in steps(name)
        if isinstance(step, Raw | Event)
    ]
    return Decoder().feed(b"".join(written))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_scripted_fault_does_the_same_each_time(name):
    """A bot of the table follows its script whatever it is asked, as often as it is asked."""
    assert list(SCRIPTS[name][1]) == steps(name) == steps(name)


@pytest.mark.parametrize("bot", FAULTS, ids=lambda bot: bot.name)
def test_every_fault_is_described_and_not_listed(bot):
    """Fault bots tell what they do, and are hidden like private bots."""
    assert bot.description.endswith(".")
    assert not bot.listed


@pytest.mark.parametrize(
    ("name", "error_type"),
    [
        ("Too-Long", "user_message_too_long"),
        ("No-Points", "insufficient_fund"),
        ("User-Error", "user_caused_error"),
        ("Privacy-Error", "privacy_authorization_error"),
    ],
)
def test_each_error_type_has_its_bot(name, error_type):
    """Poe's four types of error come as the only event, and forbid a retry."""
    (only,) = steps(name)

    assert error_type == only.data["error_type"]
    assert only.data["allow_retry"] is False


@pytest.mark.parametrize("name", ["Fail-Once", "Fail-Once-Http", "Cut-Once"])
def test_every_second_try_succeeds(name):
    """The first try fails, the second answers, the third fails again."""
    assert "" == said(iter(steps(name, 1)))
    assert "Hello, wörld! 🙂 This was try 2." == said(iter(steps(name, 2)))
    assert steps(name, 1) == steps(name, 3)


def test_fail_once_fails_as_poe_does():
    """The first try's error is Poe's internal error in the stream."""
    assert [error(INTERNAL)] == steps("Fail-Once")


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_has_its_bot(status):
    """An HTTP error is the whole answer, and its body is JSON."""
    (only,) = steps(f"Http-{status}")

    assert status == only.status
    assert json_text.read(only.body).keys() & {"error", "detail"}


@pytest.mark.parametrize("status", [403, 429, 502])
def test_web_pages_in_place_of_answers(status):
    """A web page says its status."""
    (only,) = steps(f"Html-{status}")

    assert (status, "text/html; charset=UTF-8") == (only.status, only.content_type)
    assert f"<title>{status} " in only.body


@pytest.mark.parametrize(("given", "expected"), [("7", "7"), (2.5, "2.5"), ("a\r\nb", "ab")])
def test_retry_after_is_what_was_asked_for(given, expected):
    """The header's value is the parameter, as far as a header can hold it."""
    (only,) = steps("Http-429-Retry-After", retry_after=given)

    assert {"Retry-After": expected} == only.headers


def test_retry_after_is_a_second_by_default():
    """Without a parameter, a second is enough."""
    (only,) = steps("Http-429-Retry-After")

    assert Answer(status=429, body=only.body, headers={"Retry-After": "1"}) == only


def test_slow_headers_wait_before_anything_is_sent():
    """The wait comes first, then the headers, then the answer."""
    assert [Wait(0.25), Open(), text("Hello, ")] == steps("Slow-Headers", first_ms=250)[:3]


def test_the_silent_are_silent_at_their_place():
    """Silence comes before the headers, behind them, after text, in place of done."""
    assert [FOREVER] == steps("Silent-Before")
    assert [Open(), FOREVER] == steps("Silent-Start")
    assert [*SAID, FOREVER] == steps("Silent-Middle")
    assert [*SAID, FOREVER, DONE] == steps("Silent-End")


def test_a_cut_is_where_its_name_says():
    """Cuts come between events, inside one, and inside a letter."""
    assert [*SAID, Cut()] == steps("Cut-Between")
    inside_event = steps("Cut-In-Event")[1].content
    assert not inside_event.endswith(b"\n")
    with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
        steps("Cut-In-Letter")[1].content.decode()


@pytest.mark.parametrize("name", ["Lf-Lines", "Cr-Lines", "Bom", "Byte-Writer", "One-Write"])
def test_a_stream_means_the_same_however_it_is_written(name):
    """Line ends, byte order marks and the size of writes do not change what is said."""
    assert SAID_FRAMES == frames(name)


def test_comments_and_pings_say_nothing():
    """Between comments and pings stands the same answer."""
    assert SAID_FRAMES == [frame for frame in frames("Comments") if frame.name != "ping"]


def test_fields_without_a_space_and_data_of_several_lines():
    """A colon needs no space behind it, and data may be spread over lines."""
    assert [Frame("text", '{"text": "Hello"}'), Frame("done", "{}")] == [
        Frame(frame.name, json_text.write(json_text.read(frame.data)).replace(":", ": "))
        for frame in frames("Many-Lines")
    ]
    assert [Frame("text", '{"text":"Hello"}'), Frame("done", "{}")] == frames("No-Space")


def test_half_an_emoji_is_written_as_json_can():
    """Each half of an emoji stands escaped in an event of its own; together they are one."""
    first, second, _ = frames("Half-Emoji")

    assert '{"text":"smile: \\ud83d"}' == first.data
    joined = json_text.read(first.data)["text"] + json_text.read(second.data)["text"]
    assert "smile: 🙂 done" == joined.encode("utf-16", "surrogatepass").decode("utf-16")


def test_a_bytewise_writer_writes_single_bytes():
    """Every write of Byte-Writer is one byte long."""
    assert {1} == {len(step.content) for step in steps("Byte-Writer")}


def test_huge_event_and_flood_are_as_large_as_asked():
    """Their parameters say how much comes."""
    assert [text("xxx"), DONE] == steps("Huge-Event", letters=3)
    assert [text("0 "), text("1 "), DONE] == steps("Flood", words=2)
