"""What is kept of responses: the state behind `previous_response_id`, conversations and polling.

Each response is one record: the response, the items that the client said with it, and the id of
the record that came before. A conversation is the id of its newest record. So a turn costs what it
adds, not what came before it.

Records stand under their owner, so that the id of somebody else's response is an unknown one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.endpoints.responses.ids import RESPONSE_PREFIX, stem_of
from poeflask.endpoints.responses.items import Item
from poeflask.endpoints.responses.schema import MAX_ITEMS
from poeflask.endpoints.shapes import shown

KEPT_S = 30 * 24 * 3600.0
"""How long a record is kept: as long as OpenAI keeps responses."""

BEAT_S = 30.0
"""How long a background response counts as worked on after its worker last said so."""

_OPEN = ("queued", "in_progress")
_CONTINUED = ("completed", "incomplete")
_Record = dict[str, Any]


class Records(Protocol):
    """A namespace of JSON values."""

    def get(self, key: str) -> Any:
        """The value, or None."""

    def put(self, key: str, value: Any, ttl_s: float | None = None) -> None:
        """Keep the value for so many seconds."""

    def delete(self, key: str) -> None:
        """Forget the value, if there is one."""


class State:
    """The records of one owner.

    Args:
        owner: whose they are; never the key itself.
        reads: where records are read; may raise, since a record that cannot be read now is no
            reason to tell the client that there is none.
        writes: the same, where records are written; forgets what cannot be kept, since the answer
            is worth more than its record.
    """

    def __init__(self, owner: str, reads: Records, writes: Records) -> None:
        self._owner = owner
        self._reads = reads
        self._writes = writes

    def keep(self, response: Mapping[str, Any], said: Sequence[Item], previous: str) -> None:
        """Keep a response with what the client said and what it continues.

        If it belongs to a conversation, it is that conversation's newest from here on; but not if
        it failed, since the client will say the same again.
        """
        self._keep(response["id"], {"response": response, "input": said, "previous": previous})
        conversation = (response.get("conversation") or {}).get("id")
        if conversation and response["status"] in _CONTINUED:
            self._move(conversation, response["id"])

    def response(self, response_id: str) -> Mapping[str, Any]:
        """A response as it stands.

        Raises:
            ClientError: kind NOT_FOUND, if this owner has none of that id.
        """
        response: Mapping[str, Any] = self._known(response_id)["response"]
        if response["status"] not in _OPEN:
            return response
        if self.is_cancelled(response_id):
            return {**response, "status": "cancelled"}
        if self._reads.get(self._key("beat", response_id)) is None:
            return {**response, "status": "failed", "error": _ABANDONED}
        return response

    def input_items(self, response_id: str) -> list[Item]:
        """All items that a response answers, oldest first.

        Raises:
            ClientError: kind NOT_FOUND, if this owner has no response of that id.
        """
        record = self._known(response_id)
        return [*self._items_up_to(record["previous"]), *record["input"]]

    def history(self, response_id: str) -> list[Item]:
        """What was said up to and with a response, oldest first; nothing for an empty id.

        Raises:
            ClientError: kind INVALID_REQUEST, if the response is unknown or not finished.
        """
        record = self._reads.get(self._key("response", response_id)) if response_id else None
        response = (record or {}).get("response") or {}
        if response.get("status") in _OPEN:
            raise ClientError(
                ErrorKind.INVALID_REQUEST,
                f"The response {shown(response_id)} is not finished; poll for it first.",
                param="previous_response_id",
            )
        return self._items_up_to(response_id)

    def delete(self, response_id: str) -> None:
        """Forget a response.

        Raises:
            ClientError: kind NOT_FOUND, if this owner has none of that id.
        """
        self._known(response_id)
        self._writes.delete(self._key("response", response_id))

    def found(self, item_ids: Iterable[str]) -> dict[str, Item]:
        """The items of these ids that are kept, by id."""
        wanted = set(item_ids)
        records = [
            self._reads.get(self._key("response", RESPONSE_PREFIX + stem))
            for stem in {stem_of(item_id) for item_id in wanted}
            if stem
        ]
        items = (item for record in records if record for item in _items_of(record))
        return {item["id"]: item for item in items if item.get("id") in wanted}

    def cancel(self, response_id: str) -> Mapping[str, Any]:
        """Mark a background response as cancelled, if it is not finished; gives it as it stands.

        Raises:
            ClientError: there is no such response, or it is no background response.
        """
        response = self.response(response_id)
        if not response["background"]:
            raise ClientError(
                ErrorKind.INVALID_REQUEST,
                "Only a response that was made with 'background': true can be cancelled.",
            )
        if response["status"] in _OPEN:
            self._writes.put(self._key("cancelled", response_id), True, KEPT_S)
        return self.response(response_id)

    def is_cancelled(self, response_id: str) -> bool:
        """Whether a background response was cancelled, by whichever worker."""
        return self._writes.get(self._key("cancelled", response_id)) is not None

    def beat(self, response_id: str) -> None:
        """Say that a background response is being worked on."""
        self._writes.put(self._key("beat", response_id), True, BEAT_S)

    def begin(self, conversation: Mapping[str, Any], node_id: str, items: Sequence[Item]) -> None:
        """Keep a new conversation, with its first items under an id of their own."""
        head = node_id if items else ""
        if items:
            self._keep(node_id, {"response": None, "input": items, "previous": ""})
        self._put_conversation({"conversation": conversation, "head": head})

    def conversation(self, conversation_id: str) -> Mapping[str, Any]:
        """A conversation, without its items.

        Raises:
            ClientError: kind NOT_FOUND, here and below, if this owner has none of that id.
        """
        found: Mapping[str, Any] = self._known_conversation(conversation_id)["conversation"]
        return found

    def head(self, conversation_id: str) -> str:
        """The id under which a conversation's newest items are kept; empty if it has none."""
        return str(self._known_conversation(conversation_id)["head"])

    def conversation_items(self, conversation_id: str) -> list[Item]:
        """All items of a conversation, oldest first."""
        return self._items_up_to(self.head(conversation_id))

    def extend(self, conversation_id: str, node_id: str, items: Sequence[Item]) -> None:
        """Add items to a conversation, under an id of their own."""
        head = self.head(conversation_id)
        self._keep(node_id, {"response": None, "input": items, "previous": head})
        self._move(conversation_id, node_id)

    def conversation_item(self, conversation_id: str, item_id: str) -> Item:
        """One item of a conversation.

        Raises:
            ClientError: kind NOT_FOUND, here and below, if the conversation has none of that id.
        """
        for item in self.conversation_items(conversation_id):
            if item.get("id") == item_id:
                return item
        raise _no_item(item_id, conversation_id)

    def remove(self, conversation_id: str, item_id: str, node_id: str) -> None:
        """Take an item out of a conversation; responses that were asked with it keep it.

        For their sake no record changes: what remains from the item's turn on is kept once more,
        under an id of its own, and is the conversation's newest from here on.
        """
        turns: list[list[Item]] = []
        for record in self._records_from(self.head(conversation_id)):
            turn = _items_of(record)
            turns.append([item for item in turn if item.get("id") != item_id])
            if len(turns[-1]) < len(turn):
                remaining = [item for later in reversed(turns) for item in later]
                before = record["previous"]
                self._keep(node_id, {"response": None, "input": remaining, "previous": before})
                self._move(conversation_id, node_id)
                return
        raise _no_item(item_id, conversation_id)

    def label(self, conversation_id: str, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Put labels in the place of those that a conversation has; gives it as it is then."""
        record = self._known_conversation(conversation_id)
        labelled = {**record["conversation"], "metadata": metadata}
        self._put_conversation({**record, "conversation": labelled})
        return labelled

    def end(self, conversation_id: str) -> None:
        """Forget a conversation; the responses in it stay."""
        self._known_conversation(conversation_id)
        self._writes.delete(self._key("conversation", conversation_id))

    def _key(self, kind: str, name: str) -> str:
        return f"{self._owner}/{kind}/{name}"

    def _keep(self, record_id: str, record: _Record) -> None:
        self._writes.put(self._key("response", record_id), record, KEPT_S)

    def _put_conversation(self, record: _Record) -> None:
        key = self._key("conversation", record["conversation"]["id"])
        self._writes.put(key, record, KEPT_S)

    def _move(self, conversation_id: str, head: str) -> None:
        record = self._writes.get(self._key("conversation", conversation_id))
        if record is not None:
            self._put_conversation({**record, "head": head})

    def _known(self, response_id: str) -> _Record:
        record: _Record | None = self._reads.get(self._key("response", response_id))
        if record is None or record["response"] is None:
            raise ClientError(
                ErrorKind.NOT_FOUND, f"There is no response {shown(response_id)} here. {_WHY_NOT}"
            )
        return record

    def _known_conversation(self, conversation_id: str) -> _Record:
        record: _Record | None = self._reads.get(self._key("conversation", conversation_id))
        if record is None:
            raise ClientError(
                ErrorKind.NOT_FOUND,
                f"There is no conversation {shown(conversation_id)} here. POST /v1/conversations "
                "makes one; it is known to the key that made it, for 30 days after its last turn.",
                param="conversation",
            )
        return record

    def _items_up_to(self, record_id: str) -> list[Item]:
        """What was said up to and with a record, oldest first."""
        turns = [_items_of(record) for record in self._records_from(record_id)]
        return [item for turn in reversed(turns) for item in turn]

    def _records_from(self, record_id: str) -> Iterator[_Record]:
        """A record and those that it continues, newest first; none for an empty id."""
        count = 0
        while record_id:
            record = self._reads.get(self._key("response", record_id))
            if record is None:
                raise _lost(record_id)
            count += 1 + len(_items_of(record))
            if count > MAX_ITEMS:
                raise ClientError(
                    ErrorKind.INVALID_REQUEST,
                    f"What is continued holds more than {MAX_ITEMS} items; begin anew.",
                    param="previous_response_id",
                )
            yield record
            record_id = record["previous"]


def _items_of(record: _Record) -> list[Item]:
    """What the client and the bot said in one turn."""
    return [*record["input"], *(record["response"] or {}).get("output", [])]


def _no_item(item_id: str, conversation_id: str) -> ClientError:
    return ClientError(
        ErrorKind.NOT_FOUND,
        f"The conversation {shown(conversation_id)} has no item {shown(item_id)}. "
        "GET /v1/conversations/{id}/items lists those it has.",
        param="item_id",
    )


def _lost(response_id: str) -> ClientError:
    return ClientError(
        ErrorKind.INVALID_REQUEST,
        f"There is no response {shown(response_id)} to continue. {_WHY_NOT} Send the whole "
        "conversation in 'input' instead.",
        param="previous_response_id",
        code="previous_response_not_found",
    )


_WHY_NOT = (
    "It was never made, was made with another key or with 'store': false, was deleted, or is older "
    "than 30 days."
)

_ABANDONED = {
    "code": "server_error",
    "message": "The server was stopped while it worked on this response; ask again.",
}
