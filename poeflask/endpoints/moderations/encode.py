"""A bot's judgements as OpenAI's moderation object. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import File, Text
from poeflask.core.reply import Reply, ReplyMeta
from poeflask.endpoints.moderations.decode import Piece
from poeflask.endpoints.moderations.schema import CATEGORIES, PICTURES_TOO

FLAGGED_FROM = 0.5
"""The score from which on an input belongs to a category."""


def moderation(
    meta: ReplyMeta, inputs: Sequence[tuple[Piece, ...]], replies: Sequence[Reply]
) -> dict[str, Any]:
    """The moderation object.

    Args:
        meta: id and the name of the bot that judged.
        inputs: what was judged.
        replies: the bot's answers, one for each input, in their order.

    Raises:
        PoeError: kind WRONG_SHAPE, if an answer is no judgement.
    """
    results = [
        _result(pieces, _scores(reply)) for pieces, reply in zip(inputs, replies, strict=False)
    ]
    return {"id": meta.id, "model": meta.model, "results": results}


def _result(pieces: tuple[Piece, ...], judged: Mapping[str, float]) -> dict[str, Any]:
    applied = {name: _applied(name, pieces) for name in CATEGORIES}
    scores = {name: judged[name] if applied[name] else 0.0 for name in CATEGORIES}
    categories = {name: score >= FLAGGED_FROM for name, score in scores.items()}
    return {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": scores,
        "category_applied_input_types": applied,
    }


def _applied(name: str, pieces: tuple[Piece, ...]) -> list[str]:
    """Which sorts of the input's pieces count for a category."""
    types = ["text"] if any(isinstance(piece, Text) for piece in pieces) else []
    if name in PICTURES_TOO and any(isinstance(piece, File) for piece in pieces):
        types.append("image")
    return types


def _scores(reply: Reply) -> dict[str, float]:
    """The scores of an answer; one that was cut off has been checked by nobody yet."""
    try:
        judged = json_text.read(reply.text)
    except json_text.NotJsonError as error:
        raise _no_judgement() from error
    if not isinstance(judged, dict) or not all(_is_score(judged.get(c)) for c in CATEGORIES):
        raise _no_judgement()
    return {name: float(judged[name]) for name in CATEGORIES}


def _is_score(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _no_judgement() -> PoeError:
    return PoeError(ErrorKind.WRONG_SHAPE, "The bot that judges gave no score for each category.")
