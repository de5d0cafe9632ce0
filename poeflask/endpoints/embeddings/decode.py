"""An embeddings request as texts or token ids, and the form that their vectors are to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.endpoints.embeddings.schema import (
    EMBEDDING_ENVELOPE,
    MAX_ALL_CHARS,
    MAX_ALL_TOKENS,
    MAX_CHARS,
    MAX_DIMENSIONS,
    MAX_INPUTS,
    MAX_TOKENS,
)
from poeflask.endpoints.shapes import kind_of, read_envelope, shown, wrong

Input = str | tuple[int, ...]

STAND_IN_FOR = "text-embedding-"
"""How the names begin that many clients send without being asked: the one model answers them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRequest:
    """An embeddings request, understood.

    Attributes:
        inputs: texts, or token ids of texts.
        dimensions: how many numbers each vector is to have.
        base64: whether vectors are written as base64 of their bytes, and not as numbers.
        ignored: names of fields that were accepted and have no effect.
    """

    inputs: tuple[Input, ...]
    dimensions: int = MAX_DIMENSIONS
    base64: bool = False
    ignored: tuple[str, ...] = ()


def decode(body: object, *, model: str) -> EmbeddingRequest:
    """Read a request's JSON body.

    Args:
        body: the parsed JSON, whatever it is.
        model: the name of the one model that there is.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; NOT_FOUND for a model
            that is neither that one nor one that it may stand in for.
    """
    envelope = read_envelope(EMBEDDING_ENVELOPE, body)
    asked = envelope["model"]
    if asked != model and not asked.startswith(STAND_IN_FOR):
        raise ClientError(
            ErrorKind.NOT_FOUND,
            f"There is no embedding model {shown(asked)} here; the one there is is '{model}'.",
            param="model",
            code="model_not_found",
        )
    return EmbeddingRequest(
        inputs=_inputs(envelope.get("input")),
        dimensions=envelope.get("dimensions", MAX_DIMENSIONS),
        base64=envelope.get("encoding_format") == "base64",
        ignored=() if asked == model else ("model",),
    )


def _inputs(value: Any) -> tuple[Input, ...]:
    if isinstance(value, str):
        return (_text(value, "input"),)
    if value is None:
        raise wrong("input", "is missing: it must be a string or an array of strings.")
    if not isinstance(value, list):
        raise wrong("input", f"must be a string or an array of strings, not {kind_of(value)}.")
    if not value:
        raise wrong("input", "must hold at least 1 item(s).")
    if _is_number(value[0]):
        return (_tokens(value, "input"),)
    if len(value) > MAX_INPUTS:
        raise wrong("input", f"may hold at most {MAX_INPUTS} items, not {len(value)}.")
    inputs = tuple(_input(item, f"input[{place}]") for place, item in enumerate(value))
    _check_sum([len(one) for one in inputs if isinstance(one, str)], MAX_ALL_CHARS, "characters")
    _check_sum([len(one) for one in inputs if isinstance(one, tuple)], MAX_ALL_TOKENS, "tokens")
    return inputs


def _input(value: object, param: str) -> Input:
    match value:
        case str():
            return _text(value, param)
        case list():
            return _tokens(value, param)
    raise wrong(param, f"must be a string or an array of token ids, not {kind_of(value)}.")


def _text(text: str, param: str) -> str:
    if not text:
        raise wrong(param, "must not be empty.")
    if len(text) > MAX_CHARS:
        raise wrong(param, f"may be at most {MAX_CHARS} characters long, not {len(text)}.")
    return text


def _tokens(values: list[Any], param: str) -> tuple[int, ...]:
    if not values:
        raise wrong(param, "must not be empty.")
    if len(values) > MAX_TOKENS:
        raise wrong(param, f"may hold at most {MAX_TOKENS} tokens, not {len(values)}.")
    for place, value in enumerate(values):
        if not _is_number(value):
            raise wrong(f"{param}[{place}]", f"must be a token id, not {kind_of(value)}.")
    return tuple(values)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_sum(lengths: Sequence[int], most: int, what: str) -> None:
    if sum(lengths) > most:
        raise wrong("input", f"may hold at most {most} {what} in all, not {sum(lengths)}.")
