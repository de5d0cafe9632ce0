"""What commands find around them: the settings, the file of models, Poe's list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from poeflask import __version__
from poeflask.commands.environment import read_settings
from poeflask.poe.catalogue import Catalogue
from poeflask.poe.client import PoeClient
from poeflask.poe.models_file import ModelsFile
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.settings import Settings
from poeflask.stores import open_store
from poeflask.stores.namespace import Namespace


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts that commands work with.

    Attributes:
        models_file: what the owner says of models.
        listed: what Poe lists.
        catalogue: both together, as clients see it.
    """

    models_file: ModelsFile
    listed: Catalogue
    catalogue: ShownCatalogue


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """The parts as the environment sets them; the store is closed on the way out.

    Raises:
        ClickException: a setting makes no sense.
    """
    settings = read_settings()
    store = open_store(settings.store_url, settings.state_dir)
    models_file = ModelsFile(settings.state_dir / "models.yaml")
    listed = Catalogue(
        poe_client(settings).models,
        Namespace(store, "catalogue:poe", on_failure="forget"),
        ttl_s=settings.catalogue_ttl_s,
        clock=time.time,
        spawn=_at_once,
    )
    try:
        yield Surroundings(models_file, listed, ShownCatalogue(listed, models_file))
    finally:
        store.close()


def _at_once(work: Callable[[], None]) -> None:
    """A command has nothing else to do meanwhile."""
    work()


def poe_client(settings: Settings) -> PoeClient:
    """What asks Poe for one command; it needs no more than one connection."""
    return PoeClient(
        base_url=settings.poe_base_url,
        upload_url=settings.poe_file_upload_url,
        connect_timeout_s=settings.connect_timeout_s,
        idle_timeout_s=settings.idle_timeout_s,
        proxy=settings.proxy_url,
        pool_size=1,
        user_agent=f"poeflask/{__version__}",
    )
