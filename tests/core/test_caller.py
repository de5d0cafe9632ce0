"""Who asks."""

from poeflask.core.caller import Caller


def test_no_key_stands_in_a_callers_text() -> None:
    """Callers may be told of in logs; their keys may not."""
    told = repr(Caller(owner="somebody", poe_key="secret", key_id="k1", key_name="Anna"))

    assert ("secret" not in told, "Anna" in told) == (True, True)
