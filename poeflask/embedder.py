"""Texts as vectors, by a small model that runs here; it comes with an optional extra.

The model is wordllama's: an average of static vectors of tokens, fast and good enough to search
with, no match for a large model. It is loaded from the installed package, never from the network.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poeflask.core.errors import ClientError, ErrorKind, OwnError
from poeflask.vocabulary import cl100k

MODEL = "wordllama-256"
DIMENSIONS = 256

_BATCH = 64

Input = str | tuple[int, ...]
"""A text, or the ids of its tokens in the vocabulary cl100k_base."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of length 1, each as float32 in little-endian order, and what they cost."""

    vectors: tuple[bytes, ...]
    tokens: int


class Embedder:
    """Makes vectors. Computes for as long as it takes, so call it beside the event loop.

    Args:
        load_model: gives wordllama's model; called when the first text comes.
        load_vocabulary: gives the vocabulary of token ids; called when the first ids come.
    """

    def __init__(
        self,
        load_model: Callable[[], Any] | None = None,
        load_vocabulary: Callable[[], Mapping[int, bytes]] = cl100k.load,
    ) -> None:
        self._load_model = load_model or load
        self._load_vocabulary = load_vocabulary
        # Two threads may load at the same time: that costs a second once and does no harm.
        self._model: Any = None
        self._vocabulary: Mapping[int, bytes] | None = None

    def embed(self, inputs: Sequence[Input], dimensions: int = DIMENSIONS) -> Embedded:
        """The vectors of the inputs, in their order.

        Args:
            inputs: texts or token ids.
            dimensions: how many numbers a vector has; the first ones say the most, so the rest is
                cut off.

        Raises:
            OwnError: kind NOT_OFFERED, if the extra is not installed.
            ClientError: token ids are of another vocabulary.
        """
        if self._model is None:
            self._model = self._load_model()
        texts = [self._text(one, place) for place, one in enumerate(inputs)]
        ids = [
            encoded.ids
            for start in range(0, len(texts), _BATCH)
            for encoded in self._model.tokenizer.encode_batch(
                texts[start : start + _BATCH], add_special_tokens=False
            )
        ]
        table = self._model.embedding
        vectors = tuple(_vector(table, tokens, dimensions) for tokens in ids)
        return Embedded(vectors, sum(map(len, ids)))

    def _text(self, one: Input, place: int) -> str:
        if isinstance(one, str):
            # The tokenizer takes no halves of surrogate pairs.
            return one.encode("utf-8", "replace").decode("utf-8")
        if self._vocabulary is None:
            self._vocabulary = self._load_vocabulary()
        try:
            return cl100k.text_of(one, self._vocabulary)
        except KeyError as error:
            raise ClientError(
                ErrorKind.INVALID_REQUEST,
                f"'input[{place}]' holds the token id {error.args[0]}, which {cl100k.NAME} does "
                "not have; send the text itself.",
                param="input",
            ) from error


def load() -> Any:
    """Wordllama's model, from the installed package.

    Raises:
        OwnError: kind NOT_OFFERED, if it is not installed.
    """
    try:
        wordllama = importlib.import_module("wordllama")
    except ModuleNotFoundError as error:
        raise OwnError(
            ErrorKind.NOT_OFFERED,
            "Embeddings are not set up here. Whoever runs this server installs them with: "
            "pip install 'poeflask[embeddings]'",
        ) from error
    # The package looks for its tokenizer in the wrong folder, and then on the network.
    folder = Path(str(wordllama.__file__)).parent
    model = wordllama.WordLlama.load(dim=DIMENSIONS, cache_dir=folder, disable_download=True)
    # Filling up short texts to the longest of their batch would cost what that one costs for each.
    model.tokenizer.no_padding()
    return model


def _vector(table: Any, tokens: Sequence[int], dimensions: int) -> bytes:
    """The average of the tokens' vectors, cut and of length 1; zeros if there are no tokens."""
    if not tokens:
        return struct.pack(f"<{dimensions}f", *[0.0] * dimensions)
    mean = table[tokens, :dimensions].mean(axis=0)
    length = float(mean @ mean) ** 0.5
    vector: bytes = (mean / (length or 1.0)).astype("<f4").tobytes()
    return vector
