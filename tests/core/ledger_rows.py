"""Rows for the tests of all that works with them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from poeflask.core.ledger_row import LedgerRow

ROW = LedgerRow(
    id="r-1",
    time_s=1000.0,
    request_id="req_1",
    key_id="key-1",
    key_name="Ann",
    asked="gpt-echo",
    bot="Echo",
    dialect="chat",
    prompt_tokens=9,
    completion_tokens=2,
    total_s=0.5,
)

_texts = st.text(max_size=20)
_numbers = st.integers(0, 10**9)
_times = st.floats(0, 1e5)


def rows() -> st.SearchStrategy[LedgerRow]:
    """Any rows; few keys and bots, so that some belong together."""
    return st.builds(
        replace,
        st.just(ROW),
        id=_texts,
        time_s=st.floats(0, 1e10),
        request_id=_texts,
        key_id=st.sampled_from(["a", "b"]),
        asked=_texts,
        bot=st.sampled_from(["Echo", "Other"]),
        client=_texts,
        streamed=st.booleans(),
        prompt_tokens=_numbers,
        completion_tokens=_numbers,
        reasoning_tokens=_numbers,
        cached_tokens=_numbers,
        exact=st.booleans(),
        points=st.none() | st.integers(0, 10**6).map(float),
        points_estimated=st.booleans(),
        first_token_s=st.none() | _times,
        total_s=_times,
        outcome=st.sampled_from(["ok", "rate_limited", "client_gone"]),
    )
