"""The fields of requests for pictures."""

import pytest
from openai.types import image_create_variation_params, image_edit_params, image_generate_params

from poeflask.endpoints.images.schema import (
    EDIT_ENVELOPE,
    GENERATION_ENVELOPE,
    VARIATION_ENVELOPE,
)


@pytest.mark.parametrize(
    ("sdk", "schema"),
    [
        (image_generate_params.ImageGenerateParamsBase, GENERATION_ENVELOPE),
        (image_edit_params.ImageEditParamsBase, EDIT_ENVELOPE),
        (image_create_variation_params.ImageCreateVariationParams, VARIATION_ENVELOPE),
    ],
)
def test_every_field_of_the_official_sdk_is_known(sdk, schema):
    """What the SDK can send is read here, not taken for a bot's own parameter."""
    assert set() == set(sdk.__annotations__) - set(schema.fields)
