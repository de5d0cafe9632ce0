"""What a bot can do, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ToolsMode = Literal["auto", "native", "prompted"]
"""How tools reach a bot: through Poe's protocol, in words, or as the bot can."""

ThinkingMarks = Literal["quote", "tags", "any", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter that a bot declares: its JSON Schema (often only `enum`) and its default."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    default: Any = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of one bot. The defaults describe a bot of which nothing is known.

    Attributes:
        bot: the name as Poe spells it.
        native_tools: the bot takes tools through Poe's own protocol.
        tools_mode: what the owner says of that; "auto" leaves it to `native_tools`.
        thinking_marks: how its text sets reasoning apart: Poe's "*Thinking...*" quote block
            ("quote"), `<think>` tags ("tags"), either ("any"), or never ("none").
        buffered: nothing is shown before the answer has settled, for bots that rewrite themselves.
        flags: parameters are written as `--name value` behind the text, as Poe's bots once wanted.
        parameters: what the bot lets a message set, by name.
        defaults: the parameters that a message sets if the client wishes for nothing else.
        input_modalities, output_modalities: such as "text", "image", "video", "audio".
        context_tokens, max_output_tokens: None if Poe does not say.
    """

    bot: str
    native_tools: bool = False
    tools_mode: ToolsMode = "auto"
    thinking_marks: ThinkingMarks = "any"
    buffered: bool = False
    flags: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    context_tokens: int | None = None
    max_output_tokens: int | None = None
