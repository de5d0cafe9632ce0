"""models.yaml, read and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.override import Override
from poeflask.poe import yaml_text
from poeflask.poe.models_schema import FIELDS, MAX_FALLBACKS, MAX_MODELS
from poeflask.poe.overrides import Overrides, OverridesError, read, remarks

FULL = """
models:
  Claude-Sonnet-4.5:
    alias: [sonnet, claude-best]
    hidden: true
    disabled: false
    custom: false
    owner: Anthropic
    description: "Thinks.\\nWell."
    created: 2025-09-29
    parameters: {output_effort: high, web_search: true}
    tools: prompted
    reasoning: tags
    buffered: true
    flags: false
    fallback: [GPT-5, other]
    price: {prompt: 3e-6, completion: "0.000015", request: 0}
    input: [text, image]
    output: text
    context_tokens: 200000
    max_output_tokens: 64000
  Echo: {alias: other}
  Old:
groups:
  cheap: [Echo, sonnet]
  none: []
"""


def test_a_file_says_what_differs():
    """Each bot has what is said of it; the rest is left as it is."""
    said = read(FULL)

    assert (
        Override(
            aliases=("sonnet", "claude-best"),
            hidden=True,
            disabled=False,
            custom=False,
            owner="Anthropic",
            description="Thinks.\nWell.",
            created_s=1759104000,
            parameters={"output_effort": "high", "web_search": True},
            tools="prompted",
            reasoning="tags",
            buffered=True,
            flags=False,
            fallbacks=("GPT-5", "other"),
            price={"prompt": "0.000003", "completion": "0.000015", "request": "0"},
            input_modalities=("text", "image"),
            output_modalities=("text",),
            context_tokens=200000,
            max_output_tokens=64000,
        )
        == said.bots["Claude-Sonnet-4.5"]
    )
    assert Override(aliases=("other",)) == said.of("echo")
    assert Override() == said.of("Old") == said.of("nobody")
    assert {"cheap": ("Echo", "sonnet"), "none": ()} == said.groups


def test_the_example_names_every_field():
    """So that none goes untested."""
    assert set(FIELDS) == set(yaml_text.read(FULL)["models"]["Claude-Sonnet-4.5"])


def test_names_are_found_in_any_case():
    """Aliases and bots lead to the owner's spelling; other names stay as they are."""
    said = read(FULL)

    assert ["Claude-Sonnet-4.5", "Echo", "who"] == [
        said.named(name) for name in ("SONNET", "eCHO", "who")
    ]
    assert said.bots["Echo"] is said.of("nobody", "ECHO")


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "models:\n", "models: {}\n", "groups:\n", "models: {}\ngroups: {}"]
)
def test_an_empty_file_says_nothing(text):
    """A file that was just made is no fault."""
    assert read(text) == Overrides()


