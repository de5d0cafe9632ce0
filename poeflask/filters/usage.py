"""Says how many tokens an answer cost: the provider's count if it sent one, or else an estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from poeflask.core.reply import (
    Finish,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.filters.reply_side import ReplySide


class UsageFilter(ReplySide):
    """Gives one Usage, directly before a Finish; none before a Failure.

    Poe's exact counts hold zeros that cannot be true (no completion tokens beside tool calls, no
    tokens at all for pictures). Such a zero is replaced by the estimate, and then the whole is
    called an estimate.
    """

    def __init__(self, prompt_tokens: Callable[[], int], count: Callable[[str], int]) -> None:
        """Both are called at most once for each kind of text, and only when an answer is complete.

        Args:
            prompt_tokens: gives the estimated tokens of the prompt.
            count: gives the tokens of a text.
        """
        self._prompt_tokens = prompt_tokens
        self._count = count
        self._exact: Usage | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[str] = []

    def passes(self, text: str) -> bool:
        self._text.append(text)
        return True

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        match event:
            case Usage():
                self._exact = event if event.exact else self._exact
                return
            case TextDelta():
                self._text.append(event.text)
            case ReasoningDelta():
                self._reasoning.append(event.text)
            case ToolCallDelta():
                self._calls.append(event.name + event.arguments)
            case Finish():
                given.append(self._usage())
            case _:
                pass
        given.append(event)

    def _usage(self) -> Usage:
        exact = self._exact
        if exact and exact.prompt_tokens and exact.completion_tokens:
            return exact if exact.reasoning_tokens else self._with_reasoning(exact)
        reasoning = self._count("".join(self._reasoning))
        visible = self._count("".join(self._text)) + self._count("".join(self._calls))
        estimate = Usage(completion_tokens=visible + reasoning, reasoning_tokens=reasoning)
        if exact is None:
            return replace(estimate, prompt_tokens=self._prompt_tokens())
        return replace(
            exact,
            prompt_tokens=exact.prompt_tokens or self._prompt_tokens(),
            completion_tokens=exact.completion_tokens or estimate.completion_tokens,
            reasoning_tokens=exact.reasoning_tokens or reasoning,
            exact=False,
        )

    def _with_reasoning(self, exact: Usage) -> Usage:
        """The exact count, its part that was thought estimated, since Poe tells no such part."""
        if not self._reasoning:
            return exact
        reasoning = self._count("".join(self._reasoning))
        return replace(exact, reasoning_tokens=min(reasoning, exact.completion_tokens))
