"""What py-spy and strace saw is told as shares and as calls for each unit."""

from bench.profile import functions, system_calls

STACKS = """\
run (hub.py:1);send (socket.py:10) 30
run (hub.py:2);feed (body.py:7);_parse (<string>:3) 10
run (hub.py:2);feed (body.py:9) 10
bootstrap (_threading.py:5) 900
"""
CALLS = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.600000           6      1000           sendto
 40.00    0.400000           4       500        20 recvfrom
  0.00    0.000000           4         1           close
------ ----------- ----------- --------- --------- ----------------
100.00    1.000000           5      1501        20 total
"""


def test_shares_are_told_by_function():
    """Its lines are one function's, and threads that wait for work take no share."""
    told = list(functions(STACKS))
    at = told.index("\nshare of the time, with what it called")

    assert [" 60.0 %  send (socket.py)", " 20.0 %  _parse (<string>)"] == told[1:3]
    assert ["100.0 %  run (hub.py)", " 60.0 %  send (socket.py)"] == told[at + 1 : at + 3]


def test_calls_are_told_for_a_unit():
    """A thousand sends for five hundred events are two each; a single close is nothing."""
    told = list(system_calls(CALLS, 500))

    assert ["   2.00  sendto", "   1.00  recvfrom", "   3.00  total"] == told[1:]
