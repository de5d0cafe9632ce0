"""Poe's bots as this server shows them: Poe's list with the owner's word over it.

Clients see and ask bots through here. A name means, in this order: an alias of the owner's, a bot
of the owner's file, a bot of Poe's list, or what another API's name for a model stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from poeflask.core.bot import Bot
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.override import KnownBot, Override
from poeflask.core.profile import Profile
from poeflask.poe.catalogue import Catalogue
from poeflask.poe.models_file import ModelsFile
from poeflask.poe.overrides import Overrides


@dataclass(frozen=True, slots=True)
class _View:
    """What follows from one copy of Poe's list and one reading of the file.

    Attributes:
        listed: the copy, to know when it is another.
        overrides: the reading, to know when it is another.
        known: every bot, in the order in which bots are shown.
        shown: what clients see.
        by_bot: every bot by its id and its name in lower case.
        by_alias: the bots that aliases mean.
        profiles: those that were asked for, by the name in lower case; only of known bots.
    """

    listed: tuple[Bot, ...]
    overrides: Overrides
    known: tuple[KnownBot, ...]
    shown: tuple[Bot, ...]
    by_bot: Mapping[str, KnownBot]
    by_alias: Mapping[str, KnownBot]
    profiles: dict[str, Profile] = field(default_factory=dict)

    def profile(self, name: str) -> Profile | None:
        """What a known bot can do; put together once, since each question needs it often."""
        found = self.profiles.get(name)
        known = self.by_bot.get(name)
        if found is None and known is not None:
            found = self.profiles[name] = known.override.applied(known.bot.profile)
        return found

    def find(self, name: str) -> KnownBot | None:
        wanted = name.strip().lower()
        return self.by_alias.get(wanted) or self.by_bot.get(wanted)


class ShownCatalogue:
    """The bots that clients may ask.

    Args:
        catalogue: Poe's list.
        models_file: what the owner says.
    """

    def __init__(self, catalogue: Catalogue, models_file: ModelsFile) -> None:
        self._catalogue = catalogue
        self._models_file = models_file
        self._made: _View | None = None

    def bots(self) -> tuple[Bot, ...]:
        """What clients see listed: Poe's order, then the owner's; aliases behind their bot.

        An alias is a bot of its own here, with the alias as its id and name.

        Raises:
            PoeError: there is no copy at all and Poe's list cannot be had.
        """
        return self._view(self._catalogue.bots()).shown

    def at_hand(self) -> tuple[Bot, ...]:
        """As `bots`, without long waiting; of Poe's list nothing, if it cannot be had."""
        return self._now().shown

    def known(self) -> tuple[KnownBot, ...]:
        """Every bot that Poe lists or the owner speaks of, in the same order, nothing left out.

        Raises:
            PoeError: as `bots`.
        """
        return self._view(self._catalogue.bots()).known

    def known_at_hand(self) -> tuple[KnownBot, ...]:
        """As `known`, without long waiting; of Poe's list nothing, if it cannot be had."""
        return self._now().known

    def find(self, name: str) -> Bot | None:
        """The model of that name, in any case, as it is shown; also if it is hidden.

        Raises:
            ClientError: kind FORBIDDEN, if it is disabled.
        """
        known = self._now().find(name)
        if known is None:
            return None
        _refuse_disabled(known, name)
        if not (known.is_listed or known.override.custom):
            return None
        alias = next((one for one in known.override.aliases if _same(one, name)), None)
        return known.bot if alias is None else _under(known.bot, alias)

    def look_up(self, name: str) -> Bot | None:
        """As `find`, and by what another API calls the model."""
        if self._now().find(name) is None:
            return self.resolve(name)
        return self.find(name)

    def resolve(self, name: str) -> Bot | None:
        """The bot that a client means by a name; None if it is none that is listed or spoken of.

        Raises:
            ClientError: kind FORBIDDEN, if it is disabled.
        """
        view = self._now()
        known = view.find(name)
        if known is None:
            meant = self._catalogue.resolve(name)
            known = None if meant is None else view.by_bot.get(meant.id)
            if known is None:
                return meant
        _refuse_disabled(known, name)
        return known.bot

    def profile(self, name: str) -> Profile:
        """What the bot of that name can do; its own name, no alias, as `resolve` gives it."""
        return self._now().profile(name.lower()) or Profile(bot=name)

    def fallbacks(self, name: str) -> tuple[str, ...]:
        """The names of the bots that may answer in this one's place; none that is disabled."""
        view = self._now()
        known = view.by_bot.get(name.lower())
        meant = [] if known is None else [view.find(one) for one in known.override.fallbacks]
        wanted = [] if known is None else zip(known.override.fallbacks, meant, strict=True)
        return tuple(
            written if one is None else one.bot.handle
            for written, one in wanted
            if one is None or not one.override.disabled
        )

    def group(self, name: str) -> tuple[str, ...] | None:
        """The names of the bots in a group, in its order; None if there is no such group."""
        view = self._now()
        for group, members in view.overrides.groups.items():
            if _same(group, name):
                return tuple(_handle(view, member) for member in members)
        return None

    def state(self) -> Literal["fresh", "stale", "missing"]:
        """How good the copy of Poe's list is."""
        return self._catalogue.state()

    def is_allowed(self, name: str, allowed: Iterable[str]) -> bool:
        """Whether a bot's own name is among models, some of which may be groups: "@cheap"."""
        view = self._now()
        names = _without_groups(allowed, view.overrides.groups)
        return any(_same(_handle(view, one), name) for one in names)

    def _now(self) -> _View:
        """The view of what is known without long waiting."""
        return self._view(self._catalogue.at_hand())

    def _view(self, listed: tuple[Bot, ...]) -> _View:
        overrides = self._models_file.overrides()
        made = self._made
        if made is None or made.listed is not listed or made.overrides is not overrides:
            made = self._made = _view(listed, overrides)
        return made


