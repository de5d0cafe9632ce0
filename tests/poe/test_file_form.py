"""The form that a file is uploaded in."""

import pytest
from urllib3.filepost import encode_multipart_formdata

from poeflask.poe.file_form import form_with


@pytest.mark.parametrize("content", [b"", b"a", b"\x89\r\n\r\n--" * 3])
@pytest.mark.parametrize("name", ["a.png", 'a"\r\n\r\nX: é'])
def test_the_form_is_as_usual(name, content):
    """Whatever the file is called and holds."""
    form, form_type = form_with(name, content, "image/png")
    boundary = form_type.partition("boundary=")[2]
    usual = encode_multipart_formdata({"file": (name, content, "image/png")}, boundary)

    assert usual == (b"".join(form), form_type)
    assert len(usual[0]) == len(form)


def test_the_content_is_not_copied():
    """A picture of ten megabytes is in memory once."""
    content = b"a picture"
    form, _ = form_with("a.png", content, "image/png")

    assert any(piece is content for piece in form)
