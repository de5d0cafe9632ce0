"""Every language has every text; a reader gets the one that the browser or the reader asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poeflask.admin import languages
from poeflask.admin.routes import PAGES
from poeflask.settings import Settings

ADMIN = Path(languages.__file__).parent
PLACES = re.compile(r"\{\w+\}")
OTHERS = [language for language in languages.NAMES if language != "en"]


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_missing(language: str) -> None:
    """Nor left over, nor empty, nor left in English where it has words."""
    english, other = languages.texts("en"), languages.texts(language)

    assert list(english) == list(other)
    assert all(other.values())
    assert [] == [name for name in english if not re.search(r"[\u4e00-\u9fff]", other[name])]


@pytest.mark.parametrize("language", OTHERS)
def test_texts_have_the_same_places(language: str) -> None:
    """What a text tells is told in every language."""
    english, other = languages.texts("en"), languages.texts(language)
    wrong = [
        name
        for name, text in english.items()
        if sorted(PLACES.findall(text)) != sorted(PLACES.findall(other[name]))
    ]

    assert [] == wrong


@pytest.mark.parametrize("language", OTHERS)
def test_no_setting_is_explained_that_is_none(language: str) -> None:
    """What a renamed one means would be lost in silence."""
    explained = set(languages.setting_docs(language))

    assert explained
    assert set() == explained - {row.variable for row in Settings.describe()}


def test_the_two_ways_to_write_chinese_are_not_mixed() -> None:
    """Each has letters that the other has not."""
    hant, hans = ("".join(languages.texts(name).values()) for name in ("zh-Hant", "zh-Hans"))

    assert not set("设码请开时间个这为与") & set(hant)
    assert not set("設碼請開時間個這為與") & set(hans)


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    """By a template, a module or a script; names that are put together begin as told."""
    sources = "".join(
        path.read_text("utf-8")
        for pattern in ("templates/**/*.html", "**/*.py", "static/js/*.js")
        for path in ADMIN.glob(pattern)
    )
    built = (
        *("settings.from_", "settings.note_", "entrance.too_", "settings.note_too_"),
        "models.note_",
    )
    unused = [
        name
        for name in languages.texts("en")
        if not name.startswith(built)
        and f'"{name}"' not in sources
        and f'"{name.partition(".script.")[2]}"' not in sources
        and name.removesuffix(".nav") not in {page.name for page in PAGES}
    ]
    templates = "".join(path.read_text("utf-8") for path in ADMIN.glob("templates/**/*.html"))
    asked = re.findall(r"""\bt\(["']([\w.]+)["'][,)]""", templates)

    assert [] == unused
    assert asked
    assert set() == set(asked) - languages.texts("en").keys()


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", [], "en"),
        ("", ["de", "en-GB"], "en"),
        ("", ["zh-TW", "en"], "zh-Hant"),
        ("", ["zh-HK"], "zh-Hant"),
        ("", ["zh-Hant-HK"], "zh-Hant"),
        ("", ["zh-CN"], "zh-Hans"),
        ("", ["zh"], "zh-Hans"),
        ("", ["fr", "ZH_tw"], "zh-Hant"),
        ("zh-Hans", ["en"], "zh-Hans"),
        ("../../etc", ["en"], "en"),
    ],
)
def test_the_language_is_the_readers(cookie: str, accepted: list[str], language: str) -> None:
    """What was chosen before wins; what is no language is nothing."""
    assert language == languages.chosen(cookie, accepted)


def test_what_fills_a_place_is_not_read_again() -> None:
    """No name can bring places of its own; what is not filled stays."""
    shown = languages.text("en", "settings.sessions", count="{other} {0.__class__} %s")

    assert "Logins that go on, this one counted: {other} {0.__class__} %s." == shown
    assert "{count}" in languages.text("en", "settings.sessions")


def test_a_text_that_nobody_wrote_is_a_mistake() -> None:
    """In a template it fails, so that a test sees it."""
    with pytest.raises(KeyError):
        languages.text("en", "settings.no_such_text")


def test_a_script_gets_its_own_texts() -> None:
    """By what follows the common beginning."""
    assert "已複製" == languages.begins("zh-Hant", "frame.script.")["copied"]
