"""The Prompt: what a client asks, in nobody's dialect.

Every dialect decodes its request into a Prompt, every filter maps Prompt to Prompt, and the wire
writes it as Poe's query. It holds nothing of the web: no key, no stream flag, no id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from poeflask.core.reply import ToolKind

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A picture, sound, film or document. Exactly one of url, base64 and file_id is not empty.

    Attributes:
        url: an http(s) link, handed to Poe as it is.
        base64: the content itself as base64 text (whitespace allowed), not yet decoded.
        file_id: the id of a file that the client stored here before.
        content_type: the MIME type, or empty if the client did not say.
        name: the file's name, or empty.
    """

    url: str = ""
    base64: str = field(default="", repr=False)
    file_id: str = ""
    content_type: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that the assistant made earlier; `arguments` is JSON text, or free text if custom."""

    call_id: str
    name: str
    arguments: str
    kind: ToolKind = "function"
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a call gave. `name` may be empty: then the call's id says which tool it was."""

    call_id: str
    text: str
    name: str = ""
    is_error: bool = False
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the assistant thought earlier, if the client sends it back."""

    text: str
    signature: str = ""


Part = Text | File | ToolCall | ToolResult | Reasoning


@dataclass(frozen=True, slots=True)
class Message:
    """One speaker's contribution.

    Attributes:
        is_own: poeflask says it, not the client: it is no part of what the client is told to have
            used.
    """

    role: Role
    parts: tuple[Part, ...]
    name: str = ""
    is_own: bool = False

    @property
    def text(self) -> str:
        """The message's text parts, joined by an empty line."""
        return "\n\n".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that the client offers.

    Attributes:
        schema: JSON Schema of the arguments (kind "function").
        strict: the client wants arguments that match the schema exactly.
        format: the grammar of the free text (kind "custom"), as the client gave it.
    """

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    kind: ToolKind = "function"
    strict: bool = False
    format: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """Which tools the bot may or must use.

    Attributes:
        mode: "auto" leaves it to the bot, "none" forbids calls, "required" demands at least one.
        names: if not empty, only these tools may be called.
        parallel: false if one call per answer is the limit.
    """

    mode: Literal["auto", "none", "required"] = "auto"
    names: tuple[str, ...] = ()
    parallel: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFormat:
    """The form that the answer's text must have."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    name: str = ""
    description: str = ""
    schema: Mapping[str, Any] | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the bot should choose its words; None leaves it to the bot."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """How much the bot should think, in the words that the client used; None says nothing.

    Attributes:
        effort: "none", "minimal", "low", "medium", "high", "xhigh" or "max".
        budget_tokens: the most tokens it may think.
        enabled: thinking on or off.
    """

    effort: str | None = None
    budget_tokens: int | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where the answer must end: after so many tokens, before any of these texts."""

    max_tokens: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request, whole.

    Attributes:
        bot: the bot's name as Poe knows it.
        messages: the conversation, oldest first; the bot answers the last one.
        verbosity: "low", "medium", "high", or None.
        web_search: whether the bot may search the web; None says nothing.
        parameters: Poe's own per-bot parameters, as the client named them.
        skip_system_prompt: true if the bot should leave its own persona aside.
    """

    bot: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    output_format: OutputFormat = OutputFormat()
    sampling: Sampling = Sampling()
    thinking: Thinking = Thinking()
    limits: Limits = Limits()
    verbosity: str | None = None
    web_search: bool | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    skip_system_prompt: bool = False
