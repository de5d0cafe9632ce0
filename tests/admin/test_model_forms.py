"""What a form changes of a model, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from poeflask.admin.model_forms import PRICES, FormError, choice, parameters, said, written
from poeflask.admin.model_rows import priced
from poeflask.core.override import Override

SAID = Override(
    aliases=("one", "two"),
    hidden=True,
    disabled=False,
    owner="me",
    description="First line.\nSecond line.",
    parameters={"temperature": 0.5, "effort": "high"},
    tools="prompted",
    reasoning="tags",
    buffered=False,
    flags=True,
    fallbacks=("Other",),
    price={"prompt": "0.000003", "image": "0.04"},
    input_modalities=("text", "image"),
    context_tokens=5000,
    max_output_tokens=None,
)


def form_of(override: Override) -> MultiDict[str, str]:
    """The form as a browser sends it if nobody touches it."""
    fields = {
        "alias": "\r\n".join(override.aliases),
        "owner": override.owner or "",
        "description": (override.description or "").replace("\n", "\r\n"),
        "parameters": written(override.parameters).replace("\n", "\r\n"),
        "fallback": "\r\n".join(override.fallbacks),
        "context_tokens": str(override.context_tokens or ""),
        "max_output_tokens": str(override.max_output_tokens or ""),
        "tools": choice(override.tools),
        "reasoning": choice(override.reasoning),
        "buffered": choice(override.buffered),
        "flags": choice(override.flags),
        **{f"price.{name}": priced(name, override.price.get(name)) for name in PRICES},
    }
    fields |= {} if override.hidden else {"shown": "on"}
    fields |= {} if override.disabled else {"enabled": "on"}
    made = MultiDict(fields)
    made.setlist("input", list(override.input_modalities))
    made.setlist("output", list(override.output_modalities))
    return made


@pytest.mark.parametrize("override", [Override(), SAID, Override(disabled=True, buffered=True)])
def test_a_form_that_nobody_touched_changes_nothing(override: Override) -> None:
    """So that what stands in the file stays as it was written."""
    assert {} == said(form_of(override), override)


@pytest.mark.parametrize(
    ("field", "text", "change"),
    [
        ("alias", "one\n two \n\n", {}),
        ("alias", "one\nthree", {"alias": ["one", "three"]}),
        ("alias", "", {"alias": None}),
        ("owner", " you ", {"owner": "you"}),
        ("description", "", {"description": None}),
        ("parameters", '{"effort": "high", "temperature": 0.5}', {}),
        (
            "parameters",
            "temperature=1\nname=a=b",
            {"parameters": {"temperature": 1, "name": "a=b"}},
        ),
        ("fallback", "A\nB", {"fallback": ["A", "B"]}),
        ("tools", "", {"tools": None}),
        ("tools", "native", {"tools": "native"}),
        ("buffered", "yes", {"buffered": True}),
        ("buffered", "", {"buffered": None}),
        ("context_tokens", "7", {"context_tokens": 7}),
        ("price.prompt", "3.00", {}),
        ("price.prompt", "0.1", {"price": {"prompt": "0.0000001", "image": "0.04"}}),
        ("price.prompt", "", {"price": {"image": "0.04"}}),
        ("input", "video", {"input": ["video"]}),
        ("input", "nothing", {"input": None}),
        ("shown", "on", {"hidden": None}),
    ],
)
def test_only_what_is_other_is_said(field: str, text: str, change: dict[str, Any]) -> None:
    """In the words of the file; None leaves a field to Poe again."""
    form = form_of(SAID)
    form[field] = text

    assert change == said(form, SAID)


def test_what_is_not_ticked_is_off() -> None:
    """Browsers send nothing for it."""
    form = form_of(Override())
    del form["enabled"]

    assert {"disabled": True} == said(form, Override())


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("parameters", "{", "models.bad_json"),
        ("parameters", '{"a": NaN}', "models.bad_json"),
        ("parameters", "no sign", "models.bad_json"),
        ("parameters", "=5", "models.bad_json"),
        ("tools", "hammer", "models.bad_choice"),
        ("context_tokens", "-1", "models.bad_count"),
        ("context_tokens", "²", "models.bad_count"),
        ("max_output_tokens", "1" * 5000, "models.bad_count"),
        ("price.prompt", "cheap", "models.bad_price"),
        ("price.prompt", "-1", "models.bad_price"),
        ("price.image", "1e999999", "models.bad_price"),
        ("price.image", "1e-999999", "models.bad_price"),
        ("price.image", "NaN", "models.bad_price"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_field(
    field: str, text: str, sentence: str
) -> None:
    """So that the page can lead there."""
    form = form_of(Override())
    form[field] = text
    with pytest.raises(FormError) as caught:
        said(form, Override())

    assert (sentence, field) == (caught.value.text, caught.value.field)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_parameters_are_read_as_they_are_written(values: dict[str, Any]) -> None:
    """Whatever they are: as lines, or where lines cannot say them as JSON."""
    assert values == parameters(written(values))


def test_parameters_are_written_for_people() -> None:
    """A text needs quotes only where it would be taken for something else."""
    assert "effort=high\ntop_k=5" == written({"effort": "high", "top_k": 5})
    assert '{"top_k":"5"}' == written({"top_k": "5"})
