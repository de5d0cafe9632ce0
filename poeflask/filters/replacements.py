"""Replacements: from here on text is only added.

Poe's bots may say "forget all text, say this instead", over and over: progress ("Generating image
(3s elapsed)..."), a search that is rewritten, a diffusion model's every step. A client cannot
forget. So a replacing text is provisional: the next one replaces it, and only text behind it,
other output or the end settles it. What settles is compared with what the client has seen:

- it goes on from there: only the rest is sent;
- nothing was sent: all of it is sent;
- it says something else: it is sent as a new paragraph.

Progress is never an answer. An answer that begins like a progress line is held until it is clear
what it is, and that is only looked for at the very start of an answer or of a replacing text. If a
complete answer has nothing else to say, its progress line is given back; in front of a failure it
is not, so that a failure before the first word can still be told as one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from poeflask.core.reply import (
    OUTPUT,
    Failure,
    Finish,
    Pause,
    Replace,
    ReplyEvent,
    TextDelta,
)
from poeflask.filters.reply_side import ReplySide


class _Status(NamedTuple):
    """A kind of progress line.

    Attributes:
        openings: how such lines begin.
        line: the whole line, without markup around it.
        certain: it is never an answer: dropped also if text follows it, and beside other output.
    """

    openings: tuple[str, ...]
    line: str
    certain: bool


_DOTS = r"(?:\.{2,6}|…{1,2}|。{2,6})"
_TIME = r"\(\s?\d{1,5}(?:\.\d{1,3})?\s?(?:s|secs?|seconds?)(?:\s(?:elapsed|passed))?\s?\)"
_RUNNING = rf"(?:\s?{_DOTS}(?:\s?{_TIME})?|\s?{_TIME}(?:\s?{_DOTS})?)"
_WHAT = r"(?:(?:an?|the|your|\d)\s)?(?:images?|pictures?|photos?|videos?|audio|music|speech|songs?)"
_MAKING = ("Creating", "Drawing", "Rendering")

_STATUSES = (
    # fastapi_poe#70 "Generating image (1s elapsed)..."; server-bot-quick-start, sdxl_bot.py
    # "Generating image... (2 seconds)"
    _Status(("Generating",), rf"Generating\s{_WHAT}{_RUNNING}", certain=True),
    # of the same family; without a time they may as well begin a story
    _Status(_MAKING, rf"(?:{'|'.join(_MAKING)})\s{_WHAT}\s?{_TIME}(?:{_DOTS})?", certain=True),
    _Status(_MAKING, rf"(?:{'|'.join(_MAKING)})\s{_WHAT}{_RUNNING}", certain=False),
    # a localised image bot, "绘制中.." before the link
    _Status(
        ("正在", "绘制", "生成", "绘图", "画图"),
        rf"(?:正在)?(?:绘制|生成|绘图|画图)(?:图片|图像|视频)?中?{_RUNNING}",
        certain=True,
    ),
    # fastapi_poe#35 "Searching ..."
    _Status(("Searching",), rf"Searching[^\n.…]{{0,60}}{_RUNNING}", certain=False),
    # spinners of many bots; with a quote block behind it, "Thinking..." is Poe's reasoning mark
    _Status(
        ("Thinking", "Loading", "Processing", "思考", "搜索"),
        rf"(?:Thinking|Loading|Processing|思考中|搜索中){_RUNNING}",
        certain=False,
    ),
)

_LEAD = r"\s{0,8}[*_]{0,2}"
_TRAIL = r"[*_]{0,2}[^\S\n]{0,4}"
_BEHIND = r"(?:\n\s{0,8}(?=\S)|(?=!\[))"
_LONGEST = 160
"""Letters; no progress line with all that surrounds it is longer."""


_CERTAIN = "|".join(status.line for status in _STATUSES if status.certain)
_ANY = "|".join(status.line for status in _STATUSES)
_OPENINGS = tuple(opening for status in _STATUSES for opening in status.openings)
_DROPPED = re.compile(f"{_LEAD}(?:{_CERTAIN}){_TRAIL}{_BEHIND}")
_ONLY_CERTAIN = re.compile(rf"{_LEAD}(?:{_CERTAIN}){_TRAIL}\s{{0,8}}\Z")
_ONLY_PROGRESS = re.compile(rf"{_LEAD}(?:{_ANY}){_TRAIL}\s{{0,8}}\Z")


class Replacements(ReplySide):
    """Eats every Replace and gives text that only grows."""

    def __init__(self, *, buffered: bool = False) -> None:
        """`buffered` sends nothing before the end, for bots that rewrite themselves."""
        self._buffered = buffered
        self._shown: list[str] = []
        # What is not certain yet: text, and the events that came behind it, in order.
        self._held: list[ReplyEvent] = []
        # The text has settled, all that follows goes on at once.
        self._flowing = False
        # How many letters of what was shown the held text has said again; None: it has not begun.
        self._repeated: int | None = None
        self._output_seen = False

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        match event:
            case TextDelta():
                self._say(event, given)
            case Replace():
                self._replace(event, given)
            case Pause():
                given.append(event)
            case Finish() | Failure():
                self._end(event, given)
            case _:
                self._pass_on(event, given)

    def passes(self, text: str) -> bool:
        if self._flowing:
            self._shown.append(text)
        return self._flowing

    def _say(self, event: TextDelta, given: list[ReplyEvent]) -> None:
        if self.passes(event.text):
            given.append(event)
            return
        self._held.append(event)
        if not self._buffered and not self._repeats(event.text):
            self._settle(given)

    def _replace(self, event: Replace, given: list[ReplyEvent]) -> None:
        given.extend(_without_text(self._held))
        self._held = [TextDelta(event.text)] if event.text else []
        self._flowing = False
        self._repeated = None

    def _pass_on(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        is_output = isinstance(event, OUTPUT)
        self._output_seen |= is_output
        if self._held and is_output and not self._buffered:
            self._settle(given, final=True)
        if self._held and (self._buffered or not is_output):
            self._held.append(event)
        else:
            given.append(event)

    def _end(self, end: Finish | Failure, given: list[ReplyEvent]) -> None:
        text = _text(self._held)
        progress = _ONLY_PROGRESS.match(text, _dropped(text))
        if progress and isinstance(end, Failure):
            self._drop(len(text), given)
        elif progress and not self._shown and not self._output_seen:
            self._release(given)
        else:
            self._settle(given, final=True)
        given.extend(_without_text(self._held))
        given.append(end)

    def _repeats(self, text: str) -> bool:
        """Whether the text goes on saying, letter by letter, what was shown before."""
        if self._repeated is None or not self._whole_shown().startswith(text, self._repeated):
            return False
        self._repeated += len(text)
        return True

    def _settle(self, given: list[ReplyEvent], *, final: bool = False) -> None:
        """Give what is held as far as it is certain; `final`: nothing can make it clearer."""
        text = _text(self._held)
        place = _dropped(text)
        if final and (progress := _ONLY_CERTAIN.match(text, place)):
            place = progress.end()
        if place:
            self._drop(place, given)
            text = text[place:]
        if text and (final or not _may_become_progress(text)):
            self._compare(text, given)

    def _compare(self, text: str, given: list[ReplyEvent]) -> None:
        shown = self._whole_shown()
        if text.startswith(shown):
            self._drop(len(shown), given)
            self._release(given)
        elif not shown.startswith(text):
            given.append(TextDelta("\n\n"))
            self._release(given)
        else:
            self._repeated = len(text)
            given.extend(_without_text(self._held))
            self._held = [TextDelta(text)]
            return
        self._shown = [text]

    def _drop(self, letters: int, given: list[ReplyEvent]) -> None:
        """Take so many letters off the start of what is held, and let go what stood among them."""
        kept: list[ReplyEvent] = []
        for event in self._held:
            if kept:
                kept.append(event)
            elif not isinstance(event, TextDelta):
                given.append(event)
            elif len(event.text) > letters:
                kept.append(TextDelta(event.text[letters:]))
            else:
                letters -= len(event.text)
        self._held = kept

    def _release(self, given: list[ReplyEvent]) -> None:
        given.extend(self._held)
        self._held = []
        self._flowing = True

    def _whole_shown(self) -> str:
        if len(self._shown) > 1:
            self._shown = ["".join(self._shown)]
        return self._shown[0] if self._shown else ""


def is_progress(text: str) -> bool:
    """Whether the text is a progress line and nothing else."""
    return _ONLY_PROGRESS.match(text) is not None


def _without_text(events: list[ReplyEvent]) -> list[ReplyEvent]:
    return [event for event in events if not isinstance(event, TextDelta)]


def _text(events: list[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def _dropped(text: str) -> int:
    """How many letters at the start are progress lines with something else behind them."""
    place = 0
    while found := _DROPPED.match(text, place):
        place = found.end()
    return place


def _may_become_progress(text: str) -> bool:
    """Whether the whole text may be, or begin, a progress line: one line, begun like one."""
    if len(text) > _LONGEST:
        return False
    line, _, behind = text.lstrip().partition("\n")
    line = line.lstrip("*_")
    if behind.strip():
        return False
    return any(line.startswith(opening) or opening.startswith(line) for opening in _OPENINGS)
