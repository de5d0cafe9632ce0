"""`python -m poeflask`: the same as the command `poeflask`."""

from poeflask.cli import main

main()
