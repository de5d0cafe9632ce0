"""The pages find what the app made for them."""

from __future__ import annotations

from poeflask.admin.parts import parts
from tests.admin.conftest import PASSWORD, app_with, parts_of


def test_each_app_has_parts_of_its_own() -> None:
    """Also when there are two in one process."""
    one, two = app_with(admin_username="ann"), app_with()
    with one.app_context():
        assert parts() is parts_of(one)
        assert parts().passwords.fits("ann", PASSWORD)
    with two.app_context():
        assert parts() is not parts_of(one)
