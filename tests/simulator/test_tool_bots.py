import pytest

from poeflask.core import json_text
from poeflask.simulator.roster import ROSTER
from poeflask.simulator.steps import DONE, Answer, Event
from tests.simulator.queries import called, gave, native_calls, query, said, tool, user

WEATHER = tool("get_weather", "Tells the weather.", city={"type": "string"})
CLOCK = tool("get_time", "Tells the time.", zone={"type": "string"})
FILES = [
    tool("Write", file_path={"type": "string"}, content={"type": "string"}),
    tool("Read", file_path={"type": "string"}),
]
PROMPT = (
    '<tools>\n{"name":"get_weather","parameters":{"type":"object","properties":'
    '{"city":{"type":"string"}},"required":["city"]}}\n</tools>\n'
    '<tool_call:k3 name="NAME">\n{"KEY": VALUE}\n</tool_call:k3>'
)
SYSTEM = {"role": "system", "content": PROMPT}
RESULT = '<tool_result:k3 id="c" name="get_weather">\nsunny\n</tool_result:k3>'


def act(name, *messages, **fields):
    """What a bot does with these messages."""
    return list(ROSTER[name].act(query(*messages, **fields)))


def test_the_tool_that_fits_is_called_with_what_was_said():
    """Of several tools the one whose name was said is called."""
    got = act("tool-user", user("What is the weather in Paris?"), tools=[CLOCK, WEATHER])

    assert [("get_weather", {"city": "Paris"})] == native_calls(iter(got))


def test_a_call_comes_in_pieces_as_openai_writes_them():
    """Only the first delta names the call; a finish, a usage without choices, and done end it."""
    got = act("tool-user", user("The weather in Paris?"), tools=[WEATHER])

    first, second = got[0].data["choices"][0], got[1].data["choices"][0]
    call = first["delta"]["tool_calls"][0]
    assert {"name": "get_weather", "arguments": ""} == call["function"]
    assert {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]} == second["delta"]
    assert "tool_calls" == got[-3].data["choices"][0]["finish_reason"]
    assert ([], 4) == (got[-2].data["choices"], got[-2].data["usage"]["prompt_tokens"])
    assert DONE == got[-1]


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"type": "string"}, {}])
def test_a_tool_whose_schema_is_no_object_is_called_without_arguments(schema):
    """Arguments are an object, whatever the schema says."""
    odd = {"type": "function", "function": {"name": "odd", "parameters": schema}}
    got = act("tool-user", user("Do it."), tools=[odd])

    assert [("odd", {})] == native_calls(iter(got))


def test_twice_means_two_calls():
    """Several calls are made if they are asked for, with values and ids of their own."""
    got = act("tool-user", user("The weather in Paris and in Rome, twice"), tools=[WEATHER])

    cities = [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]
    assert cities == native_calls(iter(got))
    calls = [c for step in got[:-3] for c in step.data["choices"][0]["delta"]["tool_calls"]]
    assert 2 == len({call["id"] for call in calls if "id" in call})


@pytest.mark.parametrize(
    "asked",
    [
        query(
            user("The weather in Paris?"),
            called(("get_weather", {"city": "Paris"})),
            gave("sunny"),
            tools=[WEATHER],
        ),
        query(
            user("The weather in Paris?"),
            tools=[WEATHER],
            tool_calls=[{"id": "c", "function": {"name": "get_weather", "arguments": "{}"}}],
            tool_results=[{"role": "tool", "name": "w", "tool_call_id": "c", "content": "sunny"}],
        ),
    ],
    ids=["in the query", "beside the query"],
)
def test_results_are_answered_with_words(asked):
    """Whichever way results are sent, the answer cites them and calls nothing."""
    got = list(ROSTER["tool-user"].act(asked))

    assert "Done. The tool said: sunny" == said(iter(got))
    assert [] == native_calls(iter(got))
    assert {"json", "done"} == {step.name for step in got}


def test_tools_may_be_declined():
    """A user who wants no tool gets words, in json events since tools were passed."""
    got = act("tool-user", user("Hi! Use no tools."), tools=[WEATHER])

    assert "No tool is needed. You said: Hi! Use no tools." == said(iter(got))
    assert "json" == got[0].name


def test_new_words_after_a_result_are_a_new_round():
    """A result of an earlier question does not keep the bot from calling again."""
    got = act(
        "tool-user",
        user("The weather in Paris?"),
        called(("get_weather", {"city": "Paris"})),
        gave("sunny"),
        {"role": "bot", "content": "Sunny."},
        user("And the weather in Rome?"),
        tools=[WEATHER],
    )

    assert [("get_weather", {"city": "Rome"})] == native_calls(iter(got))


def test_the_silent_bot_is_silent_when_it_gets_tools():
    """Tool-Silent ends with nothing, but obeys a prompt's tools."""
    assert [DONE] == act("tool-silent", user("hi"), tools=[WEATHER])
    assert "<tool_call:k3" in said(iter(act("tool-silent", SYSTEM, user("The weather in Oz?"))))


