"""What the pages load lies in the package, is kept for good, and is what its makers published."""

from __future__ import annotations

import hashlib
import re

import pytest

from poeflask.admin import assets
from tests.admin.conftest import Visitor

VENDOR = assets.FOLDER / "vendor"


def test_the_libraries_are_those_that_are_told() -> None:
    """Each with its version, its licence and the sum of its bytes."""
    table = re.findall(
        r"^\| (\S+) \| .+ \| `(\w{64})` \|$", (VENDOR / "README.md").read_text(), re.M
    )
    here = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.suffix in assets.TYPES
    }

    assert here == dict(table)
    assert all((VENDOR / name.split("/")[0] / "LICENSE").is_file() for name in here)


def test_no_script_of_ours_makes_html_or_code_of_text() -> None:
    """What models and clients wrote is set as text."""
    ours = [name for name in assets.names() if not name.startswith("vendor/")]
    forbidden = re.compile(
        rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    )

    assert ours
    assert [] == [name for name in ours if forbidden.search(assets.content(name))]


def test_files_are_kept_for_good(visitor: Visitor) -> None:
    """Under an address that changes with them, and that needs no login."""
    path = f"static/{assets.version()}/js/frame.js"
    response = visitor.get(path)

    assert 200 == response.status_code
    assert "text/javascript; charset=utf-8" == response.headers["Content-Type"]
    assert "public, max-age=31536000, immutable" == response.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "old/js/frame.js",
        "{version}/vendor/README.md",
        "{version}/vendor/pico/LICENSE",
        "{version}/../__init__.py",
        "{version}/%2e%2e/routes.py",
        "{version}//etc/passwd",
        "{version}/js/no.js",
        "{version}/",
    ],
)
def test_nothing_else_is_given_away(visitor: Visitor, path: str) -> None:
    """Neither of the package nor of the machine."""
    status = visitor.get("static/" + path.format(version=assets.version())).status_code

    assert status in (303, 404)


def test_a_file_that_is_not_there_is_a_mistake() -> None:
    """For those who ask for its content by name."""
    with pytest.raises(KeyError):
        assets.content("vendor/README.md")
