"""Dataclasses of ours as JSON files, with a schema version: manifests and their like."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from history.errors import UserError
from history.files import write_text_whole

T = TypeVar("T")


def write_document(path: Path, fields: Mapping[str, object]) -> None:
    """Write what dataclasses.asdict gives of one as JSON; the file is replaced only by a whole one.

    Raises UserError when the disk is full or the folder is read-only.
    """
    write_text_whole(path, json.dumps(fields, indent=1) + "\n")


def read_document(path: Path, kind: type[T], *, version: int, name: str, absent: str) -> T:
    """Read what was written; `name` is what it is called, `absent` what its absence means.

    Raises UserError when it is missing, malformed or of another version than this program's.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: {absent}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as a {name}: {error}") from error
    found = fields.get("schema_version") if isinstance(fields, dict) else None
    if found != version:
        raise UserError(
            f"{path} has {name} schema version {found}, this program reads {version}: use the "
            "version of Gapless that wrote it"
        )
    try:
        return built(kind, fields)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise UserError(f"{path} is not a whole {name}: {error}") from error


def built(kind: type[T], found: object) -> T:
    """Rebuild a dataclass of ours from what JSON made of it.

    Raises TypeError, ValueError or KeyError where a field is missing or of another type.
    """
    return typing.cast("T", _build(kind, found))


def _build(kind: Any, found: Any) -> Any:  # noqa: ANN401 -- walks types
    """Rebuild a value of a type from what JSON made of it, checking every field's type."""
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, found)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        if not isinstance(found, list):
            raise TypeError(f"expected a list, found {found!r}")
        return tuple(_build(arguments[0], item) for item in found)
    if origin is dict:
        return {str(key): _build(arguments[1], item) for key, item in found.items()}
    if origin is types.UnionType:
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        return None if found is None else _build(inner, found)
    return _build_scalar(kind, found)


def _build_dataclass(kind: Any, found: Any) -> Any:  # noqa: ANN401
    if not isinstance(found, dict):
        raise TypeError(f"expected an object for {kind.__name__}")
    hints = typing.get_type_hints(kind)
    known = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: _build(hints[name], found[name]) for name in found if name in known})


def _build_scalar(kind: Any, found: Any) -> Any:  # noqa: ANN401
    if issubclass(kind, Enum):
        return kind(found)
    if kind is float and isinstance(found, int):
        return float(found)
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
        raise TypeError(f"expected {kind.__name__}, found {found!r}")
    return found
