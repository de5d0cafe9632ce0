"""What is read in less time is what the standard library reads."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from poeflask.core import json_text
from poeflask.core.json_swift import FROM, MAX_DEPTH, TO, may_hold_long_number, read_swiftly

PADDING = b" " * FROM
"""In front of a text it means nothing, and makes it long enough."""


@given(st.text("0123456789 .x", max_size=80), st.integers(0, 20), st.integers(17, 25))
def test_a_long_number_is_noticed_wherever_it_stands(around, at, digits):
    """Also in a text, where it would do no harm."""
    text = (around[:at] + "7" * digits + around[at:]).encode()
    longest = max(
        map(len, text.translate(None, b"").replace(b".", b" ").replace(b"x", b" ").split())
    )

    assert longest < 19 or may_hold_long_number(text)


def test_short_numbers_are_no_long_ones():
    """Dates, prices and times of a conversation."""
    text = json.dumps([12345678901234.5678, "2026-11-22T08:15:30.123456Z", 18 * "1", "x"]).encode()

    assert not may_hold_long_number(text)


_NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
_ODD = st.sampled_from(
    [
        *("-0", "1E400", "1e-400", "NaN", "-Infinity", "01", "1.", "+1", "nul", "1 2", "\ufeff1"),
        *('"\\ud83d"', '"\\ud83d\\ude00"', '"\x7f"', '"\t"', '"\\u0000"', '"\\x"', '"\ud83d"'),
        *("18446744073709551615", "18446744073709551616", "-9223372036854775809"),
        *("[1,]", "{}", '{"a":1,"b":2,"a":[3]}'),
    ]
)
_TEXTS = st.recursive(
    _NUMBERS | _ODD | st.text(max_size=5).map(json.dumps),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda some: f"[{', '.join(some)}]")
        | st.lists(st.tuples(st.text(max_size=2).map(json.dumps), inner), max_size=4).map(
            lambda fields: "{" + ",".join(f"{name}:{value}" for name, value in fields) + "}"
        )
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(_TEXTS)
@example("[" * 2000 + "]" * 2000)
@example("[" * 800 + "]" * 800)
@example("[" * 1020 + "]" * 1020)
@example("9" * 5000)
def test_bytes_stand_for_what_the_text_stands_for(text):
    """Values, their types, the order of fields, and errors; only errors' places move."""
    body = PADDING + text.encode(errors="surrogatepass")

    assert _outcome(lambda: _decoded(body)) == _outcome(lambda: body)


def _decoded(body):
    """As text, which the standard library reads."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise json_text.NotJsonError(f"it is not UTF-8: byte {error.start} is wrong") from error


def _outcome(body):
    try:
        return repr(json_text.read(body()))
    except json_text.NotJsonError as error:
        return str(error)


@pytest.mark.parametrize(
    ("text", "is_sure"),
    [
        (b'{"a": [1, -2.5, "\xc3\xa9", null]}', True),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, True),
        (b"[" * MAX_DEPTH + b"{}" + b"]" * MAX_DEPTH, False),
        (b"12345678901234567890", False),
        (b"[", False),
    ],
)
def test_nearly_everything_is_read_swiftly(text, is_sure):
    """As long as it is neither too deep nor holds too long a number."""
    assert is_sure == read_swiftly(PADDING + text)[1]


@pytest.mark.parametrize("size", [FROM - 1, TO + 1])
def test_short_and_very_long_texts_are_left_alone(size):
    """They would cost more than they gain."""
    assert not read_swiftly(b"{}".ljust(size))[1]
