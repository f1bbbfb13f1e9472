"""`deploy/template.yml` as text and as data: CloudFormation's YAML with its short tags."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from history.errors import UserError

Node: TypeAlias = Any
"""A piece of a parsed template."""

TEMPLATE_PATH = Path(__file__).with_name("template.yml")


class TemplateLoader(yaml.SafeLoader):
    """Safe YAML, with `!Ref x` as `{"Ref": x}` and so on."""


def short_tag(loader: TemplateLoader, name: str, node: yaml.Node) -> Node:
    """Construct a short tag as its long form."""
    long_name = name if name in ("Ref", "Condition") else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        value: Node = loader.construct_scalar(node)
        if name == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {long_name: value}


TemplateLoader.add_multi_constructor("!", short_tag)


def template_text(path: Path = TEMPLATE_PATH) -> str:
    """Read the template as it is: UTF-8, no line end translated."""
    return path.read_bytes().decode()


def sha256_of(text: str) -> str:
    """Hash a template's text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A parsed CloudFormation template, to be read only."""

    content: Node
    """With every short tag in its long form."""
    root: yaml.Node
    """The same as YAML's nodes, which know where in the text they are."""


@lru_cache(maxsize=32)
def parse(text: str) -> Template:
    """Parse a CloudFormation template, once: ours takes 50 ms. Raises UserError if it is none."""
    loader = TemplateLoader(text)
    try:
        root = loader.get_single_node()
        content: Node = None if root is None else loader.construct_document(root)
    except yaml.YAMLError as error:
        why = " ".join(str(error).split())
        raise UserError(f"the template is not YAML: {why}") from error
    resources = content.get("Resources") if isinstance(content, dict) else None
    if (
        root is None
        or not isinstance(resources, dict)
        or not all(isinstance(each, dict) and "Type" in each for each in resources.values())
    ):
        raise UserError("the template has no Resources with a Type each, as CloudFormation expects")
    return Template(content=content, root=root)


def load_template(path: Path = TEMPLATE_PATH) -> Node:
    """Read and parse a CloudFormation template, to be read only."""
    return parse(template_text(path)).content


def values_of(template: Node, parameters: Mapping[str, str]) -> dict[str, str]:
    """Give every parameter of a template its value: what is asked for, else its default."""
    defaults = {
        name: str(parameter.get("Default", ""))
        for name, parameter in (template.get("Parameters") or {}).items()
    }
    return {**defaults, **parameters}
