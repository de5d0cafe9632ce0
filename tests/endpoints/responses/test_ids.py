"""Ids of items."""

from __future__ import annotations

import pytest

from poeflask.endpoints.responses.ids import input_id, output_id, stem_of

RESPONSE = "resp_0123456789abcdef01234567"


@pytest.mark.parametrize("make", [output_id, input_id])
def test_an_item_leads_to_its_response(make: object) -> None:
    """Whatever the item's kind and place, its id tells the response's."""
    assert callable(make)

    assert "0123456789abcdef01234567" == stem_of(make("fc", RESPONSE, 12))


def test_inputs_and_outputs_differ() -> None:
    """The first item that was said and the first that was answered are two."""
    assert input_id("msg", RESPONSE, 0) != output_id("msg", RESPONSE, 0)


@pytest.mark.parametrize("other", ["", "msg_1", "msg_68af4030baa48193", "fc_123/../x_0", "rs__0"])
def test_ids_of_others_lead_nowhere(other: str) -> None:
    """Clients send ids that other servers made."""
    assert "" == stem_of(other)
