"""Starts poe-api-bridge as it stands: `PYTHON bench/peer.py CHECKOUT PORT UPSTREAM`.

PYTHON is one that has what the program needs. Nothing of it is changed but the addresses that
fastapi_poe asks by default, which it takes from no setting.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path


def main(checkout: str, port: int, upstream: str) -> None:
    """Serve with one worker, until it is told to end."""
    os.chdir(checkout)
    # It serves this folder; a checkout may lack it.
    Path("static").mkdir(exist_ok=True)
    sys.path.insert(0, checkout)
    poe = importlib.import_module("fastapi_poe")
    client = importlib.import_module("fastapi_poe.client")
    client.get_bot_response.__kwdefaults__["base_url"] = f"{upstream}/bot/"
    poe.upload_file.__kwdefaults__["base_url"] = f"{upstream}/upload"
    uvicorn = importlib.import_module("uvicorn")
    uvicorn.run("server:app", host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
