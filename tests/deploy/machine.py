"""Commands of a machine that is made of one folder ($MACHINE), for test_deploy_doc.py.

    machine.py NAME ARGUMENT...

does what the command of that name would do there, as far as the page about servers needs it.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

MACHINE = Path(os.environ["MACHINE"])
UNITS = MACHINE / "etc" / "systemd" / "system"
PLACES = ("/opt/poeflask", "/etc/", "/var/lib/", "/var/log/", "/usr/local/bin", "/run/poeflask")
NGINX = """
pid {machine}/run/nginx.pid;
error_log {machine}/var/log/nginx/error.log warn;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {machine}/tmp/body;
    proxy_temp_path {machine}/tmp/proxy;
    fastcgi_temp_path {machine}/tmp/fastcgi;
    uwsgi_temp_path {machine}/tmp/uwsgi;
    scgi_temp_path {machine}/tmp/scgi;
    include {machine}/etc/nginx/sites-enabled/*;
}}
"""


def install(*arguments):
    """As install, and then with the machine's folder before the paths in what was installed."""
    subprocess.run(["/usr/bin/install", *arguments], check=True)
    if "-d" in arguments:
        return
    *sources, target = [part for part in arguments[2:] if not part.startswith("-")]
    for source in sources:
        path = Path(target) / Path(source).name if Path(target).is_dir() else Path(target)
        text = path.read_text(encoding="utf-8")
        text = re.sub(
            rf"(?<![\w./%])({'|'.join(map(re.escape, PLACES))})",
            lambda found: f"{MACHINE}{found[1]}",
            text,
        )
        for usual, name in ((80, "HTTP_PORT"), (443, "HTTPS_PORT")):
            text = re.sub(rf"(listen (?:\[::\]:)?){usual}\b", rf"\g<1>{os.environ[name]}", text)
        path.write_text(text, encoding="utf-8")


def runuser(*arguments):
    """Run the command behind "--"; there is but one user here."""
    command = arguments[arguments.index("--") + 1 :]
    os.execvp(command[0], command)


def nginx(*arguments):
    """Ask nginx about the machine's own configuration, or run with it."""
    conf = MACHINE / "etc" / "nginx" / "nginx.conf"
    conf.write_text(NGINX.format(machine=MACHINE), encoding="utf-8")
    os.execvp("/usr/sbin/nginx", ["nginx", "-c", str(conf), *arguments])


def systemctl(verb, *names):
    """The verbs that the page uses."""
    units = [name for name in names if not name.startswith("-")]
    match verb, units:
        case "daemon-reload", []:
            _verify()
        case "enable", [*_]:
            _start()
        case "reload", ["nginx"]:
            subprocess.run(["nginx"], check=True)
        case "reload", ["poeflask"]:
            _reload()
        case "poweroff", []:
            _stop_all()
        case _:
            sys.exit(f"no such verb here: {verb} {units}")


def _verify():
    """Systemd reads the units as they were installed; what it does not know it tells."""
    named = [str(path) for path in sorted(UNITS.iterdir())]
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *named],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if said.returncode or said.stdout:
        sys.exit(said.stdout or "systemd-analyze failed")


def _values(unit, name):
    text = (UNITS / unit).read_text(encoding="utf-8")
    return re.findall(rf"^{name}=(.+)$", text, re.MULTILINE)


def _environment():
    """What the unit says of the service's environment, credentials included."""
    credentials = MACHINE / "run" / "credentials"
    credentials.mkdir(exist_ok=True)
    for one in _values("poeflask.service", "LoadCredential"):
        name, _, source = one.partition(":")
        (credentials / name).write_bytes(Path(source).read_bytes())
    state = MACHINE / "var" / "lib"
    (state / "poeflask").mkdir(exist_ok=True)
    said = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("POE_")]
    said += _values("poeflask.service", "Environment")
    for path in _values("poeflask.service", "EnvironmentFile"):
        said += Path(path.removeprefix("-")).read_text(encoding="utf-8").split()
    pairs = (one.partition("=") for one in said)
    marks = {"%S": str(state), "%d": str(credentials), "%t": str(MACHINE / "run")}
    return {
        name: re.sub(r"%[Sdt]", lambda found: marks[found[0]], value) for name, _, value in pairs
    }


def _start():
    (socket_path,) = _values("poeflask.socket", "ListenStream")
    (command,) = _values("poeflask.service", "ExecStart")
    log = (MACHINE / "var" / "log" / "poeflask.log").open("wb")
    environment = {"PATH": os.environ["PATH"], **_environment()}
    process = subprocess.Popen(
        [
            *("systemd-socket-activate", f"--listen={socket_path}"),
            *(f"--setenv={name}={value}" for name, value in environment.items()),
            *shlex.split(command),
        ],
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    (MACHINE / "run" / "main.pid").write_text(str(process.pid))
    _wait_for(Path(socket_path))


def _wait_for(path):
    for _ in range(100):
        if path.exists():
            return
        time.sleep(0.05)
    sys.exit(f"{path} never came")


def _reload():
    environment = {**os.environ, **_environment()}
    environment["MAINPID"] = (MACHINE / "run" / "main.pid").read_text()
    for command in _values("poeflask.service", "ExecReload"):
        subprocess.run(["sh", "-ec", command], check=True, env=environment)


def _stop_all():
    for path in (MACHINE / "run" / "main.pid", MACHINE / "run" / "nginx.pid"):
        if path.exists():
            os.kill(int(path.read_text()), signal.SIGTERM)


COMMANDS = {
    "apt-get": lambda *_: None,
    "useradd": lambda *_: None,
    "install": install,
    "runuser": runuser,
    "nginx": nginx,
    "systemctl": systemctl,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
