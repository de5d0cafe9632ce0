"""The shipped vocabulary is the one that tiktoken demands, and needs no network."""

from __future__ import annotations

import pickle
import socket
from importlib.resources import files

import pytest
import tiktoken_ext.openai_public

from poeflask.vocabulary import o200k


def test_the_encoding_counts_as_published(monkeypatch):
    """Known tokens of known texts, with every way to the network closed."""
    monkeypatch.setattr(socket, "socket", None)
    encoding = o200k.load()

    assert [83, 8251, 2488, 382, 2212, 0] == encoding.encode_ordinary("tiktoken is great!")
    assert [177519, 979, 28428] == encoding.encode_ordinary("你好，世界")
    assert 200_019 == encoding.n_vocab


def test_the_ranks_are_not_kept_twice():
    """What the encoding holds beside tiktoken's own tables is small."""
    assert len(pickle.dumps(o200k.load())) < 1000


def test_pattern_and_special_tokens_are_tiktokens(monkeypatch):
    """What stands in this project is what tiktoken publishes, hash included."""
    asked = {}
    monkeypatch.setattr(
        tiktoken_ext.openai_public,
        "load_tiktoken_bpe",
        lambda _url, expected_hash: asked.setdefault("sha256", expected_hash) and {},
    )
    published = tiktoken_ext.openai_public.o200k_base()

    assert o200k.PATTERN == published["pat_str"]
    assert o200k.SPECIAL == published["special_tokens"]
    assert o200k.SHA256 == asked["sha256"]


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    """Neither damage nor another vocabulary goes unnoticed."""
    with pytest.raises(o200k.VocabularyError, match="SHA-256"):
        o200k.check(b"IQ== 0\n")

    compressed = files("poeflask.vocabulary").joinpath(o200k.FILE).read_bytes()
    tmp_path.joinpath(o200k.FILE).write_bytes(compressed[:1000])
    monkeypatch.setattr(o200k, "files", lambda _package: tmp_path)
    with pytest.raises(o200k.VocabularyError, match="damaged"):
        o200k.load()


def test_lines_become_ranks():
    """Each line is a token in base64 and its rank."""
    assert {b"!": 0, b" a": 7} == o200k.read(b"IQ== 0\nIGE= 7\n")
