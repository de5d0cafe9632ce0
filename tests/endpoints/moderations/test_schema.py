"""The form of a judgement is the form of the answer."""

from openai.types.moderation import Categories

from poeflask.core.json_schema import check_schema
from poeflask.endpoints.moderations.schema import CATEGORIES, JUDGEMENT, ModerationEnvelope


def test_the_categories_are_those_of_the_sdk():
    """All thirteen, under the names that stand in the JSON."""
    names = {field.alias or name for name, field in Categories.model_fields.items()}

    assert names == set(CATEGORIES)
    assert 13 == len(CATEGORIES)


def test_a_judgement_has_a_score_for_each():
    """The schema can be used, and nothing may be left out."""
    check_schema(JUDGEMENT, "x")

    assert list(CATEGORIES) == JUDGEMENT["required"]
    assert {"input", "model"} == set(ModerationEnvelope().fields)
