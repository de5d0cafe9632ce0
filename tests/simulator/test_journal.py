from poeflask.simulator.journal import START_POINTS, Connections, Journal, fingerprint

BODY = {"query": [{"role": "user", "content": "hi"}], "access_key": "secret"}


def test_a_fingerprint_does_not_give_the_key_away():
    """Keys are told apart without being shown."""
    assert "secret" not in fingerprint("secret")
    assert fingerprint("a") != fingerprint("b")


def test_attempts_are_counted_by_bot_key_and_conversation():
    """Only the very same question of the same key to the same bot is another attempt."""
    journal = Journal()
    other = {"query": [{"role": "user", "content": "ho"}]}

    assert [1, 2, 1, 1, 1, 3] == [
        journal.query("Echo", "a", BODY, 0),
        journal.query("Echo", "a", {**BODY, "temperature": 1}, 0),
        journal.query("Echo", "b", BODY, 0),
        journal.query("Meta", "a", BODY, 0),
        journal.query("Echo", "a", other, 0),
        journal.query("Echo", "a", BODY, 0),
    ]


def test_queries_are_kept_without_keys():
    """A query is shown with its number, bot and attempt, but no key's text."""
    journal = Journal()
    journal.query("Echo", "print", BODY, 0)

    (got,) = journal.queries
    assert {
        "number": 1,
        "bot": "Echo",
        "key": "print",
        "attempt": 1,
        "body": {"query": BODY["query"]},
    } == got


def test_only_the_last_queries_are_kept():
    """Memory is bounded by number and by size."""
    journal = Journal()
    for number in range(205):
        journal.query("Echo", "a", {"query": number}, 0)

    assert [6, 205] == [journal.queries[0]["number"], journal.queries[-1]["number"]]
    for _ in range(3):
        journal.query("Echo", "a", {"query": "x" * 6_000_000}, 0)
    assert [207, 208] == [entry["number"] for entry in journal.queries]


def test_points_are_charged_and_paged():
    """Each query costs points; the history is newest first and goes on after a query's id."""
    journal = Journal()
    for second in (1, 2, 3):
        journal.query("Echo", "a", BODY, second)

    assert START_POINTS - 30 == journal.balance("a")
    assert START_POINTS == journal.balance("b")
    page = journal.history("a", 2, None)
    assert (True, 2, ["q-3", "q-2"]) == (
        page["has_more"],
        page["length"],
        [entry["query_id"] for entry in page["data"]],
    )
    rest = journal.history("a", 2, "q-2")
    assert {
        "has_more": False,
        "length": 1,
        "data": [
            {
                "creation_time": 1_000_000,
                "bot_name": "Echo",
                "query_id": "q-1",
                "usage_type": "API",
                "cost_points": 10,
                "cost_breakdown_in_points": {"Total": "10 points"},
            }
        ],
    } == rest


def test_connections_are_counted_by_bot_and_outcome():
    """An answer is open until it ended in one of three ways."""
    connections = Connections()
    visits = [connections.begin(bot) for bot in ("A", "A", "B", "B")]
    for visit, outcome in zip(visits, ("finished", "aborted", "cut"), strict=False):
        visit.end(outcome)

    both = {"open": 0, "started": 2, "finished": 1, "aborted": 1, "cut": 0}
    other = {"open": 1, "started": 2, "finished": 0, "aborted": 0, "cut": 1}
    total = {"open": 1, "started": 4, "finished": 1, "aborted": 1, "cut": 1}
    assert {**total, "bots": {"A": both, "B": other}} == connections.summary()
