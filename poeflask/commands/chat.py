"""`poeflask chat`: an answer in the terminal, word by word, or a whole conversation."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from poeflask.commands.environment import read_settings
from poeflask.core.sse import Decoder
from poeflask.settings import Settings

if TYPE_CHECKING:
    from werkzeug.test import Client

_DEMO_KEY = "demo"
_END = "[DONE]"
_GREETING = "{model} listens. An empty line ends the conversation, Ctrl+C an answer."


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer: its text, and whether the bot was still thinking."""

    text: str
    is_thought: bool = False


class Refused(Exception):  # noqa: N818 - it names what happened to the question
    """The question was not answered, or not to its end; the message says why."""


@dataclass(slots=True)
class Conversation:
    """What was said so far, and a way to say more.

    Attributes:
        client: calls the app in this very process.
        key: the key that is sent.
        model: the bot's name.
        messages: what was said, as the chat API writes it.
        usage: what the last answer cost, as the API told it.
    """

    client: Client
    key: str = field(repr=False)
    model: str
    messages: list[dict[str, str]] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)

    def ask(self, text: str) -> Iterator[Piece]:
        """Say something; yields the answer as it comes. Closing it ends the answer.

        A question that is not answered to its end is forgotten.

        Raises:
            Refused: the answer failed, before it began or later.
        """
        self.messages.append({"role": "user", "content": text})
        said: list[str] = []
        try:
            for piece in self._pieces():
                if not piece.is_thought:
                    said.append(piece.text)
                yield piece
        except (Refused, GeneratorExit):
            self.messages.pop()
            raise
        self.messages.append({"role": "assistant", "content": "".join(said)})

    def _pieces(self) -> Iterator[Piece]:
        answer = self.client.post(
            "/v1/chat/completions",
            headers={"Authorization": f"Bearer {self.key}"},
            json={
                "model": self.model,
                "messages": self.messages,
                "stream": True,
                "stream_options": {"include_usage": True},
            },
        )
        try:
            if answer.status_code != 200:
                raise Refused(answer.get_json()["error"]["message"])
            decoder = Decoder()
            for data in answer.iter_encoded():
                for frame in decoder.feed(data):
                    if frame.data != _END:
                        yield from self._read(json.loads(frame.data))
        finally:
            answer.close()

    def _read(self, chunk: dict[str, Any]) -> Iterator[Piece]:
        if "error" in chunk:
            raise Refused(chunk["error"]["message"])
        self.usage = chunk.get("usage") or self.usage
        for choice in chunk["choices"]:
            delta = choice["delta"]
            if delta.get("reasoning_content"):
                yield Piece(delta["reasoning_content"], is_thought=True)
            if delta.get("content"):
                yield Piece(delta["content"])


@click.command()
@click.argument("words", nargs=-1, metavar="[TEXT]...")
@click.option("-m", "--model", help="The bot's name; by default one that answers to the key.")
@click.option("-s", "--system", help="What the bot should know before anything is said.")
@click.option("--key", envvar="POE_API_KEY", help="A Poe key or a gateway key.", metavar="KEY")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")
def chat(
    words: tuple[str, ...], model: str | None, system: str | None, key: str | None, as_json: bool
) -> None:
    """Ask a bot, here and now; without TEXT, talk with it.

    What comes by a pipe stands behind TEXT. Without a key, the simulator answers.
    """
    text = "\n\n".join(filter(None, [" ".join(words), _piped()]))
    conversation = _begin(key, model, system)
    if text:
        _ask_once(conversation, text, as_json=as_json)
    else:
        _talk(conversation)


def _piped() -> str:
    return "" if sys.stdin.isatty() else sys.stdin.read().strip()


def _begin(key: str | None, model: str | None, system: str | None) -> Conversation:
    settings = read_settings()
    if not key and not settings.demo_key_works:
        raise click.UsageError("Give a key with --key or in POE_API_KEY.")
    return Conversation(
        _client(replace(settings, log_level="error")),
        key or _DEMO_KEY,
        model or ("Claude-Sonnet-4.5" if key else "Echo"),
        [{"role": "system", "content": system}] if system else [],
    )


def _client(settings: Settings) -> Client:
    """The app in this process. It is heavy, and needs the patch before it."""
    from poeflask import _patch  # noqa: F401
    from poeflask.app import create_app

    return create_app(settings).test_client()


def _ask_once(conversation: Conversation, text: str, *, as_json: bool) -> None:
    try:
        if as_json:
            answer = "".join(piece.text for piece in conversation.ask(text) if not piece.is_thought)
            told = {"model": conversation.model, "answer": answer, "usage": conversation.usage}
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            _show(conversation.ask(text))
    except Refused as error:
        raise click.ClickException(str(error)) from error


def _talk(conversation: Conversation) -> None:
    click.echo(_GREETING.format(model=conversation.model), err=True)
    while text := click.prompt("", prompt_suffix="> ", default="", show_default=False).strip():
        try:
            _show(conversation.ask(text))
        except Refused as error:
            click.echo(f"Error: {error}", err=True)


def _show(pieces: Iterator[Piece]) -> None:
    """Print the pieces as they come; thoughts dim and in lines of their own."""
    was_thought = False
    try:
        for piece in pieces:
            if was_thought and not piece.is_thought:
                click.echo("\n")
            was_thought = piece.is_thought
            click.echo(click.style(piece.text, dim=True) if was_thought else piece.text, nl=False)
    except KeyboardInterrupt:
        pieces.close()  # type: ignore[attr-defined] # a generator
    click.echo()
