"""Requests for vectors in Ollama's two forms, /api/embed and the old /api/embeddings. Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.endpoints.ollama.decode import bot_name
from poeflask.endpoints.ollama.schema import (
    EMBED_ENVELOPE,
    MAX_ALL_CHARS,
    MAX_CHARS,
    MAX_INPUTS,
)
from poeflask.endpoints.shapes import a_text, an_array, read_envelope, shown, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorRequest:
    """A request for vectors, understood; `dimensions` is None if the client leaves it open."""

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None


def decode_embed(body: object, *, model: str, dimensions: int) -> VectorRequest:
    """Read the JSON body of a request to /api/embed.

    Args:
        body: the parsed JSON, whatever it is.
        model: the name of the one model that there is.
        dimensions: how many numbers its vectors have.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; NOT_FOUND for another
            model.
    """
    envelope = _envelope(body, model)
    wanted = envelope.get("dimensions")
    if wanted is not None and wanted > dimensions:
        raise wrong("dimensions", f"may be at most {dimensions}, not {wanted}.")
    return VectorRequest(
        model=envelope["model"], texts=_texts(envelope.get("input")), dimensions=wanted
    )


def decode_embeddings(body: object, *, model: str) -> VectorRequest:
    """Read the JSON body of a request to /api/embeddings: one text; see `decode_embed`."""
    envelope = _envelope(body, model)
    text = envelope.get("prompt", "")
    return VectorRequest(model=envelope["model"], texts=_checked([text], "prompt") if text else ())


def embed_answer(
    model: str, vectors: Sequence[bytes], *, tokens: int, duration_ns: int
) -> dict[str, Any]:
    """The answer of /api/embed.

    Args:
        model: the model's name as the client wrote it.
        vectors: each as float32 in little-endian order.
        tokens: how many tokens were read.
        duration_ns: how long it took.
    """
    return {
        "model": model,
        "embeddings": [_numbers(vector) for vector in vectors],
        "total_duration": duration_ns,
        "load_duration": 0,
        "prompt_eval_count": tokens,
    }


def embeddings_answer(vectors: Sequence[bytes]) -> dict[str, Any]:
    """The answer of /api/embeddings: one vector; an empty one for an empty text."""
    return {"embedding": _numbers(vectors[0]) if vectors else []}


def _envelope(body: object, model: str) -> dict[str, Any]:
    envelope = read_envelope(EMBED_ENVELOPE, body)
    if bot_name(envelope["model"]) != model:
        raise ClientError(
            ErrorKind.NOT_FOUND,
            f"There is no embedding model {shown(envelope['model'])} here; "
            f"the one there is is '{model}'.",
            param="model",
        )
    return envelope


def _texts(value: object) -> tuple[str, ...]:
    """One text or several; none only load the model."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return _checked([value], "input")
    texts = enumerate(an_array(value, "input", MAX_INPUTS))
    return _checked([a_text(text, f"input[{index}]") for index, text in texts], "input")


def _checked(texts: list[str], param: str) -> tuple[str, ...]:
    for text in texts:
        if len(text) > MAX_CHARS:
            raise wrong(param, f"may hold texts of at most {MAX_CHARS} characters.")
    if sum(map(len, texts)) > MAX_ALL_CHARS:
        raise wrong(param, f"may hold at most {MAX_ALL_CHARS} characters in all.")
    return tuple(texts)


def _numbers(vector: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(vector) // 4}f", vector))
