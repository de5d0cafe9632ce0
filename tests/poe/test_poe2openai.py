"""poe2openai's models.yaml, read as it is."""

from __future__ import annotations

import pytest

from poeflask.core.override import Override
from poeflask.poe.overrides import OverridesError, plain, read

# As its page for administrators saves it.
SAVED = """\
enable: true
models:
  gpt-4o:
    mapping: GPT4
  claude-sonnet-4.5:
    mapping: Claude-Sonnet-4.5
  imagen-3:
    replace_response: true
  gpt-3.5-turbo:
    enable: false
  my-bot:
    replace_response: true
  nothing: {}
custom_models:
- id: My-Bot
  created: 1700000000
  owned_by: me
- id: Other
  created: null
  owned_by: null
api_token: sk-canary-4711
use_v1_api: true
"""


def test_each_field_becomes_poeflasks():
    """A mapping is the only name, a switch refuses, replaced answers are waited for."""
    said = read(SAVED)

    assert {
        "My-Bot": Override(custom=True, owner="me", created_s=1700000000, buffered=True),
        "Other": Override(custom=True),
        "gpt-4o": Override(aliases=("GPT4",), hidden=True),
        "imagen-3": Override(buffered=True),
        "gpt-3.5-turbo": Override(disabled=True),
    } == said.bots
    assert said.is_foreign


@pytest.mark.parametrize("switch", ["enable: false", "enable: null", "use_v1_api: false"])
def test_while_it_is_not_enabled_only_answers_are_treated(switch):
    """As there: names and lists are Poe's, but what rewrites itself still does."""
    said = read(SAVED.replace("enable: true", switch, 1).replace("\nuse_v1_api: true", ""))

    assert {"imagen-3": Override(buffered=True), "my-bot": Override(buffered=True)} == said.bots


@pytest.mark.parametrize(
    "text", ["enable: true", "models: {a: {mapping: }}", "custom_models: []", "api_token: x"]
)
def test_one_field_of_its_own_is_enough(text):
    """No file of poeflask's has it."""
    assert read(text).is_foreign
    assert {} == plain(text)


@pytest.mark.parametrize("text", ["", "models: {a: {hidden: true}}", "models: {a: }", "groups: {}"])
def test_poeflasks_own_files_are_not_taken_for_it(text):
    """They have none of its fields."""
    assert not read(text).is_foreign


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("enable: 3", "enable: must be true or false."),
        ("enable: true\nmodels: {a: {hidden: true}}", "models.a.hidden: there is no such field in"),
        ("enable: true\ngroups: {}", "groups: there is no such field in a file of poe2openai's"),
        ("enable: true\nmodels: {a: 3}", "models.a: must be a table"),
        ("custom_models: [{created: 1}]", "custom_models.0.id: Missing"),
        ("enable: true\nmodels: {a: {mapping: b}, c: {mapping: B}}", "'B' is also an alias of a"),
        ("enable: true\nmodels: {a: {mapping: 5}}", "models.a.mapping: must be a text."),
        ("api_token: [sk-canary-4711]", "api_token: must be a text."),
    ],
)
def test_what_it_would_not_take_is_refused(text, sentence):
    """With its own words for the place, and never with the token."""
    with pytest.raises(OverridesError) as caught:
        read(text)

    assert sentence in str(caught.value)
    assert "canary" not in str(caught.value)


def test_the_token_is_left_behind():
    """It is of no use here."""
    assert "canary" not in repr(read(SAVED)) + repr(plain(SAVED))
