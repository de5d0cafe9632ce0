from poeflask.simulator.bots import BOTS
from poeflask.simulator.faults import FAULTS
from poeflask.simulator.json_bots import JSON_BOTS
from poeflask.simulator.roster import ROSTER, bot_list, model_list
from poeflask.simulator.tool_bots import TOOL_BOTS

MODELS = {model["id"]: model for model in model_list("http://sim")["data"]}


def test_no_two_bots_share_a_name():
    """Every bot of every table is in the roster, whatever the case of its name."""
    assert len((*BOTS, *FAULTS, *JSON_BOTS, *TOOL_BOTS)) == len(ROSTER)


def test_every_bot_is_described():
    """The list of bots tells a sentence of each."""
    assert all(entry["description"].endswith(".") for entry in bot_list())
    assert {
        "name": "Echo",
        "description": "Says what you said, word by word, at the pace of parameter interval_ms.",
    } == bot_list()[0]


def test_a_model_has_poes_fields():
    """A bot that draws is described as Poe describes one."""
    assert {
        "id": "link-painter",
        "object": "model",
        "created": 1_767_225_600_000,
        "description": "Paints a picture and tells of it by a Markdown link only.",
        "owned_by": "Simulator",
        "root": "link-painter",
        "architecture": {
            "input_modalities": ["text"],
            "output_modalities": ["image"],
            "modality": "text->image",
        },
        "supported_features": [],
        "supported_endpoints": [],
        "pricing": None,
        "context_window": None,
        "context_length": None,
        "metadata": {
            "display_name": "Link-Painter",
            "image": {
                "url": "http://sim/simulator/icon",
                "alt": "Link-Painter",
                "width": 64,
                "height": 64,
            },
            "url": "http://sim/Link-Painter",
        },
        "reasoning": None,
        "parameters": [],
    } == MODELS["link-painter"]


def test_capabilities_differ():
    """Tools, parameters, reasoning and modalities are declared where they are."""
    declared = {name for name, model in MODELS.items() if model["supported_features"] == ["tools"]}
    assert {"tool-user", "agent", "tool-silent", "tool-refuser"} == declared
    knob = MODELS["painter"]["parameters"][0]
    assert ("aspect", "1:1") == (knob["name"], knob["default_value"])
    budget = {"max_tokens": 31_999, "min_tokens": 0}
    assert budget == MODELS["thinker"]["reasoning"]["budget"]
    assert ["text", "image"] == MODELS["painter"]["architecture"]["input_modalities"]


def test_faults_are_hidden():
    """No fault bot is in the model list."""
    assert not {bot.name.lower() for bot in FAULTS} & MODELS.keys()
