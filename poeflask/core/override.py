"""What the owner of this server says of one bot, over what Poe's list says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from poeflask.core.bot import Bot
from poeflask.core.profile import Profile, ThinkingMarks, ToolsMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What the owner says of one bot; None and nothing leave it as it is.

    Attributes:
        aliases: names of its own that clients may call it by.
        hidden: it is not listed under its own name; its aliases are, and it answers.
        disabled: it is neither listed nor asked, by whatever name.
        custom: it is listed even if Poe does not list it.
        owner, description, created_s: what the list says of it; seconds since 1970.
        parameters: what it is asked with where the client says nothing else.
        tools, reasoning, buffered, flags: as in `core.profile.Profile`.
        fallbacks: names of the models that may answer in its place, the first one first.
        price: US dollars as text, by Poe's words for what they are for.
        input_modalities, output_modalities, context_tokens, max_output_tokens: as Poe's list has
            them.
    """

    aliases: tuple[str, ...] = ()
    hidden: bool | None = None
    disabled: bool | None = None
    custom: bool | None = None
    owner: str | None = None
    description: str | None = None
    created_s: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tools: ToolsMode | None = None
    reasoning: ThinkingMarks | None = None
    buffered: bool | None = None
    flags: bool | None = None
    fallbacks: tuple[str, ...] = ()
    price: Mapping[str, str] = field(default_factory=dict)
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    context_tokens: int | None = None
    max_output_tokens: int | None = None

    def applied(self, profile: Profile) -> Profile:
        """The profile with the owner's word in place of Poe's."""
        said: dict[str, Any] = {
            "tools_mode": self.tools,
            "thinking_marks": self.reasoning,
            "buffered": self.buffered,
            "flags": self.flags,
        }
        said = {name: value for name, value in said.items() if value is not None}
        return replace(profile, defaults=self.parameters or profile.defaults, **said)

    def shown(self, bot: Bot) -> Bot:
        """The bot as the owner wants it described."""
        said: dict[str, Any] = {
            "owned_by": self.owner,
            "description": self.description,
            "created_s": self.created_s,
            "context_tokens": self.context_tokens,
            "max_output_tokens": self.max_output_tokens,
            "input_modalities": self.input_modalities or None,
            "output_modalities": self.output_modalities or None,
            "pricing": {**bot.pricing, **self.price} if self.price else None,
        }
        said = {name: value for name, value in said.items() if value is not None}
        return replace(bot, **said) if said else bot


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBot:
    """A bot with all that is known of it, for the owner's eyes.

    Attributes:
        bot: as it is described to clients.
        override: what the owner says of it.
        is_listed: Poe's list has it.
        groups: the names of the groups that it is in.
        shadowed_by: the other bot that has this one's name as an alias, so that nobody reaches this
            one; or empty.
    """

    bot: Bot
    override: Override = Override()
    is_listed: bool = True
    groups: tuple[str, ...] = ()
    shadowed_by: str = ""

    @property
    def shows_its_name(self) -> bool:
        """Whether clients see the bot listed under its own name."""
        override = self.override
        there = self.is_listed or bool(override.custom)
        return there and not (override.hidden or override.disabled or self.shadowed_by)
