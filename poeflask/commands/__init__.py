"""Groups of the `poeflask` command, one module each; `cli.py` lists them."""
