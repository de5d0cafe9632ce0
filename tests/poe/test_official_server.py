"""Tests against Poe's own server: what its bots say, we hear; what we ask, they understand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import (
    File,
    Limits,
    Message,
    Prompt,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Note,
    Pause,
    Replace,
    TextDelta,
    ToolCallDelta,
    gather,
)
from poeflask.poe.wire import write_query

KEY = "k" * 32
PROMPT = Prompt(bot="B", messages=(Message("user", (Text("Hi"),)),))


@pytest.fixture(scope="module")
def official():
    """The URL of Poe's own server."""
    script = Path(__file__).with_name("official_server.py")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as server:
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.kill()


@pytest.fixture
def ask(official, connect):
    """Asks one of its bots; gives the events without pauses."""

    def query(bot, prompt=PROMPT, key=KEY):
        batches = connect(official).query(bot, write_query(prompt), key)
        return [event for batch in batches for event in batch if event != Pause()]

    return query


def test_texts_and_notes_arrive(ask):
    """With every character as it was."""
    got = ask("Texts")

    reply = gather(got)
    meta, *others = reply.notes
    assert got[0] == meta
    assert meta.data["suggested_replies"] is True
    assert others == [Note("suggested_reply", {"text": "More?"}), Note("data", {"metadata": "m"})]
    assert reply.text == "Héllo \U0001f600\u2028\r\n"
    assert reply.end == Finish("stop")


def test_replacements_and_files_arrive(ask):
    """A file stays declared when the text is replaced."""
    assert ask("Replacer") == [
        TextDelta("Drawing"),
        FileEvent(url="https://p/a", content_type="image/png", name="a.png", inline_ref="r"),
        Replace("![a][r]"),
        Finish("stop"),
    ]


def test_a_refusal_arrives(ask):
    """With its type and without leave to try again."""
    error = PoeError(ErrorKind.CONTEXT_TOO_LONG, "No", allow_retry=False)

    assert [Failure(error)] == ask("Refuser")


def test_a_failure_in_the_middle_arrives(ask):
    """What was said before still holds."""
    message = "The bot encountered an unexpected issue."
    error = PoeError(ErrorKind.POE_FAILED, message, allow_retry=False)

    assert [TextDelta("so far"), Failure(error)] == ask("Broken")


def test_a_call_arrives(ask):
    """As the pieces that it was sent in."""
    assert ask("Caller") == [
        ToolCallDelta(position=0, call_id="c1", name="f"),
        ToolCallDelta(position=0, arguments='{"a":1}'),
        Finish("tool_calls"),
    ]


@pytest.mark.parametrize(
    ("bot", "key", "kind", "sentence"),
    [
        ("Echo", "wrong", ErrorKind.BAD_KEY, "Invalid access key"),
        ("Nobody", KEY, ErrorKind.UNKNOWN_MODEL, "Not Found"),
    ],
)
def test_its_refusals_are_understood(ask, bot, key, kind, sentence):
    """A wrong key and a bot that is not there."""
    with pytest.raises(PoeError) as raised:
        ask(bot, key=key)

    assert PoeError(kind, sentence) == raised.value


def test_it_understands_a_whole_query(ask):
    """Its own types take all that we write."""
    picture = File(url="https://p/a", content_type="image/png", name="a.png")
    prompt = Prompt(
        bot="Echo",
        messages=(
            Message("system", (Text("Be brief"),)),
            Message("user", (Text("Hi"), picture)),
            Message("assistant", (ToolCall(call_id="c1", name="f", arguments='{"a":1}'),)),
            Message("tool", (ToolResult(call_id="c1", text="5"),)),
        ),
        tools=(Tool(name="f", schema={"properties": {"a": {}}, "required": ["a"]}),),
        sampling=Sampling(temperature=0.5, logit_bias={"7": 1.0}),
        limits=Limits(stop=("X",)),
        parameters={"thinking_budget": 5},
        skip_system_prompt=True,
    )
    heard = json.loads(gather(ask("Echo", prompt)).text)

    query = write_query(prompt)
    for name, value in query.items():
        if name not in ("query", "tools"):
            assert value == heard[name]
    assert heard["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "f",
                "description": "",
                "parameters": {"type": "object", "properties": {"a": {}}, "required": ["a"]},
            },
        }
    ]
    for sent, got in zip(query["query"], heard["query"], strict=True):
        assert sent.keys() <= got.keys()
        assert [sent[name] for name in ("role", "content")] == [got["role"], got["content"]]
        assert sent.get("message_type") == got["message_type"]
        assert sent.get("parameters", {}) == got["parameters"]
    (attachment,) = heard["query"][1]["attachments"]
    assert query["query"][1]["attachments"] == [
        {name: attachment[name] for name in ("url", "content_type", "name")}
    ]
