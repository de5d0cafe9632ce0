"""Poe's list with the owner's word over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.errors import ClientError, ErrorKind, PoeError
from poeflask.core.profile import Profile
from poeflask.poe import yaml_text
from poeflask.poe.catalogue import Catalogue
from poeflask.poe.models_file import ModelsFile
from poeflask.poe.overrides import OverridesError, read
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace

LISTED = ("Claude-Sonnet-4.5", "GPT-4o", "Painter", "Echo")

Make = Callable[..., ShownCatalogue]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Gives the catalogue that a file's text makes of a list."""

    def make(text: str, listed: tuple[str, ...] = LISTED) -> ShownCatalogue:
        path = tmp_path / "models.yaml"
        path.write_text(text, encoding="utf-8")
        return shown(path, listed)

    return make


def shown(path: Path, listed: tuple[str, ...] = LISTED) -> ShownCatalogue:
    """The catalogue of a file; without a list Poe is away."""

    def fetch() -> list[dict[str, Any]]:
        if not listed:
            raise PoeError(ErrorKind.POE_UNREACHABLE, "away")
        return [{"id": name.lower(), "metadata": {"display_name": name}} for name in listed]

    store = Namespace(MemoryStore(), "catalogue", on_failure="forget")
    catalogue = Catalogue(fetch, store, ttl_s=60, clock=lambda: 1.0, spawn=lambda work: work())
    return ShownCatalogue(catalogue, ModelsFile(path))


def names(catalogue: ShownCatalogue) -> list[str]:
    """What clients see."""
    return [bot.handle for bot in catalogue.bots()]


def test_without_a_file_it_is_poes_list(tmp_path):
    """In Poe's order, and the same value each time."""
    catalogue = shown(tmp_path / "models.yaml")

    assert list(LISTED) == names(catalogue)
    assert catalogue.bots() is catalogue.bots()
    assert "fresh" == catalogue.state()


def test_the_list_is_what_the_owner_makes_of_it(make):
    """Aliases behind their bot, hidden names left out, the owner's own bots at the end."""
    catalogue = make(
        """
        models:
          Mine: {custom: true, alias: my-own}
          gpt-4o: {alias: [b, a]}
          painter: {hidden: true, alias: brush}
          Echo: {disabled: true, alias: e}
          Private: {alias: secret}
        """
    )

    assert ["Claude-Sonnet-4.5", "GPT-4o", "b", "a", "brush", "Mine", "my-own"] == names(catalogue)
    assert [*LISTED, "Mine", "Private"] == [known.bot.handle for known in catalogue.known()]


def test_an_alias_wins_over_poes_name(make):
    """The owner wrote it; no name stands twice in the list, and both lead to the same bot."""
    catalogue = make("models: {Echo: {alias: gpt-4o}}")

    assert ["Claude-Sonnet-4.5", "Painter", "Echo", "gpt-4o"] == names(catalogue)
    assert "Echo" == catalogue.resolve("GPT-4o").handle
    assert "Echo" == {one.bot.handle: one.shadowed_by for one in catalogue.known()}["GPT-4o"]


@pytest.mark.parametrize(
    ("name", "bot"),
    [
        ("BEST", "Claude-Sonnet-4.5"),
        (" best ", "Claude-Sonnet-4.5"),
        ("claude-sonnet-4-5-20250929", "Claude-Sonnet-4.5"),
        ("openai/gpt-4o", "GPT-4o"),
        ("painter", "Painter"),
        ("mine", "Mine"),
        ("secret", "Private"),
        ("private", "Private"),
    ],
)
def test_a_name_means_one_bot(make, name, bot):
    """By alias, by name in any case, and by what another API calls it; hidden ones too."""
    catalogue = make(
        """
        models:
          Claude-Sonnet-4.5: {alias: best}
          Painter: {hidden: true}
          Mine: {custom: true}
          Private: {alias: secret}
        """
    )

    assert bot == catalogue.resolve(name).handle


def test_names_that_nobody_knows_mean_nothing(make):
    """Poe may know them all the same."""
    catalogue = make("models: {Echo: {alias: e}}")

    assert (None, None, None) == (
        catalogue.resolve("who"),
        catalogue.find("who"),
        catalogue.look_up("who"),
    )


@pytest.mark.parametrize("name", ["Claude-Sonnet-4.5", "best", "claude-sonnet-4-5-20250929"])
@pytest.mark.parametrize("listed", [LISTED, ()])
def test_a_disabled_bot_is_refused_by_every_name(make, name, listed):
    """Also while Poe's list is not known, as far as the file names it."""
    catalogue = make("models: {claude-sonnet-4.5: {disabled: true, alias: best}}", listed)
    if not listed and name.endswith("0929"):
        assert catalogue.resolve(name) is None
        return
    for ask in (catalogue.resolve, catalogue.look_up):
        with pytest.raises(ClientError, match="disabled on this server") as caught:
            ask(name)

        assert (ErrorKind.FORBIDDEN, "model") == (caught.value.kind, caught.value.param)


