"""Reads Bicep as far as our templates go: declarations by name, and literals as Python values. It compiles nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from local.stack import ROOT

INFRA = ROOT / "infra"
PARSER = Parser(Language(tree_sitter_bicep.language()))


class Expression(str):
    """Text of what is worked out at deployment: names, calls, interpolated strings."""


@dataclass(frozen=True)
class Declaration:
    """One statement: the module's or resource's `target`, and its value."""

    name: str
    target: str
    node: Node

    @property
    def value(self) -> Any:
        """The value as Python has it; of modules and resources the object, without its condition or loop."""
        return value_of(self.node)

    @property
    def text(self) -> str:
        return text_of(self.node)


@cache
def parsed(path: Path) -> Node:
    return PARSER.parse(path.read_bytes()).root_node


def templates() -> list[Path]:
    return sorted(INFRA.glob("*.bicep"))


def declared(path: Path, kind: str) -> dict[str, Declaration]:
    """What a template declares of one kind, by name."""
    found = (
        declaration(node, kind) for node in parsed(path).named_children if node.type == f"{kind}_declaration"
    )
    return {one.name: one for one in found}


def declaration(node: Node, kind: str) -> Declaration:
    names = [child for child in node.named_children if child.type not in ("comment", "decorators", "type")]
    target = value_of(names[1]) if kind in ("module", "resource") else ""
    return Declaration(text_of(names[0]), str(target), names[-1])


def value_of(node: Node) -> Any:
    if node.type == "object":
        properties = [child for child in node.named_children if child.type == "object_property"]
        return {key_of(one): value_of(one.named_children[-1]) for one in properties}
    if node.type == "array":
        return [value_of(child) for child in node.named_children if child.type != "comment"]
    if node.type in ("for_statement", "if_statement"):
        return value_of(node.named_children[-1])
    if node.type == "boolean":
        return text_of(node) == "true"
    if node.type == "number":
        return int(text_of(node))
    plain = all(child.type == "string_content" for child in node.named_children)
    if node.type == "string" and plain:
        return "".join(map(text_of, node.named_children))
    return Expression(text_of(node))


def key_of(property_node: Node) -> str:
    key = property_node.named_children[0]
    return text_of(key).strip("'")


def text_of(node: Node) -> str:
    return (node.text or b"").decode()


def nodes(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    for child in node.children:
        yield from nodes(child)


def used_names(path: Path) -> list[str]:
    """Every name that is read in a template, as often as it is."""
    written = {id_of(declaration_name(node)) for node in parsed(path).named_children}
    return [
        text_of(node)
        for node in nodes(parsed(path))
        if node.type == "identifier" and id_of(node) not in written
    ]


def declaration_name(node: Node) -> Node:
    skipped = ("comment", "decorators")
    return next((child for child in node.named_children if child.type not in skipped), node)


def id_of(node: Node) -> tuple[int, int]:
    return node.start_byte, node.end_byte
