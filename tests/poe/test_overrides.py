"""The owner's word on a bot."""

from __future__ import annotations

import pytest

from poeflask.core.profile import Profile
from poeflask.poe.overrides import Override, OverridesError, read

FULL = """
models:
  Claude-Sonnet-4.5:
    tools: prompted
    reasoning: tags
    buffered: true
    flags: false
  Echo: {}
"""


def test_a_file_says_what_differs():
    """Each bot has what is said of it; the rest is left as it is."""
    said = read(FULL)

    assert (
        Override(tools="prompted", reasoning="tags", buffered=True, flags=False)
        == said["claude-sonnet-4.5"]
    )
    assert Override() == said["echo"]


def test_an_override_changes_the_profile_and_nothing_else():
    """What the owner does not speak of stays Poe's."""
    profile = Profile(bot="B", native_tools=True, context_tokens=7)
    got = Override(tools="prompted", buffered=True).applied(profile)

    assert (
        Profile(bot="B", native_tools=True, context_tokens=7, tools_mode="prompted", buffered=True)
        == got
    )
    assert profile == Override().applied(profile)


@pytest.mark.parametrize("text", ["", "# nothing\n", "models:\n", "models: {}\n"])
def test_an_empty_file_says_nothing(text):
    """A file that was just made is no fault."""
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("models: 3", "models"),
        ("- a", "models:"),
        ("other: 1", "other"),
        ("models:\n  a: {tools: some}", "models.a.tools"),
        ("models:\n  a: {zap: 1}", "models.a.zap"),
        ("models:\n  a: {buffered: 'yes'}", "models.a.buffered"),
        ("models:\n  a: {buffered: 1}", "models.a.buffered"),
        ("models:\n  a: [", "no YAML"),
        ("models: !!python/object/apply:os.getcwd []", "no YAML"),
    ],
)
def test_a_wrong_file_is_told_where_it_is_wrong(text, word):
    """The sentence names the place."""
    with pytest.raises(OverridesError, match=word):
        read(text)
