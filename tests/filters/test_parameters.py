"""A client's wishes become the parameters that the bot declares, in values that it allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.profile import Parameter, Profile
from poeflask.core.prompt import (
    File,
    Limits,
    Message,
    Prompt,
    Sampling,
    Text,
    Thinking,
    ToolResult,
)
from poeflask.filters.parameters import Parameters, coerced, left_out, parameters_for
from tests.filters.laws import check_laws, recut, settle, streams

BOOLEAN = {"type": "boolean"}


def levels(*names):
    """The schema of an enumeration."""
    return {"enum": list(names)}


def numbers(minimum, maximum):
    """The schema of a bounded number."""
    return {"type": "number", "minimum": minimum, "maximum": maximum}


def bot(flags=False, defaults=None, **schemas):
    """A bot that declares parameters with these schemas."""
    parameters = {
        name: Parameter(name=name, schema=schema, default=(defaults or {}).get(name))
        for name, schema in schemas.items()
    }
    return Profile(bot="b", parameters=parameters, flags=flags)


def ask(**wishes):
    """A prompt with these wishes."""
    return Prompt(bot="b", messages=(Message("user", (Text("Hi"),)),), **wishes)


def thinking(**wishes):
    """A prompt with these wishes for thinking."""
    return ask(thinking=Thinking(**wishes))


GPT_5 = bot(reasoning_effort=levels("minimal", "low", "medium", "high"))
GPT_5_4 = bot(reasoning_effort=levels("none", "low", "medium", "high", "xhigh"))
GPT_5_4_PRO = bot(reasoning_effort=levels("medium", "high", "xhigh"))
OPUS_4_6 = bot(output_effort=levels("max", "high", "medium", "low", "none"))
GEMINI_3_PRO = bot(thinking_level=levels("low", "high"))
SONNET_4_5 = bot(thinking_budget=numbers(0, 31999), defaults={"thinking_budget": 0})
OPUS_4_5 = bot(output_effort=levels("high", "medium", "low"), thinking_budget=numbers(0, 63999))
SEED_2 = bot(enable_thinking=BOOLEAN, reasoning_effort=levels("low", "medium", "high"))


@pytest.mark.parametrize(
    ("profile", "effort", "expected"),
    [
        (GPT_5, "high", {"reasoning_effort": "high"}),
        (GPT_5, "xhigh", {"reasoning_effort": "high"}),
        (GPT_5, "none", {"reasoning_effort": "minimal"}),
        (GPT_5_4, "minimal", {"reasoning_effort": "low"}),
        (GPT_5_4, "none", {"reasoning_effort": "none"}),
        (GPT_5_4, "max", {"reasoning_effort": "xhigh"}),
        (GPT_5_4_PRO, "low", {"reasoning_effort": "medium"}),
        (OPUS_4_6, "xhigh", {"output_effort": "high"}),
        (OPUS_4_6, "max", {"output_effort": "max"}),
        (GEMINI_3_PRO, "medium", {"thinking_level": "low"}),
        (GEMINI_3_PRO, "max", {"thinking_level": "high"}),
        (SONNET_4_5, "medium", {"thinking_budget": 15999}),
        (SONNET_4_5, "minimal", {"thinking_budget": 3199}),
        (SONNET_4_5, "max", {"thinking_budget": 31999}),
        (SONNET_4_5, "none", {"thinking_budget": 0}),
        (OPUS_4_5, "medium", {"output_effort": "medium"}),
        (OPUS_4_5, "none", {"output_effort": "low", "thinking_budget": 0}),
        (SEED_2, "high", {"enable_thinking": True, "reasoning_effort": "high"}),
        (SEED_2, "none", {"enable_thinking": False, "reasoning_effort": "low"}),
        (bot(deep_thinking=BOOLEAN), "low", {"deep_thinking": True}),
        (bot(reasoning_enabled=BOOLEAN), "none", {"reasoning_enabled": False}),
        (bot(enable_reasoning=BOOLEAN), "high", {"enable_reasoning": True}),
        (bot(reasoning_effort={"type": "string"}), "odd", {"reasoning_effort": "odd"}),
        (bot(), "high", {}),
    ],
)
def test_effort_becomes_the_nearest_that_the_bot_allows(profile, effort, expected):
    """Each bot has another scale, a budget, or only a switch."""
    assert expected == parameters_for(thinking(effort=effort), profile)


@pytest.mark.parametrize(
    ("profile", "budget", "expected"),
    [
        (SONNET_4_5, 1024, {"thinking_budget": 1024}),
        (SONNET_4_5, 64000, {"thinking_budget": 31999}),
        (OPUS_4_5, 64000, {"thinking_budget": 63999}),
        (bot(thinking_budget=numbers(128, 9000)), 1, {"thinking_budget": 128}),
        (GPT_5, 1024, {"reasoning_effort": "minimal"}),
        (GPT_5, 4000, {"reasoning_effort": "low"}),
        (GPT_5, 10000, {"reasoning_effort": "medium"}),
        (GPT_5, 31999, {"reasoning_effort": "high"}),
        (GPT_5_4, 64000, {"reasoning_effort": "xhigh"}),
        (GPT_5_4, 0, {"reasoning_effort": "none"}),
        (bot(enable_thinking=BOOLEAN), 2000, {"enable_thinking": True}),
        (bot(enable_thinking=BOOLEAN), 0, {"enable_thinking": False}),
    ],
)
def test_a_budget_is_kept_within_the_bots_bounds(profile, budget, expected):
    """Or becomes a class of effort."""
    assert expected == parameters_for(thinking(budget_tokens=budget), profile)


@pytest.mark.parametrize(
    ("profile", "enabled", "expected"),
    [
        (SONNET_4_5, True, {"thinking_budget": 15999}),
        (SONNET_4_5, False, {"thinking_budget": 0}),
        (OPUS_4_5, False, {"output_effort": "low", "thinking_budget": 0}),
        (GPT_5_4, False, {"reasoning_effort": "none"}),
        (GPT_5_4, True, {}),
        (
            bot(reasoning_effort=levels("none", "high"), defaults={"reasoning_effort": "none"}),
            True,
            {"reasoning_effort": "high"},
        ),
        (bot(thinking_budget=numbers(0, 9), defaults={"thinking_budget": 4}), True, {}),
        (SEED_2, True, {"enable_thinking": True}),
    ],
)
def test_thinking_is_switched(profile, enabled, expected):
    """On means on also for a bot that does not think by itself."""
    assert expected == parameters_for(thinking(enabled=enabled), profile)


def test_effort_and_budget_each_go_to_their_own_parameter():
    """A client may say both; off wins."""
    both = thinking(effort="high", budget_tokens=2000)
    off = thinking(effort="high", budget_tokens=2000, enabled=False)

    assert {"output_effort": "high", "thinking_budget": 2000} == parameters_for(both, OPUS_4_5)
    assert {"output_effort": "low", "thinking_budget": 0} == parameters_for(off, OPUS_4_5)


@pytest.mark.parametrize(
    ("profile", "wanted", "expected"),
    [
        (bot(web_search=BOOLEAN), True, {"web_search": True}),
        (bot(web_search=BOOLEAN), False, {"web_search": False}),
        (bot(enable_web_search=BOOLEAN), True, {"enable_web_search": True}),
        (
            bot(web_search_enabled=BOOLEAN, web_search_force=BOOLEAN),
            True,
            {"web_search_enabled": True},
        ),
        (bot(tool_web_search=BOOLEAN), False, {"tool_web_search": False}),
        (
            bot(web_search=BOOLEAN, websearch_reasoning_effort=levels("low", "high")),
            True,
            {"web_search": True},
        ),
        (
            bot(websearch_reasoning_effort=levels("none", "low", "high")),
            True,
            {"websearch_reasoning_effort": "low"},
        ),
        (bot(), True, {}),
    ],
)
def test_web_search_finds_its_switch(profile, wanted, expected):
    """Under each name that bots have for it."""
    assert expected == parameters_for(ask(web_search=wanted), profile)


def test_single_values_go_where_they_are_declared():
    """In the type and within the bounds that the bot declares."""
    profile = bot(
        seed={"type": "string"},
        temperature=numbers(0, 1),
        max_output_tokens=numbers(10000, 16000),
        verbosity=levels("low", "high"),
        top_p=numbers(0, 1),
    )
    prompt = ask(
        sampling=Sampling(seed=7, temperature=1.5, top_p=0.5, top_k=3),
        limits=Limits(max_tokens=100),
        verbosity="medium",
    )

    assert {
        "seed": "7",
        "temperature": 1,
        "max_output_tokens": 10000,
        "verbosity": "low",
        "top_p": 0.5,
    } == parameters_for(prompt, profile)
    assert {} == parameters_for(prompt, bot())


def test_what_the_client_gives_as_a_parameter_wins():
    """Known ones are coerced but not bounded, unknown ones pass unchanged."""
    prompt = ask(
        thinking=Thinking(effort="low"),
        parameters={"reasoning_effort": "High", "duration": 5, "odd": "true"},
    )
    profile = bot(reasoning_effort=levels("low", "high"), duration=levels("5", "10"))

    assert {"reasoning_effort": "high", "duration": "5", "odd": "true"} == parameters_for(
        prompt, profile
    )


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        (5, levels("5", "10"), "5"),
        (5.0, levels("5", "10"), "5"),
        ("5", {"enum": [5, 10]}, 5),
        (True, levels("true", "false"), "true"),
        ("9:16", levels("16:9", "9:16"), "9:16"),
        ("7", levels("5"), "7"),
        ([1], levels("5"), [1]),
        ("True", BOOLEAN, True),
        ("off", BOOLEAN, False),
        (1, BOOLEAN, True),
        ("maybe", BOOLEAN, "maybe"),
        ("12", {"type": "number"}, 12),
        (" -3 ", {"type": "integer"}, -3),
        ("0.5", {"type": "number"}, 0.5),
        ("2.0", {"type": "integer"}, 2),
        ("many", {"type": "number"}, "many"),
        ("nan", {"type": "number"}, "nan"),
        (None, {"type": "number"}, None),
        (7, {"type": "string"}, "7"),
        (False, {"type": "string"}, "false"),
        ("x", {"type": "string"}, "x"),
        ({"a": 1}, {"type": "object"}, {"a": 1}),
        ("x", {}, "x"),
    ],
)
def test_values_take_the_type_that_the_schema_asks_for(value, schema, expected):
    """Numeric members of enumerations are strings; what is not clear stays."""
    got = coerced(value, schema)

    assert (type(expected), expected) == (type(got), got)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(), inner, max_size=2)
    ),
    max_leaves=3,
)


@given(JSON, st.sampled_from(("boolean", "number", "integer", "string", None)))
def test_any_value_can_be_coerced(value, kind):
    """Clients send anything; coercing twice changes nothing more."""
    schema = {"type": kind} if kind else levels("1", "true", "a")
    once = coerced(value, schema)

    assert once == coerced(once, schema)


def test_flags_are_written_behind_the_users_last_text():
    """For bots that read no parameters."""
    messages = (
        Message("user", (Text("Draw"), File(url="https://x.example/a"))),
        Message("tool", (ToolResult(call_id="1", text="ok"),)),
    )
    prompt = Prompt(bot="b", messages=messages, parameters={"aspect": "16:9", "hd": True, "n": 2.0})
    got = Parameters(bot(flags=True)).on_prompt(prompt)

    assert Text("Draw --aspect 16:9 --hd true --n 2") == got.messages[0].parts[0]
    assert messages[1] == got.messages[1]
    assert {} == got.parameters


def test_flags_need_a_place():
    """A message without text gets one; without a message of the user they stay parameters."""
    picture = Message("user", (File(url="https://x.example/a"),))
    system = Message("system", (Text("Be brief."),))
    profile = bot(flags=True)
    wish = {"style": "a\n b"}
    shown = Parameters(profile).on_prompt(Prompt(bot="b", messages=(picture,), parameters=wish))
    kept = Prompt(bot="b", messages=(system,), parameters=wish)

    assert Text("--style a b") == shown.messages[0].parts[1]
    assert kept == Parameters(profile).on_prompt(kept)


def test_without_parameters_there_are_no_flags():
    """The text stays as it is."""
    assert ask() == Parameters(bot(flags=True)).on_prompt(ask())


def test_parameters_are_set_on_the_prompt():
    """All else of the prompt stays."""
    prompt = thinking(effort="high")
    got = Parameters(GPT_5).on_prompt(prompt)

    assert {"reasoning_effort": "high"} == got.parameters
    assert prompt.messages == got.messages


def test_the_owners_defaults_stand_under_every_wish():
    """The client's parameters and wishes win; what it does not speak of is the owner's."""
    profile = replace(GPT_5, defaults={"reasoning_effort": "high", "size": "L", "web": True})
    asked = ask(thinking=Thinking(effort="low"), parameters={"size": "S"})

    assert {"reasoning_effort": "high", "size": "L", "web": True} == parameters_for(ask(), profile)
    assert {"reasoning_effort": "low", "size": "S", "web": True} == parameters_for(asked, profile)


@pytest.mark.parametrize(
    ("declared", "wishes", "temperature", "parameters"),
    [
        ({}, {}, 0.2, {}),
        ({}, {"sampling": Sampling(temperature=0.9)}, 0.9, {}),
        ({}, {"parameters": {"temperature": 1}}, None, {"temperature": 1}),
        ({"temperature": numbers(0, 2)}, {}, None, {"temperature": 0.2}),
        (
            {"temperature": numbers(0, 2)},
            {"sampling": Sampling(temperature=0.9)},
            0.9,
            {"temperature": 0.9},
        ),
    ],
)
def test_a_default_temperature_goes_where_the_bot_looks_for_it(
    declared, wishes, temperature, parameters
):
    """To the protocol's own place, unless the bot declares it as a parameter."""
    profile = replace(bot(**declared), defaults={"temperature": 0.2})
    got = Parameters(profile).on_prompt(ask(**wishes))

    assert (temperature, parameters) == (got.sampling.temperature, got.parameters)


