"""Poe's own client and ours hear the same in the same bytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from poeflask.core.errors import PoeError
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Note,
    Replace,
    TextDelta,
    ToolCallDelta,
)

from .conftest import RawServer, chunked, head, sized

DONE = b"event: done\ndata: {}\n\n"


def event(name, /, **data):
    """One event as Poe writes it."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def text(value, **data):
    """A text event."""
    return event("text", text=value, **data)


def delta(**said):
    """A chunk of a bot with tools."""
    return event("json", choices=[{"index": 0, "delta": said, "finish_reason": None}])


def call(index, call_id, name, arguments):
    """One piece of a call."""
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "type": "function", "function": function}


STREAMS = {
    "text": chunked(text("Hel"), text("lo"), DONE),
    "one_chunk": chunked(text("Hel") + text("lo") + DONE),
    "characters": chunked(text("é\u2028\u0085\r\n\t\x0b\U0001f600"), DONE),
    "raw_characters": chunked('event: text\ndata: {"text": "é\u2028\u0085😀"}\n\n'.encode(), DONE),
    "cut_character": chunked(b'event: text\ndata: {"text": "\xc3', b'\xa9"}\n\n', DONE),
    "halves": chunked(text("\ud83d"), text("\ude00"), DONE),
    "crlf": chunked((text("a") + text("b") + DONE).replace(b"\n", b"\r\n")),
    "returns": chunked((text("a") + text("b") + DONE).replace(b"\n", b"\r")),
    "no_space": chunked(b'event:text\ndata:{"text":"a"}\n\n', DONE),
    "data_first": chunked(b'data: {"text": "a"}\nevent: text\nid: 5\nretry: 9\n\n', DONE),
    "many_lines": chunked(b'event: text\ndata: {"text":\ndata: "a"}\n\n', DONE),
    "comments": chunked(b": hello\n\n", text("a"), b":\n\n: ping\n\n", text("b"), DONE),
    "pings": chunked(event("ping"), text("a"), event("ping"), DONE),
    "meta": chunked(event("meta", content_type="text/plain"), text("a"), DONE),
    "late_meta": chunked(text("a"), event("meta", content_type="text/plain"), DONE),
    "replace": chunked(text("a"), event("replace_response", text="b"), text("c"), DONE),
    "indexes": chunked(text("a", index=1), text("b", index=0), text("c", index="x"), DONE),
    "file": chunked(
        event("file", url="u", content_type="c", name="n", inline_ref="r"),
        event("file", url="u", content_type="c", name="n", inline_ref=None),
        event("file", url="u", content_type="c", name="n"),
        DONE,
    ),
    "suggested": chunked(text("a"), event("suggested_reply", text="b"), DONE),
    "strangers": chunked(text("a"), event("brand_new", x=1), event("data", metadata="m"), DONE),
    "no_done": chunked(text("a")),
    "nothing": chunked(),
    "only_done": chunked(DONE),
    "after_done": chunked(text("a"), DONE, text("b")),
    "error": chunked(text("a"), event("error", text="no"), text("b")),
    "error_for_good": chunked(event("error", text="no", allow_retry=False)),
    "no_json": chunked(text("a"), b"event: text\ndata: {\n\n", DONE),
    "no_text": chunked(text("a"), event("text", text=5), DONE),
    "cut_short": chunked(text("a"), end=b""),
    "refused": sized(b'{"error": {"message": "no"}}', 401),
    "closed": head(Content_Type="text/event-stream") + text("a") + DONE,
    "tools_text": chunked(delta(content="a"), delta(content="b"), text("c"), DONE),
    "tools_call": chunked(
        delta(tool_calls=[call(0, "1", "f", "")]),
        delta(tool_calls=[call(0, None, None, '{"a"')]),
        delta(tool_calls=[call(0, None, None, ":1}"), call(1, "2", "g", "{}")]),
        DONE,
    ),
}


def answer(request):
    """The bytes for the bot that is asked; a report of an error is taken."""
    if b'"report_error"' in request["body"]:
        return sized(b"{}")
    return STREAMS[request["path"].removeprefix("/bot/")]


@pytest.fixture(scope="module")
def streams():
    """A server of all streams."""
    server = RawServer()
    server.answer_to = answer
    server.hang_up = True
    yield server
    server.stop()


@pytest.fixture(scope="module")
def official(streams):
    """What Poe's own client hears in each stream."""
    script = Path(__file__).with_name("official_client.py")
    command = [sys.executable, script, f"{streams.url}/bot/", *STREAMS]
    heard = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(heard)


def said(reply_event):
    """What one event of ours says, in the words of the comparison."""
    match reply_event:
        case TextDelta(value, index):
            return [["text", index, value]]
        case Replace(value, index):
            return [["replace", index, value]]
        case FileEvent() as file:
            told = [file.url, file.content_type, file.name, file.inline_ref]
            return [["file", file.index, told]]
        case Note("meta", data, index):
            return [["meta", index, data["content_type"]]]
        case Note("suggested_reply", data, index):
            return [["suggested_reply", index, data["text"]]]
        case ToolCallDelta() as piece:
            told = [piece.position, piece.call_id, piece.name, piece.arguments]
            return [["call", piece.index, told]]
        case Finish():
            return [["end", "finish", ""]]
        case Failure(error):
            return [["end", "failure", "for now" if error.allow_retry else "for good"]]
    return []


def hear(client, name):
    """All that our client hears."""
    try:
        batches = list(client.query(name, {}, "key"))
    except PoeError as error:
        batches = [[Failure(error)]]
    return [told for batch in batches for event in batch for told in said(event)]


def joined(answer):
    """The answer with neighbouring texts joined, and their halves of characters."""
    whole = []
    for told in answer:
        if told[0] == "text" and whole and whole[-1][:2] == told[:2]:
            whole[-1] = [*told[:2], whole[-1][2] + told[2]]
        else:
            whole.append(told)
    return json.loads(json.dumps(whole))


@pytest.mark.parametrize("name", STREAMS)
def test_both_clients_hear_the_same(streams, official, connect, name):
    """Texts, files, calls and ends are the same in the same order."""
    got = hear(connect(streams.url), name)

    assert joined(official[name]) == joined(got)
    assert sum(told[0] == "end" for told in got) == 1
