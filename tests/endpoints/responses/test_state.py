"""What is kept of responses, in a real namespace over a store in memory."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.errors import ClientError, ErrorKind, OwnError
from poeflask.endpoints.responses.decode import kept_items
from poeflask.endpoints.responses.state import BEAT_S, KEPT_S, State
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """The store's clock."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    """The store that all owners share."""
    return MemoryStore(clock=clock)


def state_of(owner: str, store: Any) -> State:
    """The records of one owner."""
    return State(
        owner,
        reads=Namespace(store, "responses", on_failure="refuse"),
        writes=Namespace(store, "responses", on_failure="forget"),
    )


@pytest.fixture
def state(store: MemoryStore) -> State:
    """The records of Ada."""
    return state_of("ada", store)


def response(number: int, status: str = "completed", **more: Any) -> dict[str, Any]:
    """A response that says its number."""
    said = {"id": f"msg_{number:024x}_0", "type": "message", "content": f"answer {number}"}
    return {
        "id": resp(number),
        "status": status,
        "background": False,
        "conversation": None,
        "output": [said],
        **more,
    }


def resp(number: int) -> str:
    """The id of a response."""
    return f"resp_{number:024x}"


def keep(state: State, number: int, previous: str = "", **more: Any) -> str:
    """Keep a response to a question of the same number; gives its id."""
    question = [{"role": "user", "content": f"question {number}"}]
    state.keep(response(number, **more), kept_items(question, resp(number)), previous)
    return resp(number)


def texts(items: list[Any]) -> list[str]:
    """What items say, in short."""
    return [
        item["content"] if isinstance(item["content"], str) else item["content"][0]["text"]
        for item in items
    ]


def test_a_kept_response_is_found_at_once(state: State) -> None:
    """The very next request can read and continue it."""
    kept = keep(state, 1)

    assert response(1) == state.response(kept)
    assert ["question 1", "answer 1"] == texts(state.history(kept))


def test_a_chain_is_read_from_its_beginning(state: State) -> None:
    """Each turn keeps only what it adds, and still everything is there."""
    first = keep(state, 1)
    second = keep(state, 2, first)
    keep(state, 3, first)

    assert ["question 1", "answer 1", "question 2", "answer 2"] == texts(state.history(second))
    assert ["question 1", "answer 1", "question 2"] == texts(state.input_items(second))


def test_nothing_comes_before_the_first_turn(state: State) -> None:
    """No id means no history."""
    assert [] == state.history("")


def test_another_owners_response_is_unknown(state: State, store: MemoryStore) -> None:
    """Whatever one does with the id, it is as if there was no such response."""
    kept = keep(state, 1, background=True, status="in_progress")
    bob = state_of("bob", store)
    for act in (bob.response, bob.input_items, bob.delete, bob.cancel):
        with pytest.raises(ClientError) as caught:
            act(kept)

        assert ErrorKind.NOT_FOUND == caught.value.kind
    with pytest.raises(ClientError) as caught:
        bob.history(kept)
    assert "previous_response_not_found" == caught.value.code
    assert {} == bob.found([f"msg_{1:024x}_0"])


def test_an_unknown_response_cannot_be_continued(state: State) -> None:
    """The error has OpenAI's code and says what may have happened."""
    with pytest.raises(ClientError) as caught:
        state.history("resp_unknown")

    assert ErrorKind.INVALID_REQUEST == caught.value.kind
    assert "previous_response_not_found" == caught.value.code
    assert "previous_response_id" == caught.value.param
    assert "'store': false" in caught.value.message


def test_a_deleted_response_is_gone(state: State) -> None:
    """It can neither be read nor continued, and not be deleted again."""
    kept = keep(state, 1)
    state.delete(kept)

    for act in (state.response, state.history, state.delete):
        with pytest.raises(ClientError):
            act(kept)


def test_a_response_ends_after_thirty_days(state: State, clock: Clock) -> None:
    """Not before."""
    kept = keep(state, 1)
    clock.now_s += KEPT_S - 1
    assert response(1) == state.response(kept)

    clock.now_s += 2
    with pytest.raises(ClientError):
        state.response(kept)


def test_items_are_found_by_their_ids(state: State) -> None:
    """References lead to what was said and what was answered; unknown ones to nothing."""
    keep(state, 1)
    said, answered = f"msg_{1:024x}_in0", f"msg_{1:024x}_0"

    assert {said, answered} == set(state.found([said, answered, "msg_other", f"rs_{9:024x}_0"]))


def test_an_unfinished_response_cannot_be_continued(state: State) -> None:
    """Its answer is not there yet."""
    kept = keep(state, 1, status="in_progress", background=True)

    with pytest.raises(ClientError) as caught:
        state.history(kept)
    assert "not finished" in caught.value.message


def test_a_background_response_is_in_progress_while_it_is_worked_on(
    state: State, clock: Clock
) -> None:
    """When its worker has died it has failed, and says so."""
    kept = keep(state, 1, status="in_progress", background=True)
    state.beat(kept)
    assert "in_progress" == state.response(kept)["status"]

    clock.now_s += BEAT_S + 1
    lost = state.response(kept)
    assert "failed" == lost["status"]
    assert "server_error" == lost["error"]["code"]


def test_a_background_response_is_cancelled_from_anywhere(state: State, store: MemoryStore) -> None:
    """Whoever asks next, in whichever worker, sees it."""
    kept = keep(state, 1, status="in_progress", background=True)
    state.beat(kept)
    before = state.is_cancelled(kept)

    assert "cancelled" == state.cancel(kept)["status"]
    assert (False, True) == (before, state_of("ada", store).is_cancelled(kept))
    assert "cancelled" == state.cancel(kept)["status"]