BAD_FILES = [
    ("models: 3", "models: must be a table of bots"),
    ("- a", 'must begin with "models:"'),
    ("other: 1", "other: there is no such field; there are models, groups"),
    ("model: {}", "model: there is no such field; perhaps 'models' is meant"),
    ("groups: [a]", "groups: must be a table of groups"),
    ("groups: {'a b': [x]}", "groups.a b: must be a name of at most 64"),
    ("groups: {a: {x: y}}", "groups.a: must be a name;"),
    ("groups: {a: ['@b']}", "groups.a: must be a name without '@'"),
    ("groups: {a: [x], A: [y]}", "groups.A: is the same group as 'a'"),
    ("models: {a: 3}", "models.a: must be a table of fields"),
    ("models: {1.5: {}}", "models.1.5: must be a name; one that reads as a number"),
    ("models: {true: {}}", "models.True: must be a name"),
    ("models: {'@a': {}}", "models.@a: must be a name without '@'"),
    ("models: {' a': {}}", "must be a name without"),
    ("models: {'': {}}", "must be a name of 1 to 128"),
    (f"models: {{{'x' * 129}: {{}}}}", "must be a name of 1 to 128"),
    ("models: {a: {}, A: {}}", "models.A: is the same bot as 'a'"),
    ("models: {a: {tools: some}}", "models.a.tools: must be one of: auto, native, prompted"),
    ("models: {a: {tools: }}", "models.a.tools: must be one of"),
    ("models: {a: {reasoning: 1}}", "models.a.reasoning: must be one of"),
    ("models: {a: {hiden: true}}", "models.a.hiden: there is no such field; perhaps 'hidden'"),
    ("models: {a: {zap: 1}}", "models.a.zap: there is no such field; there are alias, hidden"),
    ("models: {a: {buffered: 'yes'}}", "models.a.buffered: must be true or false"),
    ("models: {a: {hidden: 1}}", "models.a.hidden: must be true or false"),
    ("models: {a: {flags: }}", "models.a.flags: says nothing"),
    ("models: {a: {alias: 4.5}}", "models.a.alias: must be a name; one that reads as a number"),
    ("models: {a: {alias: []}}", "models.a.alias: must be a name, or a list of 1 to 50"),
    ("models: {a: {alias: [x, X]}}", "models.a.alias: names the same twice"),
    ("models: {a: {alias: A}}", "models.a.alias: 'A' is the bot's own name"),
    ("models: {a: {alias: b}, B: {}}", "models.a.alias: 'b' is the name of another bot"),
    ("models: {a: {alias: x}, b: {alias: X}}", "models.b.alias: 'X' is also an alias of a"),
    ("models: {a: {fallback: A}}", "models.a.fallback: names the bot itself"),
    ("models: {a: {alias: x, fallback: X}}", "models.a.fallback: names the bot itself"),
    (
        f"models: {{a: {{fallback: [{','.join(f'b{n}' for n in range(MAX_FALLBACKS + 1))}]}}}}",
        f"a list of 1 to {MAX_FALLBACKS} names",
    ),
    ("models: {a: {price: 3}}", "models.a.price: must be a table of some of: prompt"),
    ("models: {a: {price: {input: 3}}}", "models.a.price: must be a table of some of"),
    ("models: {a: {price: {prompt: cheap}}}", "models.a.price: prompt must be US dollars"),
    ("models: {a: {price: {prompt: -1}}}", "prompt must be US dollars"),
    ("models: {a: {price: {prompt: .nan}}}", "prompt must be US dollars"),
    ("models: {a: {price: {prompt: true}}}", "prompt must be US dollars"),
    ("models: {a: {price: {prompt: 1e999999999}}}", "prompt must be US dollars"),
    ("models: {a: {parameters: [x]}}", "models.a.parameters: must be a table"),
    ("models: {a: {parameters: {x: .inf}}}", "models.a.parameters: must be a table"),
    ("models: {a: {parameters: {x: 2024-01-01}}}", "models.a.parameters: must be a table"),
    ("models: {a: {parameters: {1: x}}}", "models.a.parameters: must be a table"),
    ("models: {a: {input: [smell]}}", "models.a.input: must be a list of some of: text, image"),
    ("models: {a: {output: []}}", "models.a.output: must be a list"),
    ("models: {a: {created: soon}}", "models.a.created: must be a day such as"),
    ("models: {a: {created: -1}}", "models.a.created: must be a day"),
    ("models: {a: {context_tokens: 0}}", "models.a.context_tokens: must be a whole number"),
    ("models: {a: {max_output_tokens: true}}", "must be a whole number from 1"),
    ("models: {a: {description: 5}}", "models.a.description: must be a text"),
    ("models: {a: [", "no YAML"),
    ("models: {a: {}, a: {}}", "stands twice"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD_FILES)
def test_a_wrong_file_is_told_where_it_is_wrong(text, sentence):
    """The sentence names the place and what would be right."""
    with pytest.raises(OverridesError) as caught:
        read(text)

    assert sentence in str(caught.value)


def test_all_faults_are_told_at_once_but_not_endlessly():
    """The first five, and how many there are besides."""
    with pytest.raises(OverridesError) as caught:
        read("models:\n" + "".join(f"  b{n}: {{tools: x}}\n" for n in range(9)))

    assert 5 == str(caught.value).count("must be one of")
    assert str(caught.value).endswith("And 4 more.")


def test_a_fault_is_one_short_line():
    """Whatever the names in the file are, the log and the terminal can bear them."""
    with pytest.raises(OverridesError) as caught:
        read(yaml_text.written({"models": {"\x1b[31m\n" + "x" * 10_000: {}}}))

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_only_true_and_false_are_switches():
    """A bot may be called No, and nothing that looks like a switch is taken for one."""
    assert ["No", "off", "y"] == list(read("models: {No: , off: {hidden: TRUE}, y: }").bots)
    with pytest.raises(OverridesError, match=r"models\.a\.hidden: must be true or false"):
        read("models: {a: {hidden: yes}}")


def test_too_many_bots_are_refused():
    """The bound is told."""
    with pytest.raises(OverridesError, match=f"{MAX_MODELS} bots at most"):
        read("models:\n" + "".join(f"  b{n}:\n" for n in range(MAX_MODELS + 1)))


def test_what_may_not_be_meant_is_remarked():
    """Shadowed bots, names that Poe does not know, and members of groups that nobody knows."""
    said = read(
        """
        models:
          Claude: {alias: gpt-4o}
          Painter: {hidden: true, fallback: [Paintr]}
          Mine: {custom: true}
          Ecko: {hidden: true}
        groups: {all: [claude, gpt-4o, mine, zorro]}
        """
    )
    listed = [("claude", "Claude"), ("gpt-4o", "GPT-4o"), ("painter", "Painter"), ("echo", "Echo")]
    told = remarks(said, listed)

    assert [
        "The alias 'gpt-4o' means Claude, so that Poe's bot GPT-4o cannot be asked.",
        "Poe lists no bot 'Ecko'; perhaps 'Echo' is meant. If it is a private one, "
        "'custom: true' lists it here.",
        "The group 'all' names 'zorro', which is no bot of Poe's list or of this file.",
        "The fallback of Painter names 'Paintr', which is no bot of Poe's list or of this file; "
        "perhaps 'painter' is meant.",
    ] == list(told)


plain_fields: dict[str, st.SearchStrategy[Any]] = {
    "hidden": st.booleans(),
    "disabled": st.booleans(),
    "custom": st.booleans(),
    "owner": st.text(max_size=9).filter(str.isprintable),
    "tools": st.sampled_from(["auto", "native", "prompted"]),
    "context_tokens": st.integers(1, 10**9),
    "parameters": st.dictionaries(st.sampled_from("abc"), st.integers() | st.booleans()),
}
bots = st.fixed_dictionaries({}, optional=plain_fields)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(["A-b", "c.d", "e/f", "ü"]), bots, max_size=4))
def test_a_written_file_reads_back_the_same(models: dict[str, dict[str, Any]]) -> None:
    """What was to be said is what is understood."""
    said = read(yaml_text.written({"models": models}))
    names = {"context_tokens", "parameters", *plain_fields}

    assert list(models) == list(said.bots)
    assert models == {
        bot: {name: getattr(override, name) for name in names if name in models[bot]}
        for bot, override in said.bots.items()
    }


def test_the_page_about_it_is_true():
    """Its example is a good file, and its tables name each field and each command's word."""
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]

    assert {"cheap"} == set(read(example).groups)
    assert [] == [field for field in FIELDS if f"`{field}`" not in page]
