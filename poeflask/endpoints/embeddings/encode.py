"""Vectors as OpenAI's list of embeddings. Pure."""

from __future__ import annotations

import struct
from binascii import b2a_base64
from collections.abc import Sequence
from typing import Any


def embedding_list(
    model: str, vectors: Sequence[bytes], tokens: int, *, base64: bool
) -> dict[str, Any]:
    """The list object.

    Args:
        model: the name of the model that made the vectors.
        vectors: each as float32 in little-endian order.
        tokens: how many tokens were read.
        base64: whether a vector is written as base64 of its bytes, and not as numbers.
    """
    write = _as_base64 if base64 else _as_numbers
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": write(vector)}
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _as_base64(vector: bytes) -> str:
    return b2a_base64(vector, newline=False).decode("ascii")


def _as_numbers(vector: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(vector) // 4}f", vector))
