"""What views tell of themselves."""

from poeflask.endpoints.describing import Description, described, descriptions


def test_a_view_keeps_what_is_said_of_it() -> None:
    """One description for each time that it is described, in the order of the lines."""

    @described(open=True)
    @described(note="twice")
    def view() -> str:
        return "answer"

    assert (Description(open=True), Description(note="twice")) == descriptions(view)
    assert "answer" == view()


def test_a_view_may_be_silent() -> None:
    """A view of which nothing is said has no descriptions."""
    assert () == descriptions(lambda: None)
