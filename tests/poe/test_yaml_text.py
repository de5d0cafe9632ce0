"""YAML read strictly and edited gently."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from poeflask.poe.yaml_text import MAX_BYTES, YamlError, edited, read, written

HANDMADE = """\
# What we know better.
models:
  # The best one.
  Claude:
    tools: prompted  # native ones stay silent
    alias:
      - a
      - b
  Echo: {hidden: true}
  Old:

# Groups follow.
groups:
  cheap: [Echo]  # nearly free
"""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: [", "line"),
        ("a: 1\na: 2", "line 2: 'a' stands twice"),
        ("m: {x: {}, x: {}}", "line 1: 'x' stands twice"),
        ("a: &n [1]\nb: *n", "names for nodes"),
        ("a: &n 1", "names for nodes"),
        ("a: {<<: {b: 1}}", "'<<' is not understood"),
        ("? [a]\n: 1", "must be a text"),
        ("a: !!python/object/apply:os.getcwd []", "no YAML"),
        ("[" * 100 + "]" * 100, "nested too deeply"),
        ("a: 2024-99-99", "quote it"),
        ("a: \x00", "characters that no text has"),
        ("a: \ud800", "characters that no text has"),
        ("a: 1\n---\nb: 2", "no YAML"),
        ("#" * (MAX_BYTES + 1), "larger than 1024 kB"),
    ],
)
def test_what_plain_values_do_not_need_is_refused(text, word):
    """The sentence names the place."""
    with pytest.raises(YamlError, match=word):
        read(text)


def test_a_small_text_cannot_become_huge():
    """Names that repeat names are refused before anything is made of them."""
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
    )
    began = time.monotonic()
    with pytest.raises(YamlError, match="line 1"):
        read(bomb)

    assert time.monotonic() - began < 1


def test_a_fault_shows_nothing_of_the_text():
    """What stands beside a slip may be a secret."""
    with pytest.raises(YamlError) as caught:
        read("api_token: sk-canary-4711\n  models: {")

    assert "canary" not in str(caught.value)


def test_an_edit_leaves_the_rest_as_it_was():
    """Comments, order and the way of writing stay; only what is new is new."""
    wanted = read(HANDMADE)
    wanted["models"]["Claude"] |= {"tools": "native", "buffered": True}
    wanted["models"]["Old"] = {"flags": True}
    wanted["models"]["New"] = {"alias": ["n", "m"]}
    wanted["groups"]["fast"] = ["Claude"]

    assert """\
# What we know better.
models:
  # The best one.
  Claude:
    tools: native  # native ones stay silent
    alias:
      - a
      - b
    buffered: true
  Echo: {hidden: true}
  Old:
    flags: true
  New:
    alias: [n, m]

# Groups follow.
groups:
  cheap: [Echo]  # nearly free
  fast: [Claude]
""" == edited(HANDMADE, wanted)


def test_what_is_taken_away_leaves_no_hole():
    """A bot goes with its fields, a field with its lines."""
    wanted = read(HANDMADE)
    del wanted["models"]["Claude"]["alias"]
    del wanted["models"]["Old"]
    del wanted["groups"]

    assert """\
# What we know better.
models:
  # The best one.
  Claude:
    tools: prompted  # native ones stay silent
  Echo: {hidden: true}

# Groups follow.
""" == edited(HANDMADE, wanted)


@pytest.mark.parametrize("text", ["", "# only words\n", "# only words"])
def test_an_empty_file_is_continued(text):
    """What stood there stays above."""
    made = edited(text, {"models": {"Echo": {"hidden": True}}})

    assert made == (text.rstrip("\n") + "\n").lstrip("\n") + "models:\n  Echo:\n    hidden: true\n"


@pytest.mark.parametrize(
    "text",
    [
        '{"models": {"Echo": {"hidden": false}}}',
        "models: {Echo: {hidden: false}}  # short",
        "models:\r\n  Echo:\r\n    hidden: false\r\n",
        "---\nmodels:\n  Echo:\n    hidden: false\n...\n",
        "%YAML 1.1\n---\nmodels:\n  Echo:\n    hidden: false\n",
        "? models\n: Echo:\n    hidden: false\n",
        "--- {}",
        "--- {models: {Echo: {hidden: false}}}",
        "models:\n    'Echo':\n          hidden:\n            false",
        'models:\n  "Echo": !!map\n    hidden: false\n',
    ],
)
def test_however_it_is_written_it_says_what_is_wanted(text):
    """Where a gentle edit is not possible, the whole is written anew."""
    wanted = {"models": {"Echo": {"hidden": True, "owner": "me"}, "B": {"alias": "b"}}}

    assert wanted == read(edited(text, wanted))


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
names = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=8
)
scalars = st.one_of(
    st.booleans(), st.integers(-(10**9), 10**9), st.floats(0, 1e6, allow_nan=False), texts
)
values = st.one_of(
    scalars, st.lists(scalars, max_size=3), st.dictionaries(names, scalars, min_size=1)
)
bots = st.dictionaries(names, values, min_size=1, max_size=3)
wholes = st.fixed_dictionaries(
    {},
    optional={
        "models": st.dictionaries(names, bots, min_size=1, max_size=4),
        "groups": st.dictionaries(names, st.lists(texts, max_size=3), min_size=1, max_size=3),
    },
)


@settings(max_examples=50, deadline=None)
@given(wholes)
def test_what_is_written_reads_back_the_same(whole: dict[str, Any]) -> None:
    """Whatever letters names and values have."""
    assert whole == (read(written(whole)) or {})


styles = st.fixed_dictionaries(
    {},
    optional={
        "default_flow_style": st.booleans() | st.none(),
        "default_style": st.sampled_from(['"', "'", "|", ">"]),
        "width": st.sampled_from([5, 20]),
        "indent": st.sampled_from([4, 8]),
        "explicit_start": st.booleans(),
        "line_break": st.just("\r\n"),
    },
)


@settings(max_examples=60, deadline=None)
@given(wholes, styles, wholes, st.booleans())
def test_an_edited_text_says_what_is_wanted(
    before: dict[str, Any], style: dict[str, Any], wanted: dict[str, Any], together: bool
) -> None:
    """From anything, however it was written, to anything; and what says it already stays."""
    text = yaml.safe_dump(before, **style, allow_unicode=True)
    wanted = before | wanted if together else wanted
    assume(before == (read(text) or {}))
    made = edited(text, wanted)

    assert wanted == (read(made) or {})
    assert made == edited(made, wanted) or not wanted
