"""All state in one file, written and put back by commands."""

import json
import os

from click.testing import CliRunner

from poeflask import cli
from poeflask.stores import open_store


def test_state_is_backed_up_and_restored(tmp_path, monkeypatch):
    """What was written is told, in words or as JSON; on no terminal nothing else is."""
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("POEFLASK_STORE_URL", raising=False)
    store = open_store("sqlite", tmp_path / "state")
    store.put("k", b"kept")
    file = str(tmp_path / "b.tar.gz")
    made = CliRunner().invoke(cli.main, ["backup", file, "--json"])
    refused = CliRunner().invoke(cli.main, ["restore", file])
    store.put("k", b"later")
    forced = CliRunner().invoke(cli.main, ["restore", file, "--force"])
    found = store.get("k")
    store.close()
    done = CliRunner().invoke(cli.main, ["restore", str(tmp_path / "state")])

    assert json.loads(made.stdout)["files"] == 1
    assert "" == made.stderr
    assert 1 == refused.exit_code
    assert "stop poeflask first, or give --force" in refused.stderr
    assert forced.stdout.startswith("Restored 1 files of")
    assert "What was there before is in" in forced.stdout
    assert found == b"kept"
    assert done.exit_code == 2


def test_a_backup_tells_what_a_redis_keeps(tmp_path, monkeypatch):
    """Its state is not in the folder; its password is not told."""
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("POEFLASK_STORE_URL", "redis://:hunter2@cache.example/0")
    (tmp_path / "state").mkdir()
    made = CliRunner().invoke(cli.main, ["backup", str(tmp_path / "b")])
    fails = CliRunner().invoke(cli.main, ["backup", str(tmp_path / "none" / "b")])

    assert 0 == made.exit_code
    assert "What redis://cache.example:6379/0 keeps is not in the backup" in made.stderr
    assert "hunter2" not in made.stderr
    assert 1 == fails.exit_code
    assert "was not written" in fails.stderr


def test_a_folder_that_is_not_there_is_not_backed_up(tmp_path, monkeypatch):
    """A backup of nothing would push the good ones out."""
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "mistyped"))
    (tmp_path / "backups").mkdir()
    result = CliRunner().invoke(cli.main, ["backup", "--keep", "1", str(tmp_path / "backups")])

    assert (1, []) == (result.exit_code, list((tmp_path / "backups").iterdir()))
    assert f"There is no folder {tmp_path / 'mistyped'}" in result.stderr


def test_backups_of_a_timer_are_kept_in_a_folder(tmp_path, monkeypatch):
    """Each has a date; with a folder, how many are kept must be said."""
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("POEFLASK_STORE_URL", raising=False)
    (tmp_path / "state").mkdir()
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "poeflask-20200101T000000Z.tar.gz").touch()
    (folder / "poeflask-20200102T000000Z.tar.gz").touch()
    made = CliRunner().invoke(cli.main, ["backup", "--keep", "2", str(folder)])
    unsaid = CliRunner().invoke(cli.main, ["backup", str(folder)])
    older, newer = sorted(os.listdir(folder))

    assert 0 == made.exit_code
    assert "poeflask-20200102T000000Z.tar.gz" == older
    assert newer in made.stdout
    assert 2 == unsaid.exit_code
