"""A body with files in it is read as any other, only sooner."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core import json_text
from poeflask.core.json_bulk import LONG, read_around

FILE = "iVBORw0K" * (LONG // 8)
PICTURE = f"data:image/png;base64,{FILE}"


def read_whole(text):
    """How the rest of a body is read; fails where this is not JSON."""
    return json.loads(text)


@pytest.mark.parametrize(
    "value",
    [
        [FILE],
        [FILE, "short", FILE],
        {"a": {"b": [1, {"c": PICTURE}]}, "d": [PICTURE, None, True]},
        {"data": FILE[:-2] + "==", "é": "\ud83d"},
    ],
)
@pytest.mark.parametrize("make", [bytes, bytearray])
@pytest.mark.parametrize("separators", [None, (",", ":")])
def test_files_are_read_around(value, make, separators):
    """Alone, several, and deep inside."""
    body = make(json.dumps(value, separators=separators).encode())

    assert (value, True) == read_around(body, read_whole)


def test_what_is_read_around_is_short():
    """The reader sees none of the files."""
    seen = []
    body = json.dumps([PICTURE, FILE]).encode()
    read_around(body, lambda rest: seen.append(rest) or json.loads(rest))

    assert len(seen[0]) < 20


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        json.dumps({"html": f'<img src="{PICTURE}"> é'}).encode(),
        json.dumps({"html": f'the picture: "{PICTURE}'}).encode(),
        json.dumps(["x" * LONG + "!"]).encode(),
        json.dumps(["é" * LONG]).encode(),
        json.dumps({FILE: 1}).encode(),
        f'{{"a": "{FILE}", "a": 1}}'.encode(),
        json.dumps([FILE, "\x7f"]).encode(),
        f'["{FILE}", "\\u007F0\\u007F"]'.encode(),
        f'["{FILE}"'.encode(),
        f'["{FILE}" 1]'.encode(),
        FILE.encode(),
        f'"a"{FILE}"b"'.encode(),
        f'"{FILE}'.encode(),
        f'["{FILE}", "\udcff"]'.encode(errors="surrogateescape"),
        f'["{FILE}\\n"]'.encode(),
        f'["{FILE}\n"]'.encode(),
    ],
)
def test_other_bodies_are_left_to_the_reader(body):
    """No file in them, or none that can be put back for sure, or no JSON."""
    assert not read_around(body, read_whole)[1]


_LONG_TEXTS = st.sampled_from(
    [FILE, PICTURE, FILE + "=", "x" * LONG + " ", f"{FILE}\x7f", "\x7f0\x7f"]
)
_VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5) | _LONG_TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | _LONG_TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)
_SPOILT = st.sampled_from(
    [("", ""), ('"', "'"), ("A", '"'), ("=", "\\"), ("i", "\\u0069"), ("}", "")]
)


@settings(deadline=None, max_examples=60)
@given(_VALUES, _SPOILT, st.booleans())
def test_the_value_is_the_same_as_without(value, spoilt, ascii_only):
    """Or the reason why there is none."""
    text = json.dumps(value, ensure_ascii=ascii_only).replace(*spoilt, 1)
    body = text.encode(errors="surrogatepass")

    assert _outcome(_whole_body, body) == _outcome(json_text.read, body)


def _whole_body(body):
    """What the body says as text, in which nothing is looked for."""
    try:
        return json_text.read(body.decode())
    except UnicodeDecodeError as error:
        raise json_text.NotJsonError(f"it is not UTF-8: byte {error.start} is wrong") from error


def _outcome(read, body):
    """The value with its types, in the order of its fields; or the error."""
    try:
        return repr(read(body))
    except json_text.NotJsonError as error:
        return str(error)
