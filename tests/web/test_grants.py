"""What answers turn out to take of what was reserved for them."""

import pytest

from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.core.gateway_key import GatewayKey
from poeflask.core.prompt import Limits as PromptLimits
from poeflask.core.prompt import Message, Prompt, Text
from poeflask.core.quota import FREE, Amount
from poeflask.core.reply import Failure, Finish, Pause, TextDelta, ToolCallDelta, Usage
from poeflask.stores.base import Lease, Total, Window
from poeflask.stores.gates import gates_of
from poeflask.web.grants import Grant, Wish

NOON_S = 1_795_348_800.0
ONE = (Wish(20, 50),)


def grant(settled=None, *, wishes=ONE, **limits):
    """A grant of a key with these limits; what it settles goes into the list."""
    key = GatewayKey(id="0a1b2c3d4e5f", name="Anna", created_s=0.0).changed(limits)
    told = [] if settled is None else settled
    holders = tuple(f"answer-{number}" for number in range(len(wishes)))
    return Grant(
        lambda _grant, used: told.append(used),
        key,
        gates_of(key, NOON_S),
        wishes,
        FREE,
        NOON_S,
        holders,
    )


def usage(prompt, completion):
    """Tokens as counted."""
    return Usage(prompt_tokens=prompt, completion_tokens=completion)


@pytest.mark.parametrize(
    ("events", "took"),
    [
        ([TextDelta("x"), usage(30, 5), Finish()], (1, 35)),
        ([Failure(PoeError(ErrorKind.OVERLOADED, "x"))], (1, 0)),
        ([Failure(ClientError(ErrorKind.INVALID_REQUEST, "x"))], (0, 0)),
        ([Failure(OwnError(ErrorKind.BUSY, "x"))], (0, 0)),
        (
            [Pause(), Failure(ClientError(ErrorKind.CLIENT_GONE, "x"))],
            (1, 20),
        ),
        ([Failure(OwnError(ErrorKind.DRAINING, "x"))], (1, 20)),
        (
            [TextDelta("seven l"), Failure(PoeError(ErrorKind.POE_BROKEN, "x"))],
            (1, 23),
        ),
        ([ToolCallDelta(position=0, name="f", arguments="{}")], (1, 21)),
        ([], (1, 20)),
    ],
)
def test_what_counts_follows_from_how_the_answer_went(events, took):
    """Refused before a word: no tokens. Broken off: what was seen of it."""
    settled = []
    made = grant(settled, tokens_per_day=1000)
    if events:
        made.saw(0, events)
    made.ended()

    assert [took] == [(used.requests, used.tokens) for used in settled]


def test_a_text_that_is_heard_counts_as_one_that_is_seen():
    """Whichever way it went to the client."""
    settled = []
    made = grant(settled, tokens_per_day=1000)
    made.heard("seven l")
    made.saw(0, [Failure(PoeError(ErrorKind.POE_BROKEN, "x"))])
    made.ended()

    assert [Amount(requests=1, tokens=23)] == settled


def test_several_answers_are_settled_together():
    """Each by how it went."""
    settled = []
    made = grant(settled, wishes=(Wish(20, 50),) * 3, tokens_per_day=1000)
    made.saw(2, [TextDelta("xxx"), usage(20, 4), Finish()])
    made.saw(0, [Failure(PoeError(ErrorKind.RATE_LIMITED, "x"))])
    made.ended()

    assert [Amount(requests=3, tokens=24 + 20)] == settled


def test_an_answer_is_settled_once():
    """Whoever says how often that it is over."""
    settled = []
    made = grant(settled, tokens_per_day=1000)
    made.settle(Amount(requests=1, tokens=30))
    made.cancel()
    made.ended()

    assert [Amount(requests=1, tokens=30)] == settled


def test_all_that_answers_may_have_is_claimed():
    """Of each limit in its own unit; what a client wished for is no more than its share."""
    made = grant(
        wishes=(Wish(20, 50), Wish(10)), requests_per_minute=9, tokens_per_day=1000, concurrent=3
    )
    kinds = {type(claim): claim for claim in made.claims(40)}

    assert (2, 30 + 40 + 40) == (kinds[Window].amount, kinds[Total].amount)
    assert ("answer-0", 3) == (kinds[Lease].holder, kinds[Lease].limit)


def test_what_was_not_used_is_given_back_and_what_was_used_besides_is_taken():
    """In any case, and only once."""
    made = grant(requests_per_minute=9, tokens_per_minute=500)
    made.claims(50)
    back = made.corrections(Amount(requests=1, tokens=30), NOON_S + 7)
    more = made.corrections(Amount(requests=1, tokens=90), NOON_S + 7)
    made.settled_claims = True

    assert [(-40, None, 7.0)] == [(claim.amount, claim.limit, claim.age_s) for claim in back]
    assert [(20, None, 0.0)] == [(claim.amount, claim.limit, claim.age_s) for claim in more]
    assert [] == made.corrections(Amount(requests=1, tokens=30), NOON_S + 7)


def test_prompts_are_bounded_only_if_tokens_count():
    """By the wish or the share, whichever is less."""
    wishes = (Wish(20, 50), Wish(20, 10), Wish(20))
    prompts = [
        Prompt(
            bot="B",
            messages=(Message("user", (Text("hi"),)),),
            limits=PromptLimits(max_tokens=wish.max_tokens),
        )
        for wish in wishes
    ]
    counted, free = (
        grant(wishes=wishes, **limits)
        for limits in ({"tokens_per_day": 1000}, {"requests_per_minute": 5})
    )
    counted.claims(40)

    assert [40, 10, 40] == [one.limits.max_tokens for one in counted.bounded(prompts)]
    assert tuple(prompts) == free.bounded(prompts)
