"""The vocabulary can be made again from the npm package, and from nothing else."""

from __future__ import annotations

import lzma
from importlib.resources import files

import pytest

from poeflask.core import json_text
from poeflask.vocabulary import cl100k, o200k, rebuild

SHIPPED = lzma.decompress(files("poeflask.vocabulary").joinpath(o200k.FILE).read_bytes())


def package(bpe_ranks, **changes):
    """The package's JSON file."""
    described = {"pat_str": o200k.PATTERN, "special_tokens": o200k.SPECIAL, "bpe_ranks": bpe_ranks}
    return json_text.write({**described, **changes}).encode()


def as_package_lines(ranks):
    """The original file as the package keeps it: runs of ranks, 1000 to a line."""
    tokens = [line.split() for line in ranks.decode().splitlines()]
    runs = [tokens[at : at + 1000] for at in range(0, len(tokens), 1000)]
    return "\n".join(
        " ".join(["!", run[0][1], *(token for token, rank in run)])
        for run in runs
        if int(run[-1][1]) - int(run[0][1]) == len(run) - 1
    )


def test_lines_are_put_in_order_of_rank():
    """A line names its first rank; lines may come in any order."""
    assert b"IQ== 0\nIg== 1\nIw== 5\n" == rebuild.ranks("! 5 Iw==\n! 0 IQ== Ig==")


def test_the_original_file_is_rebuilt():
    """Byte for byte, so that its hash holds."""
    lines = as_package_lines(SHIPPED)

    assert SHIPPED == rebuild.original(package(lines))


def test_the_other_file_is_rebuilt_too():
    """By its own hash; another one is refused."""
    shipped = lzma.decompress(files("poeflask.vocabulary").joinpath(cl100k.FILE).read_bytes())

    assert shipped == rebuild.original_cl100k(package(as_package_lines(shipped)))
    with pytest.raises(o200k.VocabularyError, match="SHA-256"):
        rebuild.original_cl100k(package("! 0 IQ=="))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "SHA-256"),
        ({"pat_str": ".*"}, "pattern"),
        ({"special_tokens": {}}, "special tokens"),
    ],
)
def test_another_vocabulary_is_refused(changes, sentence):
    """Nothing is written that the loader would not take."""
    with pytest.raises(o200k.VocabularyError, match=sentence):
        rebuild.original(package("! 0 IQ==", **changes))


def test_without_a_path_it_says_how_it_is_used():
    """One argument is needed, and it must name one of the two."""
    for arguments in ([], ["a", "b"], ["p50k_base.json"]):
        with pytest.raises(SystemExit, match=r"usage: python -m poeflask\.vocabulary\.rebuild"):
            rebuild.main(arguments)
