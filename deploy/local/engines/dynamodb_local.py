"""DynamoDB Local, the engine of ENGINE=dynamodb-local: found, and started for loopback only.

The user's own copy, which this repository neither holds nor fetches. Its licence ("Amazon DynamoDB
Local License Agreement", in its LICENSE.txt): "You may not use the Software if you do not have an
AWS account in good standing." Nothing of it is changed or compiled against here.
"""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.engines.child import Program
from history.errors import UserError

JAR = "DynamoDBLocal.jar"
LAUNCHER = Path(__file__).with_name("dynamodb_local_java") / "LoopbackOnly.java"
MANIFEST = "META-INF/MANIFEST.MF"
MAIN_CLASS = "Main-Class:"
COMPILE_TIMEOUT_S = 60
NO_WEB_PAGE = "http://127.0.0.1"
"""By default every web page may read its answers (AWS: "DynamoDB local usage notes")."""
NO_TELEMETRY = {"DDB_LOCAL_TELEMETRY": "0"}
"""Beside -disableTelemetry (AWS: "Telemetry in DynamoDB local")."""


@contextmanager
def program(home: Path | None, state_dir: Path) -> Iterator[Program]:
    """Say how to start it on an empty database, which is gone after the block.

    Raises UserError if it, or the JDK that its launcher needs, is not there.
    """
    jar = jar_in(home).absolute()
    main_class = main_class_of(jar)
    state_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="dynamodb-", dir=state_dir, ignore_cleanup_errors=True) as name:
        folder = Path(name).absolute()
        classes, data = folder / "classes", folder / "data"
        data.mkdir()
        compile_launcher(classes)
        yield Program(
            name="DynamoDB Local",
            command=(
                "java",
                f"-Djava.nio.channels.spi.SelectorProvider={LAUNCHER.stem}",
                "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
                f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}",
                "-cp",
                f"{classes}{os.pathsep}{jar}",
                LAUNCHER.stem,
                main_class,
                "-dbPath",
                str(data),
                "-disableTelemetry",
                "-cors",
                NO_WEB_PAGE,
            ),
            environment={"PATH": os.environ.get("PATH", os.defpath), **NO_TELEMETRY},
            directory=folder,  # it writes dynamodb-local-metadata.json where it is started
        )


def jar_in(home: Path | None) -> Path:
    """Find the jar in the folder that DYNAMODB_LOCAL names, or take it as the jar."""
    jar = home / JAR if home is not None and home.is_dir() else home
    if jar is None or not jar.is_file():
        raise UserError(
            f"DYNAMODB_LOCAL={home or ''}: expected the folder that {JAR} was unpacked in, with "
            "DynamoDBLocal_lib beside it"
        )
    return jar


def main_class_of(jar: Path) -> str:
    """Read what `java -jar` would run."""
    try:
        with zipfile.ZipFile(jar) as archive:
            lines = archive.read(MANIFEST).decode().splitlines()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"DYNAMODB_LOCAL={jar} is no jar that can be run: {error}") from None
    for line in lines:
        if line.startswith(MAIN_CLASS):
            return line.removeprefix(MAIN_CLASS).strip()
    raise UserError(f"DYNAMODB_LOCAL={jar} is no jar that can be run: it names no main class")


def compile_launcher(classes: Path) -> None:
    """Compile our launcher, which keeps the server on 127.0.0.1; raises UserError if it cannot."""
    if shutil.which("java") is None or shutil.which("javac") is None:
        raise UserError(
            "ENGINE=dynamodb-local needs a JDK, which is not there: apt-get install "
            "default-jdk-headless; or start DynamoDB Local yourself and name its address, "
            "ENGINE=http://127.0.0.1:8000"
        )
    done = subprocess.run(
        ["javac", "-d", str(classes), str(LAUNCHER)],
        capture_output=True,
        text=True,
        timeout=COMPILE_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"javac failed: {done.stderr}")
