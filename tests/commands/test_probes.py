"""What is looked at on this machine."""

import os
import resource
import shutil

import pytest

from poeflask.commands import probes
from poeflask.settings import Settings
from tests.stores.conftest import Server, empty_redis, running_redis  # noqa: F401 - fixtures


def levels(findings):
    """The level of each finding."""
    return [finding.level for finding in findings]


def test_a_state_folder_that_cannot_be_written_is_a_fault(tmp_path):
    """The sentence says where to look and how to mend it."""
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "state"
    (found,) = probes.store_findings(Settings(state_dir=folder, workers=1))

    assert "fault" == found.level
    assert found.text.endswith(f"own {folder} and all in it, or set CONFIG_DIR to another.")


def test_a_redis_that_is_away_is_a_fault(tmp_path):
    """It is told where it was looked for, and no password is."""
    url = f"unix://:hunter2@{tmp_path}/redis.sock"
    (away,) = probes.store_findings(Settings(store_url=url, state_dir=tmp_path))
    (unfit,) = probes.store_findings(
        Settings(store_url="redis://host?hunter2=1", state_dir=tmp_path)
    )

    assert ["fault", "fault"] == levels([away, unfit])
    assert f"The Redis at unix://{tmp_path}/redis.sock failed" in away.text
    assert away.text.endswith("set POEFLASK_STORE_URL to where it is, with its password.")
    assert "hunter2" not in away.text + unfit.text


def test_memory_that_is_not_shared_is_remarked():
    """Several workers with a memory each is seldom meant; one is fine."""
    many = list(probes.store_findings(Settings(store_url="memory", workers=2)))
    one = list(probes.store_findings(Settings(store_url="memory", workers=1)))

    assert ["ok", "remark"] == levels(many)
    assert "set POEFLASK_WORKERS=1" in many[1].text
    assert ["ok"] == levels(one)


def test_a_damaged_store_is_a_fault(tmp_path):
    """It is found before an answer stumbles over it, and says what helps."""
    settings = Settings(state_dir=tmp_path)
    list(probes.store_findings(settings))
    assert [] == list(probes.file_findings(settings))
    with (tmp_path / "store.db").open("r+b") as file:
        file.write(b"no database at all")
    (found,) = probes.file_findings(settings)

    assert ("fault", True) == (found.level, "poeflask restore" in found.text)


def test_one_trouble_of_the_store_is_told_once(tmp_path):
    """What cannot be opened is not also called damaged: a backup would be no help."""
    (tmp_path / "store.db").mkdir()
    (found,) = probes.kept_findings(Settings(state_dir=tmp_path, workers=1))

    assert ("fault", False) == (found.level, "poeflask restore" in found.text)


def test_a_redis_that_forgets_is_remarked(empty_redis: Server):  # noqa: F811 - the fixture
    """One that makes room by itself would let keys and budgets go."""
    settings = Settings(store_url=empty_redis.url, workers=1)
    kept = levels(probes.kept_findings(settings))
    with empty_redis.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        (_, found) = probes.kept_findings(settings)
        client.config_set("maxmemory-policy", "noeviction")

    assert ["ok"] == kept
    assert ("remark", True) == (found.level, "set it to noeviction" in found.text)


def test_a_folder_for_metrics_need_not_be_there_yet(tmp_path, monkeypatch):
    """A start makes it."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))

    assert ["ok"] == levels(probes.app_findings(Settings()))


def test_a_load_is_of_what_is_installed(tmp_path, monkeypatch):
    """Not of what a checkout holds in which somebody stands."""
    (tmp_path / "poeflask").mkdir()
    (tmp_path / "poeflask" / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.chdir(tmp_path)

    assert ["ok"] == levels(probes.app_findings(Settings()))


def test_traces_that_nothing_can_send_are_a_fault(monkeypatch):
    """It is told once, without a traceback."""
    monkeypatch.setattr(probes, "find_spec", lambda _name: None)
    settings = Settings(otlp_endpoint="http://localhost:4318")
    (found,) = probes.tracing_findings(settings)

    assert ("fault", True) == (found.level, "pip install 'poeflask[otel]'" in found.text)
    assert [] == list(probes.app_findings(settings))
    assert [] == list(probes.tracing_findings(Settings()))


def test_a_damaged_vocabulary_is_a_fault(tmp_path):
    """A file that was cut is found before a worker stumbles over it."""
    (tmp_path / "words.xz").write_bytes(b"\xfd7zXZ\x00\x00")
    (found,) = probes.vocabulary_findings(Settings(), tmp_path)

    assert "fault" == found.level
    assert f"The vocabulary {tmp_path / 'words.xz'} is damaged" in found.text


def test_tokens_are_counted():
    """The vocabulary that is shipped counts a sentence as it should."""
    assert ["ok"] == levels(probes.vocabulary_findings(Settings()))


@pytest.mark.parametrize(("mode", "level"), [(0o700, "ok"), (0o755, "remark")])
def test_a_folder_that_others_can_look_into(tmp_path, mode, level):
    """It holds logins and records: the sentence says how to close it."""
    tmp_path.chmod(mode)
    (found,) = probes.folder_findings(Settings(state_dir=tmp_path))

    assert (level, level != "ok") == (found.level, f"chmod 700 {tmp_path}" in found.text)


def test_a_disk_that_is_nearly_full(tmp_path, monkeypatch):
    """Soon nothing could be kept."""
    usage = shutil.disk_usage(tmp_path)._replace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    tmp_path.chmod(0o700)
    (found,) = probes.folder_findings(Settings(state_dir=tmp_path))

    assert ("remark", True) == (found.level, "Only 1 MiB are free" in found.text)


@pytest.mark.parametrize(("hard", "level"), [(1024, "remark"), (65536, "ok"), (-1, "ok")])
def test_files_that_may_be_open(monkeypatch, hard, level):
    """Each answer needs two, and a start takes what it may; the sentence says how to get more."""
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, hard))
    (found,) = probes.descriptor_findings(Settings(worker_connections=4000))

    assert (level, level != "ok") == (found.level, "ulimit -n 8256" in found.text)


def test_an_nginx_that_cannot_be_read(tmp_path, monkeypatch):
    """A configuration with a mistake in it is told; one that only root may read is not."""
    nginx = tmp_path / "nginx"
    nginx.write_text("#!/bin/sh\necho nginx: unknown directive >&2\nexit 1\n")
    nginx.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (found,) = probes.nginx_findings(Settings())
    nginx.write_text("#!/bin/sh\necho 'open() failed (13: Permission denied)' >&2\nexit 1\n")

    assert ("remark", True) == (found.level, "unknown directive" in found.text)
    assert [] == list(probes.nginx_findings(Settings()))


def test_an_nginx_that_cuts_answers(tmp_path, monkeypatch):
    """What it prints of its configuration is looked through."""
    nginx = tmp_path / "nginx"
    site = "server { location / { proxy_pass http://127.0.0.1:8080; } }"
    nginx.write_text(f"#!/bin/sh\necho '{site}'\n")
    nginx.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert "fault" in levels(probes.nginx_findings(Settings()))
