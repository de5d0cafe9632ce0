"""Base64 is what the standard library's strict reader takes, and nothing else."""

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.base64_text import decoded, is_base64

_NEARLY = st.text(st.sampled_from("ABab09+/=-_ \né"), max_size=12)


@given(_NEARLY | st.binary().map(lambda content: base64.b64encode(content).decode()))
def test_the_strict_reader_of_the_library_agrees(text):
    """Of every text: what it stands for, or that it is no base64."""
    try:
        expected = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - the library has many words for it
            decoded(text)
        return

    assert expected == decoded(text)


def test_bits_that_mean_nothing_are_passed_over():
    """Some clients' encoders leave them set."""
    assert b"i\xb6" == decoded("abb=")


@given(_NEARLY.map(str.encode))
def test_what_is_called_base64_can_be_decoded(text):
    """And holds nothing but the letters of base64."""
    if is_base64(memoryview(text)):
        assert base64.b64decode(text, validate=True) == decoded(text.decode())


@pytest.mark.parametrize("place", [0, 300_000, 400_000 - 1])
def test_one_wrong_letter_is_enough(place):
    """Wherever it stands in a long text."""
    text = bytearray(b"A" * 400_000)
    whole = is_base64(memoryview(text))
    text[place] = ord('"')

    assert (True, False) == (whole, is_base64(memoryview(text)))


def test_padding_ends_a_text():
    """Also where the text is looked at in pieces."""
    text = b"A" * (1 << 18)

    assert is_base64(memoryview(text + b"AA=="))
    assert not is_base64(memoryview(text[:-1] + b"=" + b"AAAA"))
