"""`poeflask admin` sets the password from the machine itself, and `serve` prints the first link."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from poeflask.admin.setup_links import SetupLinks
from poeflask.cli import main
from poeflask.commands.admin import first_setup_link
from poeflask.settings import Settings
from poeflask.stores.sqlite import SqliteStore

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `poeflask admin` with a state folder of its own."""
    for row in Settings.describe():
        monkeypatch.delenv(row.variable, raising=False)
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))

    def run(*arguments: str, typed: str = "", **environ: str) -> Result:
        return CliRunner().invoke(main, ["admin", *arguments], input=typed, env=environ)

    return run


def works(folder: Path, link: str) -> bool:
    """Whether a link sets the password."""
    with closing(SqliteStore(folder / "store.db")) as store:
        return SetupLinks(store, lambda: "unused").works(link.partition("#")[2])


def test_a_link_is_printed(run: Run, tmp_path: Path) -> None:
    """It works; each is another, and only the newest works."""
    first, second = (re.findall(r"http://\S+", run("reset").output)[0] for _ in range(2))

    assert first.startswith("http://127.0.0.1:8080/admin/setup#")
    assert [False, True] == [works(tmp_path, first), works(tmp_path, second)]


@pytest.mark.parametrize("command", ["reset", "password"])
def test_a_store_that_fails_is_told(run: Run, tmp_path: Path, command: str) -> None:
    """In a sentence that says what is wrong."""
    (tmp_path / "store.db").write_text("this is no database, and was never one")
    result = run(command, typed="correct horse\ncorrect horse\n")

    assert 1 == result.exit_code
    assert "Error: The store " in result.stderr
    assert "is damaged" in result.stderr


def test_a_link_names_the_address_that_is_given(run: Run) -> None:
    """Behind a proxy only the reader knows it."""
    assert "https://a.example/admin/setup#" in run("reset", "--url", "https://a.example/").output


def test_a_password_is_set(run: Run, tmp_path: Path) -> None:
    """It is asked for twice and not shown; no link is printed at the next start."""
    result = run("password", typed="correct horse\ncorrect horse\n", ADMIN_USERNAME="ann")

    assert 0 == result.exit_code
    assert "Log in as 'ann'." in result.output
    assert "correct horse" not in result.output
    assert "" == first_setup_link(Settings(state_dir=tmp_path), "http://a.example")


def test_a_short_password_is_refused(run: Run) -> None:
    """With what would be right."""
    result = run("password", typed="short\nshort\n")

    assert 1 == result.exit_code
    assert "8 to 256 characters" in result.stderr


@pytest.mark.parametrize("command", ["reset", "password"])
@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"POEFLASK_ADMIN": "off"}, "there is no admin page"),
        ({"ADMIN_PASSWORD": "correct horse"}, "ADMIN_PASSWORD decides"),
        ({"POEFLASK_STORE_URL": "memory"}, "set ADMIN_PASSWORD"),
        ({"ADMIN_PASSWORD": "short"}, "a password of 8 to 256 characters"),
    ],
)
def test_where_it_would_do_nothing_it_says_so(
    run: Run, command: str, environ: dict[str, str], said: str
) -> None:
    """And shows no secret."""
    result = run(command, **environ)

    assert 1 == result.exit_code
    assert said in result.stderr
    assert "correct horse" not in result.output


@pytest.mark.parametrize(
    "chosen",
    [{"admin": "off"}, {"admin_password": "correct horse"}, {"store_url": "memory"}],
)
def test_no_link_is_made_where_it_would_do_nothing(chosen: dict[str, str], tmp_path: Path) -> None:
    """The store is not even opened."""
    assert "" == first_setup_link(Settings(state_dir=tmp_path, **chosen), "http://a.example")  # type: ignore[arg-type]
    assert [] == list(tmp_path.iterdir())


def test_the_first_start_prints_the_link(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for all workers, before they start; the address is the one that is served."""
    monkeypatch.setattr(os, "execv", lambda *_: None)
    output = CliRunner().invoke(main, ["serve"], env={"PORT": "18347"}).output
    (found,) = re.findall(r"http://127.0.0.1:18347/admin/setup#\S+", output)

    assert works(tmp_path, found)


def test_later_starts_print_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a password."""
    monkeypatch.setattr(os, "execv", lambda *_: None)
    run("password", typed="correct horse\ncorrect horse\n")

    assert "setup#" not in CliRunner().invoke(main, ["serve"], env={"PORT": "18348"}).output
