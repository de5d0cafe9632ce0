"""A kept file and its record."""

from poeflask.core import json_text
from poeflask.core.kept_file import KeptFile


def test_a_record_goes_through_json_and_comes_back():
    """What is written down is the file that is read."""
    file = KeptFile(
        id="file-1",
        name="ü.pdf",
        content_type="application/pdf",
        purpose="user_data",
        size=3,
        created_s=1.5,
        end_s=9.0,
    )

    assert file == KeptFile.of_record(json_text.read(json_text.write(file.record())))
