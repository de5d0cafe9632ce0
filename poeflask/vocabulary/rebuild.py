"""Makes the compressed vocabularies from the npm package `tiktoken` (1.0.22, MIT).

    npm pack tiktoken@1.0.22
    tar -xzf tiktoken-1.0.22.tgz package/encoders
    python -m poeflask.vocabulary.rebuild package/encoders/o200k_base.json
    python -m poeflask.vocabulary.rebuild package/encoders/cl100k_base.json

That package keeps the tokens in lines "! first_rank base64 base64 ...". Written one to a line they
are, byte for byte, the file that tiktoken fetches; its hash is checked before anything is kept.
"""

from __future__ import annotations

import lzma
import sys
from pathlib import Path

from poeflask.core import json_text
from poeflask.vocabulary import cl100k, o200k


def ranks(bpe_ranks: str) -> bytes:
    """The original file from the package's lines."""
    tokens: dict[int, str] = {}
    for line in bpe_ranks.splitlines():
        _, first, *names = line.split(" ")
        tokens.update(enumerate(names, int(first)))
    return "".join(f"{tokens[rank]} {rank}\n" for rank in sorted(tokens)).encode()


def original(source: bytes) -> bytes:
    """The file that tiktoken fetches, from the package's JSON file.

    Raises:
        o200k.VocabularyError: the file does not hold the vocabulary that tiktoken demands, or
            another pattern or other special tokens than `o200k` knows.
    """
    described = json_text.read(source)
    if described["pat_str"] != o200k.PATTERN or described["special_tokens"] != o200k.SPECIAL:
        raise o200k.VocabularyError(
            "The pattern or the special tokens differ from those in poeflask/vocabulary/o200k.py."
        )
    whole = ranks(described["bpe_ranks"])
    o200k.check(whole)
    return whole


def original_cl100k(source: bytes) -> bytes:
    """The same for the vocabulary that is only read backwards and needs no pattern.

    Raises:
        o200k.VocabularyError: the file does not hold the vocabulary that tiktoken demands.
    """
    whole = ranks(json_text.read(source)["bpe_ranks"])
    cl100k.check(whole)
    return whole


_BY_NAME = {o200k.NAME: (original, o200k.FILE), cl100k.NAME: (original_cl100k, cl100k.FILE)}


def main(arguments: list[str]) -> None:
    """Read the JSON file that the one argument names; write the vocabulary beside this module."""
    if len(arguments) != 1 or Path(arguments[0]).stem not in _BY_NAME:
        sys.exit("usage: python -m poeflask.vocabulary.rebuild PATH_TO_o200k_base.json")
    source = Path(arguments[0])
    make, file = _BY_NAME[source.stem]
    Path(__file__).with_name(file).write_bytes(lzma.compress(make(source.read_bytes())))


if __name__ == "__main__":
    main(sys.argv[1:])
