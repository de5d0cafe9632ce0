"""A bot as Poe's list tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from poeflask.core.profile import Parameter, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """One bot as Poe's list describes it.

    Attributes:
        id: the name in lower case, unique.
        handle: the name as Poe spells it.
        created_s: seconds since 1970; 0 if Poe does not say.
        context_tokens, max_output_tokens: None if Poe does not say.
        features: such as "tools" and "web_search".
        pricing: US dollars as text by what they are for, as Poe gives them.
        reasoning: what Poe says of the bot's thinking; empty if nothing.
        entry: all that Poe said.
    """

    id: str
    handle: str
    created_s: int = 0
    owned_by: str = ""
    description: str = ""
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    features: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    pricing: Mapping[str, Any] = field(default_factory=dict)
    reasoning: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def profile(self) -> Profile:
        """What the bot can do, as filters want to know it."""
        return Profile(
            bot=self.handle,
            native_tools="tools" in self.features,
            parameters={parameter.name: parameter for parameter in self.parameters},
            input_modalities=self.input_modalities,
            output_modalities=self.output_modalities,
            context_tokens=self.context_tokens,
            max_output_tokens=self.max_output_tokens,
        )
