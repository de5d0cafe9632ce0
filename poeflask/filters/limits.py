"""Where the answer ends by the client's wish: before a stop sequence, or after so many tokens.

Both look at the answer's visible text; thoughts and tool calls are left whole. Poe's protocol takes
stop sequences but not every bot obeys them, and it has no length, so both are enforced here.

Length. Every decision is made at places that only the joined text determines, never where a piece
happens to end. A token is at least one byte of UTF-8, so text of no more bytes than there are
tokens left goes on uncounted; what is left after a count shrinks by about a quarter each time, so
an answer is counted some dozens of times at most. Close to the limit text is held back for
`_AHEAD` letters, because the letters behind a place can still change how it is cut into tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from poeflask.core.reply import END, Finish, Pause, ReplyEvent, TextDelta
from poeflask.core.tokens import PIECE
from poeflask.filters.markers import Scanner
from poeflask.filters.reply_side import ReplySide

_AHEAD = 64
_STEP = 32
_SPARE = 8
"""Tokens by which a text may have more than its parts together; uncounted text keeps so far off."""


class LimitsFilter(ReplySide):
    """Ends the answer early, with reason "stop" or "length"."""

    def __init__(
        self,
        *,
        stop: Iterable[str],
        max_tokens: int | None,
        count: Callable[[str], int],
    ) -> None:
        """`stop` and `max_tokens` are the Prompt's limits, `count` tells a text's tokens."""
        self._scanner = Scanner(stop)
        self._length = None if max_tokens is None else _Length(max_tokens, count)

    def passes(self, text: str) -> bool:
        if self._scanner.concerns(text):
            return False
        return self._length is None or self._length.passes(text)

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        match event:
            case TextDelta():
                found = self._scanner.feed(event.text)
                self._say(found.text, given, flush=bool(found.marker))
                if found.marker and not _ended(given):
                    given.append(Finish("stop", stop=found.marker))
            case Pause():
                given.append(event)
            case _:
                self._say(self._scanner.end(), given, flush=True)
                if not _ended(given):
                    given.append(event)

    def _say(self, text: str, given: list[ReplyEvent], *, flush: bool) -> None:
        over = False
        if self._length:
            text, over = self._length.feed(text, flush=flush)
        if text:
            given.append(TextDelta(text))
        if over:
            given.append(Finish("length"))


def _ended(given: list[ReplyEvent]) -> bool:
    return bool(given) and isinstance(given[-1], END)


class _Length:
    """Lets text through until it is so many tokens long."""

    def __init__(self, max_tokens: int, count: Callable[[str], int]) -> None:
        self._max = max_tokens
        self._count = count
        # Tokens of all full pieces; the pieces of text behind them; how much of that was sent.
        self._counted = 0
        self._text: list[str] = []
        self._sent = 0
        self._ahead = _AHEAD
        # Bytes that may go on uncounted; None: close to the limit.
        self._free: int | None = _free_bytes(max_tokens)

    def passes(self, text: str) -> bool:
        """Whether the text is so short that it need not even be counted; then it is taken."""
        if self._free is None or _bytes(text) > self._free:
            return False
        self._text.append(text)
        self._free -= _bytes(text)
        self._sent += len(text)
        return True

    def feed(self, text: str, *, flush: bool) -> tuple[str, bool]:
        """Take the next text; give what may be sent now, and whether the limit was reached.

        Args:
            text: any text, also none.
            flush: nothing may be held, because something else comes.
        """
        self._text.append(text)
        sent = ""
        while self._free is not None:
            passed = _start_of_bytes(text, self._free)
            self._free -= _bytes(passed)
            self._sent += len(passed)
            sent += passed
            if len(passed) == len(text):
                return sent, False
            text = text[len(passed) :]
            self._free = _free_bytes(self._left())
        more, over = self._close(flush=flush)
        return sent + more, over

    def _left(self) -> int:
        """Count what was sent: how many tokens are left? Full pieces are counted for good."""
        text = self._whole()
        while self._sent >= PIECE:
            self._counted += self._count(text[:PIECE])
            self._sent -= PIECE
            text = text[PIECE:]
            self._text = [text]
        return self._max - self._total(self._sent)

    def _close(self, *, flush: bool) -> tuple[str, bool]:
        """Send text step by step, each only when what lies ahead of it is known and counted."""
        text, start = self._whole(), self._sent
        while flush or len(text) >= self._sent + self._ahead + _STEP:
            ahead = self._sent + self._ahead
            known = min(ahead + _STEP, len(text))
            too_long = self._total(min(ahead, len(text))) > self._max
            if too_long and ((end := self._longest(known)) < known or end == self._sent):
                return text[start:end], True
            if flush and known == len(text) and self._total(known) <= self._max:
                self._sent = known
                break
            self._step(too_long=too_long)
        return text[start : self._sent], False

    def _step(self, *, too_long: bool) -> None:
        """Go on to a place up to which the text is short enough, or look further ahead."""
        place = self._sent + self._ahead - _STEP
        if too_long or self._total(place) > self._max:
            self._ahead += _STEP
            return
        self._sent, self._ahead = place, _AHEAD

    def _longest(self, place: int) -> int:
        """The last place before `place`, but not before what was sent, that is within the limit."""
        while place > self._sent and (over := self._total(place) - self._max) > 0:
            place = max(self._sent, place - max(1, over // 4))
        return place

    def _total(self, place: int) -> int:
        """The tokens of the answer up to a place in `_text`."""
        text = self._whole()
        pieces = [text[at : min(at + PIECE, place)] for at in range(0, place, PIECE)]
        return self._counted + sum(self._count(piece) for piece in pieces)

    def _whole(self) -> str:
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0] if self._text else ""


def _free_bytes(tokens: int) -> int | None:
    return tokens - _SPARE if tokens > _AHEAD + _SPARE else None


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _start_of_bytes(text: str, most: int) -> str:
    """The longest start of the text that has at most so many bytes of UTF-8."""
    if len(text) * 4 <= most or _bytes(text) <= most:
        return text
    whole = text.encode("utf-8", "surrogatepass")
    while most and whole[most] & 0xC0 == 0x80:
        most -= 1
    return whole[:most].decode("utf-8", "surrogatepass")
