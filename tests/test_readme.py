"""The README tells what the code does."""

from pathlib import Path

from poeflask.settings import markdown_table

README = Path(__file__).parent.parent / "README.md"


def test_the_table_of_settings_is_the_generated_one():
    """Between its marks the README holds what `poeflask settings --markdown` prints."""
    _, _, rest = README.read_text(encoding="utf-8").partition("<!-- settings -->\n")
    table, end, _ = rest.partition("<!-- /settings -->")

    assert markdown_table().strip() == table.strip()
    assert "<!-- /settings -->" == end