def test_a_model_is_shown_under_the_name_that_was_asked_for(make):
    """With the owner's words; a private bot that is not listed is not described."""
    catalogue = make(
        """
        models:
          Echo: {alias: Parrot, owner: me, description: Repeats., hidden: true}
          Private: {alias: secret}
          Mine: {custom: true, created: 7, output: image}
        """
    )
    parrot, mine = catalogue.find("PARROT"), catalogue.find("mine")

    assert ("parrot", "Parrot", "me", "Repeats.") == (
        parrot.id,
        parrot.handle,
        parrot.owned_by,
        parrot.description,
    )
    assert ("Mine", 7, ("image",)) == (mine.handle, mine.created_s, mine.output_modalities)
    assert "Echo" == catalogue.find("echo").handle
    assert (None, None) == (catalogue.find("secret"), catalogue.look_up("private"))
    assert "Claude-Sonnet-4.5" == catalogue.look_up("claude-sonnet-4-5-latest").handle


def test_a_profile_has_the_owners_word(make):
    """For listed bots, private ones, and while Poe is away."""
    text = "models: {echo: {tools: prompted, parameters: {x: 1}}, Private: {flags: true}}"
    expected = Profile(bot="Echo", tools_mode="prompted", defaults={"x": 1})

    assert expected == make(text).profile("Echo")
    assert Profile(bot="Private", flags=True) == make(text).profile("Private")
    assert "prompted" == make(text, ()).profile("Echo").tools_mode
    assert Profile(bot="who") == make(text).profile("who")


def test_fallbacks_are_bots_that_may_be_asked(make):
    """Aliases become bots' names; disabled ones are passed over; unknown ones are left to Poe."""
    catalogue = make(
        """
        models:
          Echo: {fallback: [pic, gpt-4o, Nobody]}
          Painter: {alias: pic}
          GPT-4o: {disabled: true}
        """
    )

    assert ("Painter", "Nobody") == catalogue.fallbacks("Echo")
    assert () == catalogue.fallbacks("Painter") == catalogue.fallbacks("who")


def test_groups_are_lists_of_bots(make):
    """Found in any case, their members under their own names; each bot knows its groups."""
    catalogue = make(
        """
        models: {Painter: {alias: pic}}
        groups: {Cheap: [echo, PIC, Nobody], all: [pic], empty: []}
        """
    )

    assert ("Echo", "Painter", "Nobody") == catalogue.group("cheap")
    assert (None, ()) == (catalogue.group("none"), catalogue.group("empty"))
    assert {"Painter": ("Cheap", "all"), "Echo": ("Cheap",)} == {
        known.bot.handle: known.groups for known in catalogue.known() if known.groups
    }


@pytest.mark.parametrize(
    ("allowed", "is_allowed"),
    [
        (["Painter"], True),
        (["PIC"], True),
        (["@cheap"], True),
        (["@none"], False),
        (["Echo"], False),
        ([], False),
    ],
)
def test_an_allow_list_may_name_groups(make, allowed, is_allowed):
    """A bot is allowed by its name, an alias, or a group that it is in."""
    catalogue = make("models: {Painter: {alias: pic}}\ngroups: {cheap: [pic]}")

    assert is_allowed is catalogue.is_allowed("Painter", allowed)


def test_without_poes_list_nothing_is_listed(make):
    """The error is Poe's; what the file names can be asked, and is at hand."""
    catalogue = make("models: {Mine: {custom: true, alias: m}}", ())
    for ask in (catalogue.bots, catalogue.known):
        with pytest.raises(PoeError):
            ask()

    assert "Mine" == catalogue.resolve("m").handle
    assert ["Mine", "m"] == [bot.handle for bot in catalogue.at_hand()]


bots = st.fixed_dictionaries(
    {},
    optional={
        "alias": st.lists(st.sampled_from(["a", "b", "gpt-4o", "Echo"]), min_size=1, max_size=2),
        "hidden": st.booleans(),
        "disabled": st.booleans(),
        "custom": st.booleans(),
    },
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["echo", "GPT-4o", "Mine", "Painter"]), bots))
def test_every_name_that_is_shown_answers(
    tmp_path_factory: pytest.TempPathFactory, models: dict[str, Any]
) -> None:
    """No name is shown twice, each leads to a bot that is not disabled, and in the same order."""
    text = yaml_text.written({"models": models})
    try:
        overrides = read(text)
    except OverridesError:
        return
    path = tmp_path_factory.mktemp("shown") / "models.yaml"
    path.write_text(text)
    catalogue = shown(path)
    listed = names(catalogue)

    assert len(listed) == len({name.lower() for name in listed})
    assert listed == names(shown(path))
    for name in listed:
        bot = catalogue.resolve(name)
        assert bot is not None
        assert not overrides.of(bot.handle).disabled
        assert name == getattr(catalogue.find(name), "handle", None)
