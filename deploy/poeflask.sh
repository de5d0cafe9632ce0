#!/bin/sh
# The `poeflask` command of a machine on which systemd runs it: as the service's user, with the
# service's settings and state. Installed as /usr/local/bin/poeflask (docs/deploy.md).
set -eu

if [ -r /etc/poeflask/env ]; then
  set -a
  . /etc/poeflask/env
  set +a
fi
secret() { if [ -r "$2" ]; then export "$1=$(cat "$2")"; fi; }
secret POE_API_KEYS /etc/poeflask/poe_api_keys
secret ADMIN_PASSWORD /etc/poeflask/admin_password
export CONFIG_DIR=/var/lib/poeflask POEFLASK_SIMULATOR="${POEFLASK_SIMULATOR:-off}"
# A file that root made would be a file that the service cannot write.
exec runuser -u poeflask -- /opt/poeflask/bin/poeflask "$@"