def test_a_finished_response_stays_as_it_is(state: State) -> None:
    """To cancel it comes too late and is no mistake."""
    kept = keep(state, 1, background=True)

    assert "completed" == state.cancel(kept)["status"]


def test_only_background_responses_can_be_cancelled(state: State) -> None:
    """The others end with their connection."""
    kept = keep(state, 1)

    with pytest.raises(ClientError) as caught:
        state.cancel(kept)
    assert ErrorKind.INVALID_REQUEST == caught.value.kind


def begun(state: State, *items: dict[str, Any]) -> str:
    """A new conversation with these items; gives its id."""
    conversation = {"id": "conv_1", "object": "conversation", "created_at": 1, "metadata": {}}
    state.begin(conversation, resp(100), kept_items(items, resp(100)))
    return "conv_1"


def test_a_conversation_grows_with_its_responses(state: State) -> None:
    """Each finished response in it is what the next one continues."""
    conversation = begun(state, {"role": "user", "content": "before"})
    keep(state, 1, state.head(conversation), conversation={"id": conversation})
    keep(state, 2, state.head(conversation), conversation={"id": conversation})
    state.extend(conversation, resp(101), kept_items([{"role": "user", "content": "x"}], resp(101)))

    expected = ["before", "question 1", "answer 1", "question 2", "answer 2", "x"]
    assert expected == texts(state.conversation_items(conversation))


def test_an_item_is_taken_out_of_a_conversation(state: State) -> None:
    """The next turn no longer continues it, while the response that was asked with it does."""
    conversation = begun(state, {"role": "user", "content": "before"})
    keep(state, 1, state.head(conversation), conversation={"id": conversation})
    keep(state, 2, state.head(conversation), conversation={"id": conversation})
    question = state.conversation_items(conversation)[1]["id"]

    assert question == state.conversation_item(conversation, question)["id"]
    state.remove(conversation, question, resp(101))

    left = texts(state.conversation_items(conversation))
    assert ["before", "answer 1", "question 2", "answer 2"] == left
    assert ["before", "question 1", "answer 1", "question 2"] == texts(state.input_items(resp(2)))
    assert left == texts(state.history(state.head(conversation)))


def test_the_only_item_is_taken_out(state: State) -> None:
    """The conversation is empty then, and may be continued."""
    conversation = begun(state, {"role": "user", "content": "before"})
    state.remove(conversation, state.conversation_items(conversation)[0]["id"], resp(101))

    assert [] == state.conversation_items(conversation)
    keep(state, 1, state.head(conversation), conversation={"id": conversation})
    assert ["question 1", "answer 1"] == texts(state.conversation_items(conversation))


def test_an_item_that_a_conversation_has_not(state: State) -> None:
    """To read it or to take it out fails, and nothing changes."""
    conversation = begun(state, {"role": "user", "content": "before"})
    for act in (
        lambda: state.conversation_item(conversation, "msg_other"),
        lambda: state.remove(conversation, "msg_other", resp(101)),
    ):
        with pytest.raises(ClientError, match="has no item 'msg_other'") as caught:
            act()
        assert (ErrorKind.NOT_FOUND, "item_id") == (caught.value.kind, caught.value.param)

    assert ["before"] == texts(state.conversation_items(conversation))


def test_labels_are_replaced(state: State) -> None:
    """A conversation has the new ones and no old ones; its items stay."""
    conversation = begun(state, {"role": "user", "content": "before"})
    state.label(conversation, {"a": "1"})
    labelled = state.label(conversation, {"b": "2"})

    assert {"b": "2"} == labelled["metadata"]
    assert labelled == state.conversation(conversation)
    assert ["before"] == texts(state.conversation_items(conversation))


@pytest.mark.parametrize("status", ["failed", "in_progress", "cancelled"])
def test_what_was_not_answered_is_no_part_of_a_conversation(state: State, status: str) -> None:
    """The client will say it again."""
    conversation = begun(state)
    keep(state, 1, status=status, conversation={"id": conversation}, background=True)

    assert "" == state.head(conversation)
    assert [] == state.conversation_items(conversation)


def test_a_conversation_is_its_owners(state: State, store: MemoryStore) -> None:
    """For anybody else, and after its end, it is unknown."""
    conversation = begun(state)
    bob = state_of("bob", store)
    for act in (
        bob.conversation,
        bob.head,
        bob.end,
        bob.conversation_items,
        lambda name: bob.conversation_item(name, "msg_1"),
        lambda name: bob.remove(name, "msg_1", resp(102)),
        lambda name: bob.label(name, {"a": "b"}),
    ):
        with pytest.raises(ClientError) as caught:
            act(conversation)
        assert ErrorKind.NOT_FOUND == caught.value.kind
    state.end(conversation)
    with pytest.raises(ClientError):
        state.conversation(conversation)


def test_a_turn_of_no_response_is_no_response(state: State) -> None:
    """The items that a conversation began with cannot be fetched as a response."""
    begun(state, {"role": "user", "content": "before"})

    with pytest.raises(ClientError):
        state.response(resp(100))


class Unreachable:
    """A store that is never there."""

    def __getattr__(self, _name: str) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise StoreUnavailable("gone")

        return fail


def test_an_unreachable_store_costs_the_record_and_not_the_answer() -> None:
    """To keep does not fail; to read says that it cannot be known now."""
    state = state_of("ada", Unreachable())
    keep(state, 1)

    with pytest.raises(OwnError) as caught:
        state.response(resp(1))
    assert ErrorKind.BUSY == caught.value.kind
