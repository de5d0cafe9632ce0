r"""The golden corpus: what Poe's bots send, and what each dialect must make of it.

A case is one file `answers/NAME.sse`, the bytes of Poe's answer as they come over the wire. Its
comments at the top, which are sent with the rest, say what it shows and what the client asked:

    : The bot thinks, then answers with a quote.
    : asked {"bot": {"native_tools": true}, "tools": true, "stop": ["END"]}

    asked     what it means
    bot       fields of the bot's capability profile
    tools     true offers all of `TOOLS`, a list those of its names
    choice    fields of the tool choice
    format    fields of the output format
    stop      texts before which the answer ends
    tokens    the most tokens of the answer
    usage     the client wants the tokens of a stream

`NAME.2.sse` is what Poe answers if the bridge asks a second time. Beside it stands one file for
each dialect, `NAME.DIALECT.txt`: the stream and the whole answer, as the client gets them.

A dialect joins by one line in `DIALECTS`. After a change that is meant, write the expectations anew
and read every line that git shows as changed:

    python -m tests.golden.rewrite
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from anthropic.types import Message as AnthropicMessage
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from poeflask.bridge import Answer, AskPoe, Batch, Bridge, Patience
from poeflask.core import json_text
from poeflask.core.caller import Caller
from poeflask.core.dialect import (
    Encoder,
    ErrorShape,
    anthropic_error,
    google_error,
    ollama_error,
    openai_error,
)
from poeflask.core.errors import ErrorKind, PoeError, PoeflaskError
from poeflask.core.profile import Profile
from poeflask.core.prompt import Limits, Message, OutputFormat, Prompt, Text, Tool, ToolChoice
from poeflask.core.reply import Failure, Pause, ReplyEvent, ReplyMeta
from poeflask.core.sse import Decoder
from poeflask.endpoints.chat.encode import ChatEncoder
from poeflask.endpoints.gemini.encode import GeminiEncoder
from poeflask.endpoints.messages.encode import MessagesEncoder
from poeflask.endpoints.ollama.encode import OllamaEncoder
from poeflask.endpoints.responses.encode import ResponsesEncoder
from poeflask.endpoints.responses.tools import Naming
from poeflask.filters.chain import Aids, Chain, Wants, chain_for
from poeflask.poe.wire import Reader
from tests.endpoints.gemini import test_encode as gemini
from tests.endpoints.messages import grammar as anthropic
from tests.endpoints.ollama import test_encode as ollama
from tests.endpoints.responses import grammar as open_responses

ANSWERS = Path(__file__).parent / "answers"
REQUEST_ID = "req_1"
_WANTS = Wants()
_TEXT = {"type": "string"}


def _tool(name: str, description: str, **properties: Mapping[str, Any]) -> Tool:
    schema = {"type": "object", "properties": properties, "required": list(properties)[:1]}
    return Tool(name=name, description=description, schema=schema)


TOOLS = (
    _tool("get_weather", "Tell the weather.", city=_TEXT, days={"type": "integer"}),
    _tool("write_file", "Write a file.", path=_TEXT, content=_TEXT),
    _tool("run", "Run a command.", command=_TEXT, wait={"type": "boolean"}),
    Tool(name="patch", description="Apply a patch.", kind="custom"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """An answer of Poe's, or several if the bridge asks again, and what was asked for."""

    name: str
    asked: Mapping[str, Any]
    replies: tuple[bytes, ...]

    @property
    def prompt(self) -> Prompt:
        """What the client asked."""
        offered = self.asked.get("tools", ())
        return Prompt(
            bot="Bot",
            messages=(Message("user", (Text("Go on."),)),),
            tools=tuple(tool for tool in TOOLS if offered is True or tool.name in offered),
            tool_choice=ToolChoice(**self.asked.get("choice", {})),
            output_format=OutputFormat(**self.asked.get("format", {})),
            limits=Limits(
                stop=tuple(self.asked.get("stop", ())), max_tokens=self.asked.get("tokens")
            ),
        )


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one dialect is written and read back.

    Attributes:
        encoder: writes the answer to a case.
        error: how the dialect says an error.
        streamed: what the dialect's own client reads out of a stream that ended well.
        whole: the same of a whole answer, to be equal.
        wants: what the dialect wants of the filters, given the case.
    """

    encoder: Callable[[Case], Encoder]
    error: ErrorShape
    streamed: Callable[[str], Any]
    whole: Callable[[Mapping[str, Any]], Any]
    wants: Wants = _WANTS


def _chat(case: Case) -> Encoder:
    meta = ReplyMeta(id="chatcmpl-1", created=1, model="bot")
    return ChatEncoder(meta, include_usage=bool(case.asked.get("usage")))


def _chat_streamed(body: str) -> Any:
    state = ChatCompletionStreamState()
    *frames, done, _ = body.split("\n\n")
    for frame in frames:
        chunk = ChatCompletionChunk.construct(**json.loads(frame.removeprefix("data: ")))
        state.handle_chunk(chunk)

    assert "data: [DONE]" == done
    return _chat_said(state.current_completion_snapshot.model_dump())


def _chat_whole(body: Mapping[str, Any]) -> Any:
    return _chat_said(ChatCompletion.construct(**body).model_dump())


def _chat_said(completion: Mapping[str, Any]) -> Any:
    """What was said by each choice and why it ended."""
    return [
        {
            "text": choice["message"].get("content") or "",
            "reasoning": choice["message"].get("reasoning_content"),
            "calls": [_chat_call(call) for call in choice["message"].get("tool_calls") or ()],
            "end": choice["finish_reason"],
        }
        for choice in sorted(completion["choices"], key=lambda choice: int(choice["index"]))
    ]


def _chat_call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """The call without what the SDK adds to it."""
    own = {name: value for name, value in call.items() if value and name != "index"}
    if "function" in own:
        function = own["function"]
        own["function"] = {name: function[name] for name in ("name", "arguments")}
    return own


def _messages(case: Case) -> Encoder:
    meta = ReplyMeta(id="msg_1", created=1, model="bot")
    return MessagesEncoder(meta, request_id=REQUEST_ID, input_tokens=lambda: 7)


def _messages_streamed(body: str) -> Any:
    anthropic.check(body)
    return anthropic.read_back(body)


def _messages_whole(body: Mapping[str, Any]) -> Any:
    return anthropic.plain(AnthropicMessage.model_validate(body))


def _responses(case: Case) -> Encoder:
    meta = ReplyMeta(id="resp_1", created=1, model="bot")
    return ResponsesEncoder(meta, {"store": False}, Naming(), clock=lambda: 2)


def _responses_streamed(body: str) -> Any:
    events = open_responses.frames(body)
    open_responses.Grammar().check(events)
    return open_responses.fold(events)


def _gemini(case: Case) -> Encoder:
    return GeminiEncoder(gemini.META, show_thoughts=True)


def _gemini_whole(body: Mapping[str, Any]) -> Any:
    return gemini.as_folded(json.loads(json.dumps(body)))


def _ollama(case: Case) -> Encoder:
    return OllamaEncoder(ReplyMeta(id="1", created=1, model="bot"), clock=lambda: 2.0)


def _json_whole(body: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(body))


DIALECTS: dict[str, Dialect] = {
    "chat": Dialect(_chat, openai_error, _chat_streamed, _chat_whole),
    "gemini": Dialect(_gemini, google_error, gemini.folded, _gemini_whole),
    "messages": Dialect(_messages, anthropic_error, _messages_streamed, _messages_whole),
    "ollama": Dialect(_ollama, ollama_error, ollama.folded, _json_whole),
    "responses": Dialect(_responses, openai_error, _responses_streamed, _json_whole),
}


@cache
def cases() -> tuple[Case, ...]:
    """All cases, by name."""
    first = (path for path in sorted(ANSWERS.glob("*.sse")) if not path.stem.endswith(".2"))
    return tuple(_case(path) for path in first)


def _case(path: Path) -> Case:
    second = path.with_suffix(".2.sse")
    paths = [path, second] if second.exists() else [path]
    asked = [
        json.loads(line.removeprefix(": asked "))
        for line in path.read_text("utf-8").splitlines()
        if line.startswith(": asked ")
    ]
    return Case(path.stem, asked[0] if asked else {}, tuple(one.read_bytes() for one in paths))


def reads(reply: bytes) -> list[bytes]:
    """The reply as a network gives it whose every read holds one event."""
    return re.findall(rb"(?s).*?\n\n|.+", reply)


def answered(
    case: Case, replies: Sequence[Sequence[bytes]], wants: Wants = _WANTS
) -> list[Batch] | PoeflaskError:
    """The batches of events that a client gets, or the error if it gets nothing else.

    Args:
        case: what was asked.
        replies: Poe's replies, each as the pieces in which it comes.
        wants: what the dialect wants.
    """
    left = iter(replies)
    answer = opened(case, lambda prompt, key, sent: _batches(next(left)), wants)
    try:
        answer.begin(None)
    except PoeflaskError as error:
        return error
    batches = []
    while not answer.is_over():
        batches.append(answer.next() or [])
    return batches


def opened(case: Case, ask: AskPoe, wants: Wants = _WANTS) -> Answer:
    """The answer to a case while it comes, from whatever stands for Poe."""
    profile = Profile(bot="Bot", **case.asked.get("bot", {}))
    numbers = count(1)
    aids = Aids(
        count=_tokens,
        count_prompt=lambda prompt: lambda: 7,
        repair=json_text.repaired,
        new_call_id=lambda: f"call_{next(numbers)}",
    )

    def make_chain(prompt: Prompt, wants: Wants) -> Chain:
        return chain_for(prompt, profile, wants, aids)

    bridge = Bridge(
        ask=ask,
        prepare=lambda prompt, owner, key: prompt,
        make_chain=make_chain,
        patience=Patience(tries=1),
    )
    return bridge.open(case.prompt, Caller(owner="somebody", poe_key="key"), wants)


def _batches(pieces: Sequence[bytes]) -> Iterator[Batch]:
    decoder, reader = Decoder(), Reader()
    for piece in pieces:
        events = reader.feed(decoder.feed(piece))
        yield events if reader.ended else [*events, Pause()]
        if reader.ended:
            return
    if decoder.unfinished:
        yield reader.fail(PoeError(ErrorKind.POE_BROKEN, "The connection to Poe broke."))
    else:
        yield reader.end()


def _tokens(text: str) -> int:
    """Four letters a token, the last one begun: plain enough to be checked by eye."""
    return -(-len(text) // 4)


def expectation(case: Case, name: str) -> Path:
    """The file of what a dialect makes of a case."""
    return ANSWERS / f"{case.name}.{name}.txt"


def rendered(case: Case, dialect: Dialect) -> str:
    """What a client of the dialect gets, streamed and whole, as the expectation's file holds it."""
    batches = answered(case, list(map(reads, case.replies)), dialect.wants)
    streamed, whole = _streamed(case, dialect, batches), _whole(case, dialect, batches)
    return f"=== stream {streamed}\n=== whole {whole}\n"


def _streamed(case: Case, dialect: Dialect, batches: list[Batch] | PoeflaskError) -> str:
    if isinstance(batches, PoeflaskError):
        return _refused(dialect, batches)
    return f"200\n\n{stream_body(dialect.encoder(case), batches)}".rstrip("\n")


def _whole(case: Case, dialect: Dialect, batches: list[Batch] | PoeflaskError) -> str:
    if isinstance(batches, PoeflaskError):
        return _refused(dialect, batches)
    events = [event for batch in batches for event in batch]
    if isinstance(events[-1], Failure):
        return _refused(dialect, events[-1].error)
    return f"200\n\n{_pretty(dialect.encoder(case).whole(events))}"


def stream_body(encoder: Encoder, batches: Sequence[Sequence[ReplyEvent]]) -> str:
    """The whole body of a stream."""
    return "".join(encoder.feed(batch) for batch in batches) + encoder.close()


def _refused(dialect: Dialect, error: PoeflaskError) -> str:
    form = dialect.error(error, REQUEST_ID)
    return f"{form.status}\n\n{_pretty(form.body)}"


def _pretty(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, indent=1, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
