"""The form of a gateway key is read whole, and its first fault is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from poeflask.admin.key_forms import EXPIRIES, LIMIT_TEXTS, PRESETS, FormFaultError, read
from poeflask.core.gateway_key import LIMITS, GatewayKey

NOW_S = 1_795_000_000.0


def form(*pairs: tuple[str, str], name: str = "Anna") -> MultiDict[str, str]:
    """What a browser sends."""
    return MultiDict([("name", name), *pairs])


def test_an_empty_form_is_a_key_without_limits() -> None:
    """All is said, so that an edit takes away what was emptied; the expiry alone stays."""
    said = read(form(), NOW_S)

    assert {"name": "Anna", "models": [], "recorded": False, **dict.fromkeys(LIMITS)} == said


def test_models_are_chips_and_what_is_still_in_the_field() -> None:
    """Commas part them, blanks go, and each is there once."""
    said = read(form(("models", "Echo"), ("models", " @cheap, Echo ,Claude-* ")), NOW_S)

    assert ["Echo", "@cheap", "Claude-*"] == said["models"]


@pytest.mark.parametrize("text", ["20000", "20,000", "20 000", " 20_000 ", "20\u202f000"])
def test_numbers_are_read_as_people_write_them(text: str) -> None:
    """With whatever stands between thousands."""
    assert 20_000 == read(form(("points_per_day", text)), NOW_S)["points_per_day"]


@pytest.mark.parametrize(
    ("pairs", "expires_s"),
    [
        ([("expiry", "never")], None),
        ([("expiry", "30d")], NOW_S + 30 * 86_400),
        ([("expiry", "on"), ("expires_on", "2027-01-31")], 1_801_353_600.0),
    ],
)
def test_the_end_is_chosen_or_a_day(pairs: list[tuple[str, str]], expires_s: float | None) -> None:
    """A day begins at midnight UTC."""
    assert expires_s == read(form(*pairs), NOW_S)["expires_s"]


@pytest.mark.parametrize(
    ("pairs", "name", "fault"),
    [
        ([], " ", ("name", "keys.fault_name")),
        ([], "x" * 101, ("name", "keys.fault_name")),
        ([], "two\nlines", ("name", "keys.fault_name")),
        ([], "turned \u202e round", ("name", "keys.fault_name")),
        ([("models", "x" * 101)], "Anna", ("models", "keys.fault_models")),
        ([("models", ",".join(map(str, range(201))))], "Anna", ("models", "keys.fault_models")),
        ([("concurrent", "0")], "Anna", ("concurrent", "keys.fault_number")),
        ([("concurrent", "-1")], "Anna", ("concurrent", "keys.fault_number")),
        ([("concurrent", "1.5")], "Anna", ("concurrent", "keys.fault_number")),
        ([("concurrent", "٣")], "Anna", ("concurrent", "keys.fault_number")),
        (
            [("tokens_per_day", "1" + "0" * 12 + "1")],
            "Anna",
            ("tokens_per_day", "keys.fault_number"),
        ),
        ([("expiry", "on")], "Anna", ("expires_on", "keys.fault_day")),
        (
            [("expiry", "on"), ("expires_on", "2001-01-01")],
            "Anna",
            ("expires_on", "keys.fault_day"),
        ),
        ([("expiry", "tomorrow")], "Anna", ("expires_on", "keys.fault_day")),
    ],
)
def test_a_fault_names_its_field(
    pairs: list[tuple[str, str]], name: str, fault: tuple[str, str]
) -> None:
    """So that the page can lead to it, in the reader's language."""
    with pytest.raises(FormFaultError) as caught:
        read(form(*pairs, name=name), NOW_S)

    assert fault == (caught.value.field, caught.value.text)


@given(
    st.dictionaries(st.sampled_from(["name", "models", "expiry", "expires_on", *LIMITS]), st.text())
)
def test_whatever_is_read_can_be_kept(fields: dict[str, str]) -> None:
    """The form lets nothing through that a key refuses."""
    try:
        said = read(MultiDict(fields), NOW_S)
    except FormFaultError:
        return
    key = GatewayKey(id="0", name="", created_s=0.0).changed(said)

    assert said["name"] == key.name


def test_every_limit_has_a_field_and_every_preset_fills_fields() -> None:
    """A preset is taken as if it had been typed."""
    assert set(LIMITS) == set(LIMIT_TEXTS)
    for _, fields in PRESETS:
        pairs = [(name, str(value)) for name, value in fields.items()]
        said = read(form(*pairs), NOW_S)

        assert fields["expiry"] in EXPIRIES
        assert all(said[name] == fields[name] for name in LIMITS if name in fields)
