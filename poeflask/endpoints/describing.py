"""What a view tells of itself beyond its name and its first sentence, for the API's reference.

Each view says beside its route what it takes and gives; `web.openapi` makes the document of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from marshmallow import Schema

_View = TypeVar("_View", bound=Callable[..., Any])
_NAME = "described"

JSON = "application/json"
FRAMES = "text/event-stream"
FORM = "multipart/form-data"

PAGE = {
    "limit": "How many items a page has at most.",
    "order": "'asc' for the oldest first, 'desc' for the newest.",
    "after": "The id of the item behind which the page begins.",
}
"""How OpenAI's lists are turned over."""

ANTHROPIC_PAGE = {
    "limit": "How many items a page has at most.",
    "after_id": "The id of the item behind which the page begins.",
    "before_id": "The id of the item in front of which it ends.",
}
"""How Anthropic's are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What one operation takes and gives.

    Attributes:
        body: the fields of its JSON body; None if it takes none.
        form: the fields of a form; None if it takes none.
        files: the names of the form's files, and whether each must be there.
        gives: the media types of its answers.
        example: a body to try.
        query: what the URL may say behind "?": name and meaning.
        open: whether it needs no key.
        path: a path's variable, and what the document shows in its place.
        note: a sentence more.
    """

    body: Schema | None = None
    form: Schema | None = None
    files: Mapping[str, bool] = field(default_factory=dict)
    gives: tuple[str, ...] = (JSON,)
    example: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    open: bool = False
    path: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def described(description: Description | None = None, **said: Any) -> Callable[[_View], _View]:
    """Let the view below be described so; said twice, it is two operations.

    Args:
        description: one that was made before; else
        said: the attributes of a `Description`.
    """
    made = description or Description(**said)

    def mark(view: _View) -> _View:
        setattr(view, _NAME, (made, *descriptions(view)))
        return view

    return mark


def descriptions(view: Callable[..., Any]) -> tuple[Description, ...]:
    """What the view tells of itself; empty if nothing."""
    return cast("tuple[Description, ...]", getattr(view, _NAME, ()))
