#!/bin/sh
# The `poeflask` command of a machine on which systemd runs it: as the service's user, with the
# service's settings and state. Installed as /usr/local/bin/poeflask (docs/deploy.md).
set -eu

settings=/etc/poeflask/env
if [ -e "$settings" ] && [ ! -r "$settings" ]; then
  echo "$settings cannot be read; run this as root, such as with sudo." >&2
  exit 1
fi
# Read as systemd reads it, not run: a value may hold spaces, and passwords "$" and "&".
if [ -e "$settings" ]; then
  while read -r line || [ -n "$line" ]; do
    name=${line%%=*} value=${line#*=}
    case $name in "$line" | "" | [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
    case $value in
      \"*\") value=${value#\"} value=${value%\"} ;;
      \'*\') value=${value#\'} value=${value%\'} ;;
    esac
    export "$name=$value"
  done < "$settings"
fi
secret() {
  [ -s "$2" ] || return 0
  if [ -n "$(printenv "$1")" ]; then
    echo "$1 is set in $settings and in $2; only one can be right." >&2
    exit 1
  fi
  export "$1=$(cat "$2")"
}
secret POE_API_KEYS /etc/poeflask/poe_api_keys
secret ADMIN_PASSWORD /etc/poeflask/admin_password
export CONFIG_DIR=/var/lib/poeflask POEFLASK_SIMULATOR="${POEFLASK_SIMULATOR:-off}"
# Where systemd listens for it, whatever HOST says.
export HOST=unix:/run/poeflask.sock
# A file that root made would be a file that the service cannot write.
exec runuser -u poeflask -- /opt/poeflask/bin/poeflask "$@"
