"""The vocabulary o200k_base, shipped with poeflask: read without network, checked before use.

tiktoken would fetch it from the network when it is first needed. The file beside this module is
the very file it would fetch, compressed; `rebuild.py` tells how it is made.
"""

from __future__ import annotations

import hashlib
import lzma
from binascii import a2b_base64
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

NAME = "o200k_base"
FILE = f"{NAME}.tiktoken.xz"

SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
"""Of the file when it is not compressed; the hash that tiktoken itself demands."""

PATTERN = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""How a text is divided before bytes are joined to tokens; from tiktoken_ext/openai_public.py."""

SPECIAL = {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}


class VocabularyError(ValueError):
    """The file is not the vocabulary that it should be."""


def load() -> Encoding:
    """The encoding, to encode and decode with; no copy can be made of it.

    Takes about half a second and 50 MB: load it once, outside of a request.

    Raises:
        VocabularyError: the file was changed.
    """
    from tiktoken import Encoding

    ranks = _checked_ranks()
    encoding = Encoding(NAME, pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=SPECIAL)
    # tiktoken keeps what it made its own tables from, another 26 MB, only for copies.
    ranks.clear()
    return encoding


def _checked_ranks() -> dict[bytes, int]:
    compressed = files(__package__).joinpath(FILE).read_bytes()
    try:
        ranks = lzma.decompress(compressed)
    except lzma.LZMAError as error:
        raise VocabularyError(f"{FILE} is damaged; install poeflask anew.") from error
    check(ranks)
    return read(ranks)


def check(ranks: bytes) -> None:
    """Compare the file with the hash that tiktoken demands.

    Raises:
        VocabularyError: it is another file.
    """
    found = hashlib.sha256(ranks).hexdigest()
    if found != SHA256:
        raise VocabularyError(f"The vocabulary has SHA-256 {found}; it should be {SHA256}.")


def read(ranks: bytes) -> dict[bytes, int]:
    """From each token's bytes to its rank; a line of the file is "base64 rank"."""
    words = ranks.split()
    return dict(zip(map(a2b_base64, words[::2]), map(int, words[1::2]), strict=True))
