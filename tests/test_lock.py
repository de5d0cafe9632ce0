"""requirements.lock: what is installed where every byte shall be known."""

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PIN = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)==([^ ;]+)(?: ; .+?)? \\\n((?:    --hash=\S+(?: \\)?\n)+)", re.M
)


def wanted():
    """The requirements of setup.cfg."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return [Requirement(line) for line in parser["options"]["install_requires"].split("\n") if line]


@pytest.fixture(scope="module")
def text():
    """The file."""
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize("requirement", wanted(), ids=lambda one: one.name)
def test_each_requirement_is_pinned_within_its_range(text, requirement):
    """Run `make lock` after a change of setup.cfg."""
    pins = {canonicalize_name(found[1]): found[2] for found in PIN.finditer(text)}

    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_every_package_has_its_hashes(text):
    """One without would be taken as it comes."""
    names = re.findall(r"^([a-z0-9][^ =]*)", text, re.M)
    hashes = [re.findall(r"--hash=(\S+)", found[3]) for found in PIN.finditer(text)]

    assert len(names) == len(hashes)
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for several in hashes for one in several)


def test_no_place_is_named(text):
    """Where the packages come from is the business of whoever installs them."""
    assert "://" not in text
    assert "index-url" not in text
