"""The house keeps its order: who may import whom (DESIGN.md 1)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import REPOSITORY

FOLDERS = ("history", "deploy", "swarm", "faults", "locustfiles", "runner", "analysis")
MAY_IMPORT = {
    "history": {"httptools", "numpy", "pyarrow"},
    "deploy": {
        "history",
        "boto3",
        "botocore",
        "mypy_boto3_apigateway",
        "mypy_boto3_cloudformation",
        "mypy_boto3_dynamodb",
        "yaml",
    },
    "deploy/local": {"deploy", "history", "httptools", "ministack", "uvloop", "multidict"},
    "swarm": {"history", "aiohttp", "uvloop", "yarl"},
    "faults": {"history", "swarm", "aiohttp", "uvloop", "yarl", "moto"},
    "locustfiles": {"history", "locust", "gevent", "flask"},
    "runner": {"deploy", "history", "numpy", "rich"},
    "analysis": {"history", "pandas", "numpy", "pyarrow", "matplotlib", "jinja2", "markupsafe"},
}
NETWORK = {"socket", "ssl", "http", "urllib", "asyncio", "subprocess", "multiprocessing"}
EFFECTS = NETWORK | {"time", "datetime", "logging", "os", "pathlib", "random", "sys", "io"}


def sources(folder: str) -> Iterator[Path]:
    for path in sorted((REPOSITORY / folder).rglob("*.py")):
        if folder != "deploy" or "local" not in path.relative_to(REPOSITORY).parts:
            yield path


def imported(path: Path) -> set[str]:
    """Every top-level module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_go_one_way(folder: str) -> None:
    own = folder.split("/", maxsplit=1)[0]
    for path in sources(folder):
        foreign = {
            name
            for name in imported(path)
            if name != own and (name in FOLDERS or name not in sys.stdlib_module_names)
        }
        assert foreign <= MAY_IMPORT[folder], path


def test_the_judge_contacts_no_network() -> None:
    for path in sources("analysis"):
        assert not imported(path) & NETWORK, path


def test_checks_are_pure() -> None:
    for path in [*sources("analysis/checks"), REPOSITORY / "analysis/holes.py"]:
        assert not imported(path) & EFFECTS, path


def test_every_folder_is_covered() -> None:
    packages = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")}
    assert packages - {"tests", "bench"} == set(FOLDERS)


def modules_imported(path: Path) -> set[str]:
    """Every module of ours that a file imports, by its whole name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize(
    ("folder", "strangers", "but"),
    [
        ("gateway", "deploy.local.engines", "deploy.local.engines.engine"),
        ("engines", "deploy.local.gateway", "(nothing)"),
        ("gateway/velocity", "deploy.local.gateway", "deploy.local.gateway.velocity"),
    ],
)
def test_the_local_cloud_keeps_its_rooms_apart(folder: str, strangers: str, but: str) -> None:
    for path in sources(f"deploy/local/{folder}"):
        met = {name for name in modules_imported(path) if name.startswith(strangers + ".")}
        assert {name for name in met if not name.startswith(but)} == set(), path
