"""The vocabulary cl100k_base, shipped with poeflask: only to turn token ids back into text.

Clients that send token ids for embeddings made them with this vocabulary: it is the one of OpenAI's
embedding models, and what they fall back to for names they do not know. The file beside this module
is the very file that tiktoken would fetch, compressed; `rebuild.py` tells how it is made.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterable, Mapping
from importlib.resources import files

from poeflask.vocabulary.o200k import VocabularyError, read

NAME = "cl100k_base"
FILE = f"{NAME}.tiktoken.xz"

SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
"""Of the file when it is not compressed; the hash that tiktoken itself demands."""

SPECIAL = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}


def load() -> dict[int, bytes]:
    """From each token's id to its bytes. Takes a tenth of a second and 15 MB: load it once.

    Raises:
        VocabularyError: the file was changed.
    """
    compressed = files(__package__).joinpath(FILE).read_bytes()
    try:
        ranks = lzma.decompress(compressed)
    except lzma.LZMAError as error:
        raise VocabularyError(f"{FILE} is damaged; install poeflask anew.") from error
    check(ranks)
    tokens = {rank: token for token, rank in read(ranks).items()}
    return tokens | {rank: name.encode() for name, rank in SPECIAL.items()}


def check(ranks: bytes) -> None:
    """Compare the file with the hash that tiktoken demands.

    Raises:
        VocabularyError: it is another file.
    """
    found = hashlib.sha256(ranks).hexdigest()
    if found != SHA256:
        raise VocabularyError(f"The vocabulary has SHA-256 {found}; it should be {SHA256}.")


def text_of(tokens: Iterable[int], vocabulary: Mapping[int, bytes]) -> str:
    """The text that the ids stand for; half a character becomes a mark of its absence.

    Raises:
        KeyError: an id that the vocabulary does not hold.
    """
    return b"".join(vocabulary[token] for token in tokens).decode("utf-8", "replace")
