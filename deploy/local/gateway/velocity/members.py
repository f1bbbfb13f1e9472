"""Properties, methods and elements of values, under their Java names.

What is not in these tables fails: a Java method that is missing here must not look like one that
does not exist.
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploy.local.gateway.velocity import strings
from deploy.local.gateway.velocity.java import (
    ArrayList,
    Exposed,
    JavaArray,
    ReadOnlyMap,
    is_number,
    kind_of,
    position,
    same,
    text_of,
)
from deploy.local.gateway.velocity.source import RenderError
from deploy.local.json_values import Json, Literal

ITERATIONS_MAX = 1000

Method = Callable[..., Json]
GETTERS: tuple[tuple[type, dict[str, Method]], ...] = (
    (str, {"empty": lambda text: not text}),
    (list, {"empty": lambda values: not values}),
    (tuple, {"key": lambda entry: entry[0], "value": lambda entry: entry[1]}),
)
"""Java getters, as properties: `$list.empty` is isEmpty(), `$entry.key` getKey()."""


def at(values: list[Json], index: Json) -> Json:
    """Return an element. Raises RenderError where Java throws IndexOutOfBounds."""
    if not isinstance(index, int) or isinstance(index, bool):
        raise RenderError(f"a list's index is a number, not {kind_of(index)}")
    if not 0 <= index < len(values):
        raise RenderError(f"index {index} of a list of {len(values)}")
    return values[index]


def append(values: list[Json], value: Json) -> bool:
    """Add at the end; Java's `add` answers true."""
    values.append(value)
    return True


def extend(values: list[Json], more: list[Json]) -> bool:
    """Add all at the end; true if there were any."""
    values.extend(more)
    return bool(more)


def exchange(values: list[Json], index: int, value: Json) -> Json:
    """Set an element, and return the one it replaces."""
    old = at(values, index)
    values[index] = value
    return old


def put(values: dict[str, Json], name: Json, value: Json) -> Json:
    """Set an entry, and return the value it replaces."""
    old = values.get(name)
    values[name] = value
    return old


def put_all(values: dict[str, Json], more: Mapping[str, Json]) -> None:
    """Set many entries; Java's `putAll` answers nothing."""
    values.update(more)


def member(values: Mapping[str, Json], name: Json) -> Json:
    """Return a map's value, None if there is none; a lazy map may compute it."""
    try:
        return values[name]
    except KeyError:
        return None


ARRAY: dict[str, Method] = {"size": len, "get": at, "isEmpty": lambda values: not values}
READ_LIST: dict[str, Method] = {
    **ARRAY,
    "contains": lambda values, value: position(values, value) >= 0,
    "indexOf": position,
    "toString": text_of,
    "equals": same,
}
LIST: dict[str, Method] = {
    **READ_LIST,
    "subList": lambda values, start, end: type(values)(values[start:end]),
    "add": append,
    "addAll": extend,
    "set": exchange,
    # AWS's page shows count() for size().
    "count": len,
}
READ_MAP: dict[str, Method] = {
    "get": member,
    "getOrDefault": lambda values, name, other: member(values, name) if name in values else other,
    "containsKey": lambda values, name: name in values,
    "containsValue": lambda values, value: position(values.values(), value) >= 0,
    "keySet": lambda values: ArrayList(values.keys()),
    "values": lambda values: ArrayList(values.values()),
    "entrySet": lambda values: ArrayList(values.items()),
    "size": len,
    "isEmpty": lambda values: not values,
    "toString": text_of,
    "equals": same,
}
NUMBER: dict[str, Method] = {
    "toString": text_of,
    "equals": same,
    "intValue": int,
    "longValue": int,
    "doubleValue": float,
    "parseInt": strings.parse_int,
}
METHODS: dict[type, Mapping[str, Method]] = {
    str: strings.METHODS,
    list: LIST,
    ArrayList: LIST,
    JavaArray: ARRAY,
    range: READ_LIST,
    dict: {
        **READ_MAP,
        "put": put,
        "putAll": put_all,
        "remove": lambda values, name: values.pop(name, None),
    },
    ReadOnlyMap: READ_MAP,
    bool: {"toString": text_of, "equals": same, "booleanValue": bool},
    int: NUMBER,
    float: NUMBER,
    Literal: NUMBER,
    tuple: {
        "getKey": lambda entry: entry[0],
        "getValue": lambda entry: entry[1],
        "toString": text_of,
    },
}


def methods_of(value: Json) -> Mapping[str, Method]:
    """Return the methods of a value's kind."""
    found = METHODS.get(type(value))
    if found is None:
        found = READ_MAP if isinstance(value, Mapping) else {}
    return found


def call(value: Json, name: str, arguments: list[Json]) -> Json:
    """Call a method. Raises RenderError if there is none of that name here."""
    if isinstance(value, Exposed):
        if name not in value.METHODS:
            raise RenderError(f"${value.NAME} has no {name}()")
        method: Any = getattr(value, name)
        return method(*arguments)
    found = methods_of(value).get(name)
    if found is None:
        raise RenderError(f"{kind_of(value)} has no {name}() here")
    return found(value, *arguments)


def property_of(value: Json, name: str) -> Json:
    """Return a property, None if there is none. Raises RenderError for `class`."""
    if name == "class":
        raise RenderError("the Java class of a value is out of reach here")
    if isinstance(value, Mapping):
        return member(value, name)
    if isinstance(value, Exposed):
        if name not in value.PROPERTIES:
            raise RenderError(f"${value.NAME} has no {name}")
        return getattr(value, name)
    for kind, getters in GETTERS:
        if isinstance(value, kind) and name in getters:
            return getters[name](value)
    if isinstance(value, str) and name in ("bytes", "blank"):
        raise RenderError(f"a string's {name} is out of reach here")
    return None


def element(value: Json, index: Json) -> Json:
    """Return `$value[index]`; a list counts negative indices from its end."""
    if isinstance(value, Mapping):
        return member(value, index)
    if isinstance(value, list | range):
        if is_number(index) and index < 0:
            index += len(value)
        return at(list(value), index)
    raise RenderError(f"{kind_of(value)} has no elements")


def assign(target: Json, name: Json, value: Json) -> None:
    """Set `$target.name` or `$target[name]`. Raises RenderError if that cannot be set."""
    if isinstance(target, Exposed):
        target.assign(name, value)
    elif isinstance(target, list) and isinstance(name, int):
        exchange(target, name, value)
    elif isinstance(target, dict) and not isinstance(target, ReadOnlyMap):
        target[name] = value
    else:
        raise RenderError(f"{kind_of(target)} has nothing to set under {name!r}")


def items_of(value: Json) -> list[Json]:
    """Return what #foreach goes through: elements, or a map's values; nothing for the rest.

    Velocity passes over what it cannot iterate. Raises RenderError for more than API Gateway's
    quota (AWS: "Amazon API Gateway quotas").
    """
    if not isinstance(value, Mapping | list | range):
        return []
    if len(value) > ITERATIONS_MAX:
        raise RenderError(f"a #foreach over {len(value)} items; API Gateway allows 1000")
    return list(value.values() if isinstance(value, Mapping) else value)
