"""Groups of commands of `poeflask`, a module each; `poeflask.cli` names them."""
