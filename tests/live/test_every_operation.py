"""Every operation of the reference, asked with whatever its schema allows and what it does not."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from poeflask.app import create_app
from poeflask.settings import Settings
from poeflask.web.openapi import document
from tests.live.conftest import Live

NOT_OFFERED = 501
"""What is not offered says so; every other status from 500 on would be a fault of ours or Poe's."""


def operations() -> list[schemathesis.APIOperation]:
    """Every operation, but for those that are refused whatever they are asked."""
    made = document(create_app(Settings(store_url="memory")), "0")
    found = [one.ok() for one in schemathesis.openapi.from_dict(made).get_all_operations()]
    return [operation for operation in found if "refused" not in operation.tags]


OPERATIONS = operations()
ASKED = [
    *((operation, GenerationMode.POSITIVE) for operation in OPERATIONS),
    # What takes nothing can be sent nothing wrong.
    *((one, GenerationMode.NEGATIVE) for one in OPERATIONS if one.body or one.query),
]


@pytest.mark.parametrize(
    ("operation", "mode"), ASKED, ids=[f"{one.label} {mode.value}" for one, mode in ASKED]
)
def test_no_request_breaks_the_server(
    live: Live, operation: schemathesis.APIOperation, mode: GenerationMode
) -> None:
    """Whatever is sent, the answer is an answer or a refusal that says why."""

    @settings(
        max_examples=3,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(base_url=live.url, headers={"Authorization": "Bearer demo"}, timeout=30)

        assert answer.status_code < 500 or answer.status_code == NOT_OFFERED, answer.text

    ask()
