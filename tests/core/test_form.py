"""Forms as values."""

from poeflask.core.form import Form, FormFile


def test_contents_stay_out_of_sight():
    """A form in an error or a log does not show what is in its files."""
    form = Form((("model", "Painter"),), (FormFile(key="image", content=b"secret"),))

    assert "secret" not in repr(form)
    assert "Painter" in repr(form)
