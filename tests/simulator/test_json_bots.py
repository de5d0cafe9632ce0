import jsonschema_rs

from poeflask.core import json_text
from poeflask.simulator.json_bots import ANSWER, find_schema
from poeflask.simulator.roster import ROSTER
from tests.simulator.queries import query, said, user

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
ASKED = f"Plan 3 days in Oslo.\n\nAnswer with JSON, valid against:\n{json_text.write(SCHEMA)}"


def act(name, *messages):
    """What a bot says to these messages."""
    return said(ROSTER[name].act(query(*messages)))


def test_the_writer_keeps_the_schema_between_its_sentences():
    """The JSON stands in a fence, is valid, and is made of what was said."""
    before, fenced, after = act("json-writer", user(ASKED)).split("```")

    got = json_text.read(fenced.removeprefix("json"))
    assert {"city": "Oslo", "days": 3} == got
    assert ("Here is the JSON:\n\n", "\n\nI hope it helps.") == (before, after)


def test_the_stumbler_is_wrong_until_it_is_told():
    """The first answer breaks the schema, the answer to the complaint keeps it."""
    first = act("json-stumbler", user(ASKED))
    told = user("Your last answer is not of the form that was asked for.")
    second = act("json-stumbler", user(ASKED), {"role": "bot", "content": first}, told)

    assert not jsonschema_rs.is_valid(SCHEMA, json_text.read(first))
    assert jsonschema_rs.is_valid(SCHEMA, json_text.read(second))


def test_the_last_schema_counts():
    """A schema may be wrapped, and the one that was named last is meant."""
    wrapped = {"name": "plan", "schema": SCHEMA}

    assert SCHEMA == find_schema(f'{{"type": "array"}} then {json_text.write(wrapped)}')


def test_without_a_schema_there_is_an_answer():
    """A prompt that only shows an example object gets an object with an answer."""
    assert ANSWER == find_schema('Answer with JSON. For example: {"key":"value"}')


def test_named_keys_are_a_schema():
    """A user who names the keys and no schema gets an object of them."""
    asked = "Tell a joke. Answer with JSON with `setup` and `punchline` keys, nothing else."

    _, fenced, _ = act("json-writer", user(asked)).split("```")
    assert {"setup", "punchline"} == set(json_text.read(fenced.removeprefix("json")))