def test_wishes_that_nobody_can_honour_are_named():
    """Temperature and length are honoured without the bot."""
    prompt = ask(
        sampling=Sampling(
            temperature=1, top_p=1, top_k=1, seed=0, presence_penalty=0, frequency_penalty=0
        ),
        limits=Limits(max_tokens=1),
        thinking=Thinking(enabled=False),
        verbosity="low",
        web_search=False,
    )

    assert (
        "top_p",
        "top_k",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "verbosity",
        "thinking",
        "web_search",
    ) == left_out(prompt, bot())
    assert () == left_out(ask(), bot())


def test_declared_or_given_parameters_are_not_named():
    """The bot has a place for them, or the client found one."""
    prompt = ask(
        sampling=Sampling(seed=1, top_p=1),
        thinking=Thinking(effort="high"),
        web_search=True,
        parameters={"top_p": 1},
    )
    profile = bot(seed={"type": "string"}, deep_thinking=BOOLEAN, tool_web_search=BOOLEAN)

    assert () == left_out(prompt, profile)


@given(st.data())
def test_replies_pass_unchanged(data):
    """This filter has only a prompt side."""
    stream = data.draw(streams())

    assert stream == settle(Parameters(bot()), stream)
    check_laws(lambda: Parameters(bot()), stream, data.draw(recut(stream)))
    assert Parameters(bot()).follow_up is None
