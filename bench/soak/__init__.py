"""Asks everything of poeflask for a long time, and looks for what is lost, mixed up or left behind.

`python -m bench.soak [--minutes M] [--streams N] [--aborts N] [--json FILE]` runs a simulator and a
poeflask with two workers, and against them, one after the other:

* paced: N streams at once, each with words of its own, which must all come whole and in order;
* aborted: N streams whose clients leave, in any phase; how soon Poe's side is closed is measured;
* soak: for M minutes a mixture of all APIs, whole and streamed, with every fault of the simulator
  and clients that leave at any time; memory, descriptors and open streams are looked at meanwhile.

It prints a table in Markdown, and fails if an answer was wrong or something was left behind.
"""