def test_the_refuser_refuses_as_poe_does():
    """Tool-Refuser answers HTTP 400 with Poe's code, but obeys a prompt's tools."""
    (only,) = act("tool-refuser", user("hi"), tools=[WEATHER])

    assert isinstance(only, Answer)
    refusal = json_text.read(only.body)["error"]
    assert (400, "unsupported_feature_for_model") == (only.status, refusal["code"])
    assert "<tool_call:k3" in said(iter(act("tool-refuser", SYSTEM, user("The weather in Oz?"))))


def test_prompted_tools_are_called_in_the_prompts_form():
    """A call is written as the prompt's example is, in text events."""
    got = act("prompted-tools", SYSTEM, user("The weather in Paris?"))

    call = '<tool_call:k3 name="get_weather">\n{"city":"Paris"}\n</tool_call:k3>\n'
    assert f"Let me see.\n\n{call}" == said(iter(got))
    assert {"text", "done"} == {step.name for step in got}


def test_prompted_results_are_answered_with_words():
    """Results in the user's text are cited."""
    asked = [SYSTEM, user("The weather?"), {"role": "bot", "content": "..."}, user(RESULT)]

    assert "Done. The tool said: sunny" == said(iter(act("prompted-tools", *asked)))


def test_native_tools_mean_nothing_to_a_bot_without_them():
    """Prompted-Tools ignores what the protocol carries."""
    got = act("prompted-tools", user("hi"), tools=[WEATHER])

    assert "No tool is needed. You said: hi" == said(iter(got))


def test_a_call_alone_is_made_without_words():
    """A prompt that wants a call and nothing else gets no words before it."""
    wanted = user("The weather in Paris? Answer with a tool call and nothing else.")
    got = said(iter(act("prompted-tools", SYSTEM, wanted)))

    assert got.startswith("<tool_call:k3")


@pytest.mark.parametrize("name", ["tool-user", "prompted-tools", "agent", "prompted-agent"])
def test_json_is_written_where_no_tool_is_called(name):
    """Like other bots these can give their answer in the form that the user asks for."""
    asked = 'Plan 3 days.\n\nAnswer with JSON only, valid against {"type": "integer"}'

    assert "3" == said(iter(act(name, user(asked))))


def test_the_agent_writes_reads_and_is_done():
    """The task takes three turns: write, read, and a word of what was read."""
    turns = [user("Create a.txt with content 'hi' and read it back")]
    write = ("Write", {"file_path": "a.txt", "content": "hi"})
    read = ("Read", {"file_path": "a.txt"})

    assert [write] == native_calls(iter(act("agent", *turns, tools=FILES)))
    turns += [called(write), gave("written")]
    assert [read] == native_calls(iter(act("agent", *turns, tools=FILES)))
    turns += [called(read), gave("hi")]
    assert "Done. The tool said: written / hi" == said(iter(act("agent", *turns, tools=FILES)))


def test_what_a_client_adds_later_does_not_begin_the_task_anew():
    """A reminder after the result is not a new task."""
    write = ("Write", {"file_path": "a.txt", "content": "hi"})
    task = user("Create a.txt with content 'hi'")
    got = act("agent", task, called(write), gave("ok"), user("Remember the list."), tools=FILES)

    assert [("Read", {"file_path": "a.txt"})] == native_calls(iter(got))


def test_the_agent_knows_its_round_by_the_calls_beside_the_query():
    """A client that sends only the last round's calls is understood."""
    task = user("Create a.txt with content 'hi'")
    result = [{"role": "tool", "name": "Read", "tool_call_id": "c", "content": "hi"}]
    read = {"name": "Read", "arguments": '{"file_path": "a.txt"}'}
    write = {"name": "Write", "arguments": "{}"}

    def turn(function):
        calls = [{"id": "c", "function": function}]
        return act("agent", task, tools=FILES, tool_calls=calls, tool_results=result)

    assert [("Read", {"file_path": "a.txt"})] == native_calls(iter(turn(write)))
    assert "Done. The tool said: hi" == said(iter(turn(read)))


def test_the_prompted_agent_does_the_same_by_text():
    """The agent's twin reads tools, and results, from the prompt's text."""
    prompt = "\n".join(json_text.write(tool["function"]) for tool in FILES)
    system = {"role": "system", "content": f'{prompt}\n<tool_call:k3 name="NAME">'}
    turns = [system, user("Create a.txt with content 'hi'")]

    assert '<tool_call:k3 name="Write">\n{"file_path":"a.txt","content":"hi"}\n' in said(
        iter(act("prompted-agent", *turns))
    )
    turns += [{"role": "bot", "content": "..."}, user(RESULT)]
    assert '<tool_call:k3 name="Read">' in said(iter(act("prompted-agent", *turns)))
    turns += [{"role": "bot", "content": "..."}, user(RESULT)]
    assert "Done. The tool said: sunny / sunny" == said(iter(act("prompted-agent", *turns)))


def test_the_agent_without_tools_talks():
    """A request beside the task, such as one for a title, gets plain words."""
    got = act("agent", user("Create a title for a.txt"))

    assert "No tool is needed. You said: Create a title for a.txt" == said(iter(got))
    assert Event("done", {}) == got[-1]
