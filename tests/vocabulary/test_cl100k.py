"""The shipped vocabulary is the one that tiktoken demands, and is read backwards."""

from __future__ import annotations

from importlib.resources import files

import pytest
import tiktoken_ext.openai_public

from poeflask.vocabulary import cl100k
from poeflask.vocabulary.o200k import VocabularyError


@pytest.fixture(scope="module")
def vocabulary():
    """The shipped one."""
    return cl100k.load()


def test_known_tokens_are_known_texts(vocabulary):
    """As published; what looks like a special token is its name."""
    assert "tiktoken is great!" == cl100k.text_of([83, 1609, 5963, 374, 2294, 0], vocabulary)
    assert "hello world<|endoftext|>" == cl100k.text_of([15339, 1917, 100257], vocabulary)
    assert 100_261 == len(vocabulary)


def test_half_a_character_does_no_harm(vocabulary):
    """Chunks of tokens may begin and end anywhere."""
    assert "\ufffd" == cl100k.text_of([160], vocabulary)


def test_an_unknown_id_is_told(vocabulary):
    """It belongs to another vocabulary."""
    with pytest.raises(KeyError):
        cl100k.text_of([199_999], vocabulary)


def test_hash_and_special_tokens_are_tiktokens(monkeypatch):
    """What stands in this project is what tiktoken publishes."""
    asked = {}
    monkeypatch.setattr(
        tiktoken_ext.openai_public,
        "load_tiktoken_bpe",
        lambda _url, expected_hash: asked.setdefault("sha256", expected_hash) and {},
    )
    published = tiktoken_ext.openai_public.cl100k_base()

    assert cl100k.SPECIAL == published["special_tokens"]
    assert cl100k.SHA256 == asked["sha256"]


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    """Neither damage nor another vocabulary goes unnoticed."""
    with pytest.raises(VocabularyError, match="SHA-256"):
        cl100k.check(b"IQ== 0\n")

    compressed = files("poeflask.vocabulary").joinpath(cl100k.FILE).read_bytes()
    tmp_path.joinpath(cl100k.FILE).write_bytes(compressed[:1000])
    monkeypatch.setattr(cl100k, "files", lambda _package: tmp_path)
    with pytest.raises(VocabularyError, match="damaged"):
        cl100k.load()
