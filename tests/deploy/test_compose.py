"""compose.yaml hands poeflask what its owner sets, and nginx the site of a VPS."""

import re
from pathlib import Path

import pytest
import yaml

from poeflask.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services():
    """What runs."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_every_variable_is_a_setting(services):
    """Or a secret's file; a value that is set here is one that poeflask takes."""
    environment = services["poeflask"]["environment"]
    settings = {row.variable for row in Settings.describe()}
    given = {name: str(value) for name, value in environment.items() if value is not None}
    secrets = {name for name in given if name.endswith("_FILE")}

    assert set() == {name.removesuffix("_FILE") for name in environment} - settings
    assert secrets == {f"{name.upper()}_FILE" for name in services["poeflask"]["secrets"]}
    Settings.from_environ({name: given[name] for name in given.keys() - secrets})


def test_the_variables_of_poe2openai_get_through(services):
    """All that the page on moving names, but for those that the container decides."""
    table = (
        (ROOT / "docs" / "migration.md").read_text(encoding="utf-8").partition("What differs")[0]
    )
    names = {name for row in re.findall(r"^\| (`.+?) \|", table, re.M) for name in row.split(", ")}
    decided = {"`PORT`", "`HOST`", "`CONFIG_DIR`", "`ADMIN_PASSWORD`"}
    passed = {
        f"`{name}`" for name, value in services["poeflask"]["environment"].items() if not value
    }

    assert len(names) == 12
    assert names - decided == passed
    assert [{"path": ".env", "required": False}] == services["poeflask"]["env_file"]


def test_the_site_is_changed_where_it_must_be(services):
    """The name and the socket that are replaced are those that the site has."""
    (command,) = [line for line in services["nginx"]["command"] if "sed" in line]
    site = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    replaced = [
        found[2].replace("\\", "") for found in re.finditer(r"-e \"s(.)(.+?)\1.*?\1g?\"", command)
    ]

    assert ["poeflask.example", "unix:/run/poeflask.sock"] == replaced
    assert all(text in site for text in replaced)
