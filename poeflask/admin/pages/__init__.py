"""The admin pages, one module each; see `poeflask.admin` for how to add one."""
