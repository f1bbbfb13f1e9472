"""Make .venv from the exact pins; run by the system's Python, before anything is installed.

    python3 runner/bootstrap.py requirements.txt
    python3 runner/bootstrap.py requirements-controls.txt
    python3 runner/bootstrap.py requirements.txt dynalite
    python3 runner/bootstrap.py dynalite

`dynalite` is what ENGINE=dynalite needs besides: a package of npm's, with exact pins of its own.

Standard library only, and readable by old Pythons, which must get as far as being told.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
NEEDED = (3, 11)
DYNALITE = os.path.join(ROOT, "deploy", "local", "engines", "dynalite")
NODE_NEEDED = 18
EXIT_USAGE = 2


def fail(sentence):
    """Say in one sentence what the person can do, and leave with exit code 2."""
    sys.stderr.write("gapless: %s\n" % sentence)
    sys.exit(EXIT_USAGE)


def fingerprint(requirements):
    """Identify what .venv must hold: the pins, those they include, and the Python."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    names = [requirements]
    for name in names:
        with open(os.path.join(ROOT, name), "rb") as pins:
            text = pins.read()
        digest.update(text)
        lines = text.decode().splitlines()
        names += [line.split()[1] for line in lines if line.startswith("-r ")]
    return digest.hexdigest()


def check_python():
    """Refuse a Python that is too old or cannot make virtual environments."""
    if sys.version_info < NEEDED:
        fail(
            "Python %d.%d is too old, expected %d.%d or newer: name one, make PYTHON=python3.12"
            % (sys.version_info[0], sys.version_info[1], NEEDED[0], NEEDED[1])
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        fail(
            "this Python (%s) has no venv module: install it (Debian and Ubuntu: "
            "apt-get install python3-venv), then run make again" % sys.executable
        )


def run(command, doing):
    """Run a step quietly; on failure show the end of what it printed."""
    step = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if step.returncode:
        tail = step.stdout.decode(errors="replace").strip().splitlines()[-3:]
        fail("%s failed: %s" % (doing, " | ".join(tail) or "no output"))


def check_node():
    """Refuse a machine without npm, or with a Node that is too old for dynalite's parts."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        fail(
            "ENGINE=dynalite needs Node.js and npm, which are not there: install them (Debian and "
            "Ubuntu: apt-get install nodejs npm), then run make again"
        )
    found = subprocess.run(["node", "--version"], stdout=subprocess.PIPE).stdout.decode().strip()
    major = found.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < NODE_NEEDED:
        fail("Node.js %s is too old, expected %d or newer" % (found or "(?)", NODE_NEEDED))


def install_dynalite():
    """Bring node_modules up to date with package-lock.json; one make at a time."""
    lock_path = os.path.join(DYNALITE, "package-lock.json")
    # Inside, so that the stamp goes with what it stands for: npm ci removes the folder first.
    stamp = os.path.join(DYNALITE, "node_modules", ".gapless")
    with open(lock_path, "rb") as pins:
        fcntl.flock(pins, fcntl.LOCK_EX)
        wanted = hashlib.sha256(pins.read()).hexdigest()
        if os.path.exists(stamp):
            with open(stamp) as file:
                if file.read() == wanted:
                    return
        check_node()
        print("install: dynalite from package-lock.json (a few seconds, once)")
        sys.stdout.flush()
        # --ignore-scripts: nothing has to be built, so nothing that was fetched has to run.
        quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        run(["npm", "ci", "--prefix", DYNALITE, "--ignore-scripts", *quiet], "npm ci")
        with open(stamp, "w") as file:
            file.write(wanted)


def install_requirements(requirements):
    """Bring .venv up to date with one requirements file."""
    stamp = os.path.join(VENV, "." + requirements)
    wanted = fingerprint(requirements)
    if os.path.exists(stamp) and os.path.exists(PYTHON):
        with open(stamp) as file:
            if file.read() == wanted:
                return
    check_python()
    print("install: .venv from %s (about a minute, once)" % requirements)
    sys.stdout.flush()
    if not os.path.exists(PYTHON):
        run([sys.executable, "-m", "venv", VENV], "python -m venv .venv")
    # --no-compile: byte-compiling all of it takes as long as installing; Python compiles
    # what is imported, when it is.
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--no-compile", "-r", os.path.join(ROOT, requirements)], "pip install")
    with open(stamp, "w") as file:
        file.write(wanted)


def main(arguments):
    """Bring up to date what is named."""
    for name in arguments or ["requirements.txt"]:
        if name == "dynalite":
            install_dynalite()
        else:
            install_requirements(name)


if __name__ == "__main__":
    main(sys.argv[1:])