def _without_groups(names: Iterable[str], groups: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    spelled = {group.lower(): members for group, members in groups.items()}
    for name in names:
        if name.startswith("@"):
            yield from spelled.get(name[1:].lower(), ())
        else:
            yield name


def _handle(view: _View, name: str) -> str:
    known = view.find(name)
    return name if known is None else known.bot.handle


def _view(listed: tuple[Bot, ...], overrides: Overrides) -> _View:
    known = tuple(_known(listed, overrides))
    by_bot = {one.bot.handle.lower(): one for one in known} | {one.bot.id: one for one in known}
    by_alias = {alias.lower(): one for one in known for alias in one.override.aliases}
    shown = tuple(bot for one in known for bot in _shown(one))
    return _View(listed, overrides, known, shown, by_bot, by_alias)


def _known(listed: tuple[Bot, ...], overrides: Overrides) -> Iterator[KnownBot]:
    groups = _groups_by_bot(overrides)
    names = {name for bot in listed for name in (bot.id, bot.handle.lower())}
    for bot in listed:
        override = overrides.of(bot.handle, bot.id)
        yield _known_bot(bot, override, overrides, groups)
    for name, override in overrides.bots.items():
        if name.lower() not in names:
            bot = Bot(id=name.lower(), handle=name)
            yield replace(_known_bot(bot, override, overrides, groups), is_listed=False)


def _known_bot(
    bot: Bot,
    override: Override,
    overrides: Overrides,
    groups: Mapping[str, tuple[str, ...]],
) -> KnownBot:
    owner = overrides.aliases.get(bot.handle.lower(), "") or overrides.aliases.get(bot.id, "")
    return KnownBot(
        bot=override.shown(bot),
        override=override,
        groups=groups.get(bot.handle.lower(), groups.get(bot.id, ())),
        shadowed_by=owner,
    )


def _groups_by_bot(overrides: Overrides) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group, members in overrides.groups.items():
        for member in members:
            name = overrides.named(member).lower()
            found[name] = (*found.get(name, ()), group)
    return found


def _shown(known: KnownBot) -> Iterator[Bot]:
    """The bot under its own name, if that is shown, and under each alias."""
    override = known.override
    if known.shows_its_name:
        yield known.bot
    if not override.disabled and (known.is_listed or override.custom):
        yield from (_under(known.bot, alias) for alias in override.aliases)


def _under(bot: Bot, alias: str) -> Bot:
    return replace(bot, id=alias.lower(), handle=alias)


def _same(one: str, other: str) -> bool:
    return one.lower() == other.strip().lower()


def _refuse_disabled(known: KnownBot, name: str) -> None:
    if known.override.disabled:
        raise ClientError(
            ErrorKind.FORBIDDEN,
            f"The model {name[:100]!r} is disabled on this server. "
            "Ask for another; GET /v1/models lists them.",
            param="model",
            code="model_disabled",
        )
