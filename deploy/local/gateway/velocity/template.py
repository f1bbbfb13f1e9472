"""Templates: text, references and directives.

Velocity: "User Guide". A directive takes the rest of its line with it if nothing else is on it, as
Velocity 1 does; Velocity 2 takes the indentation before it too.
"""

import re
from collections.abc import MutableMapping
from functools import lru_cache

from deploy.local.gateway.velocity.directives import (
    Branch,
    Break,
    Macro,
    Stop,
    conditional,
    invocation,
    loop,
    nothing,
    printing,
    setting,
)
from deploy.local.gateway.velocity.expressions import parse_expression, parse_value
from deploy.local.gateway.velocity.references import parse_reference
from deploy.local.gateway.velocity.source import Expression, RenderError, Source, Variables, Writer
from deploy.local.json_values import Json

PLAIN = re.compile(r"[^$#\\]+")
COMMENT = re.compile(r"##[^\n]*(?:\n|$)|#\*.*?\*#", re.DOTALL)
UNCLOSED = re.compile(r"#\*|#\[\[|#@")
UNPARSED = re.compile(r"#\[\[(.*?)\]\]#", re.DOTALL)
ESCAPED = re.compile(r"\\+(?=\$!?\{?[A-Za-z_]|#\{?[a-z@])")
SET = re.compile(r"#(?:set|\{set\})[ \t]*\(\s*")
WORDS = "if|elseif|else|end|foreach|break|stop|macro|define|evaluate|include|parse"
DIRECTIVE = re.compile(rf"#(?:({WORDS})(?![A-Za-z0-9_])|\{{({WORDS})\}})")
MACRO_CALL = re.compile(r"#(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})[ \t]*\(\s*")
OPEN, CLOSE = re.compile(r"\s*\(\s*"), re.compile(r"\s*\)")
EQUALS, IN = re.compile(r"\s*=\s*"), re.compile(r"\s+in\s+")
LOOP_NAME = re.compile(r"\$!?\{?([A-Za-z_]\w*)\}?")
MACRO_NAME = re.compile(r"([A-Za-z_]\w*)")
MACRO_PARAMETER = re.compile(r"[\s,]+\$([A-Za-z_]\w*)")
ARGUMENT_GAP = re.compile(r"\s*,\s*|\s+(?!\))")
REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n)")
ANY = re.compile(r".", re.DOTALL)


@lru_cache(maxsize=1024)
def compiled(text: str) -> "Template":
    """Parse a template, each once. Raises RenderError when it cannot be parsed."""
    return Template(text)


class Template:
    """A parsed template. Raises RenderError when it cannot be parsed."""

    def __init__(self, text: str) -> None:
        self.roots: set[str] = set()
        """The references it reads or sets, without their members."""
        self._macros: dict[str, Macro] = {}
        self._write = self._parse(text)

    def render(self, variables: MutableMapping[str, Json]) -> str:
        """Render with these references, which #set may change. Raises RenderError."""
        parts: list[str] = []
        try:
            self._write(variables, parts)
        except Stop:
            pass
        except Break:
            raise RenderError("#break outside of a #foreach") from None
        except RecursionError:
            raise RenderError("the template calls itself without end") from None
        except RenderError:
            raise
        except Exception as error:
            raise RenderError(f"{type(error).__name__}: {error}") from error
        return "".join(parts)

    def _parse(self, text: str) -> Writer:
        source = Source(text, self._parse)
        write, ended_by = self._block(source)
        if ended_by:
            raise source.error(f"#{ended_by} without its beginning")
        return write

    def _block(self, source: Source) -> tuple[Writer, str]:
        """Parse up to #else, #elseif or #end, and say which, or up to the end of the text."""
        pieces: list[Writer | str] = []
        while source.position < len(source.text):
            if match := source.take(DIRECTIVE):
                word = match[1] or match[2]
                if word in ("else", "elseif", "end"):
                    return sequence(pieces), word
                pieces.append(self._directive(source, word))
            else:
                pieces.append(self._piece(source))
        return sequence(pieces), ""

    def _piece(self, source: Source) -> Writer | str:  # noqa: PLR0911 (a table of cases)
        """Parse what begins or ends no block."""
        if match := source.take(PLAIN):
            return match[0]
        if source.take(COMMENT):
            return ""
        if match := source.take(UNPARSED):
            return match[1]
        if source.take(UNCLOSED):
            raise source.error("a comment or unparsed text without its end, or a #@macro")
        if source.take(SET):
            return self._set(source)
        if match := source.take(MACRO_CALL):
            return self._call(source, match[1] or match[2])
        if match := source.take(ESCAPED):
            return self._escaped(source, len(match[0]))
        return self._reference(source) or source.require(ANY, "a character")[0]

    def _reference(self, source: Source) -> Writer | None:
        reference = parse_reference(source, self._expression)
        if reference is None:
            return None
        self.roots.add(reference.root)
        return printing(reference)

    def _expression(self, source: Source) -> Expression:
        start = source.position
        parsed = parse_expression(source)
        self._note_roots(source.text[start : source.position])
        return parsed

    def _note_roots(self, text: str) -> None:
        self.roots.update(re.findall(r"\$!?\{?([A-Za-z_][\w-]*)", text))

    def _set(self, source: Source) -> Writer:
        start, line = source.position, source.line()
        reference = parse_reference(source, self._expression)
        if reference is None or reference.assign is None:
            source.position = start
            raise source.error("#set needs a variable or a property")
        self.roots.add(reference.root)
        source.require(EQUALS, "=")
        value = self._expression(source)
        source.require(CLOSE, ")")
        source.take(REST_OF_LINE)
        return setting(reference, reference.assign, value, line)

    def _directive(self, source: Source, word: str) -> Writer:
        if word == "if":
            return self._if(source)
        if word == "foreach":
            return self._foreach(source)
        if word == "macro":
            return self._macro(source)
        source.take(REST_OF_LINE)
        if word == "break":
            return raising(Break)
        if word == "stop":
            return raising(Stop)
        raise source.error(f"#{word} is not supported here")

    def _condition(self, source: Source) -> Expression:
        source.require(OPEN, "(")
        condition = self._expression(source)
        source.require(CLOSE, ")")
        source.take(REST_OF_LINE)
        return condition

    def _if(self, source: Source) -> Writer:
        branches: list[Branch] = []
        otherwise: Writer | None = None
        word = "elseif"
        while word == "elseif":
            line = source.line()
            condition = self._condition(source)
            write, word = self._block(source)
            branches.append(Branch(condition, write, line))
        source.take(REST_OF_LINE)
        if word == "else":
            otherwise, word = self._block(source)
            source.take(REST_OF_LINE)
        if word != "end":
            raise source.error("an #if without its #end")
        return conditional(branches, otherwise)

    def _body(self, source: Source, directive: str) -> Writer:
        source.take(REST_OF_LINE)
        write, word = self._block(source)
        if word != "end":
            raise source.error(f"a #{directive} without its #end")
        source.take(REST_OF_LINE)
        return write

    def _foreach(self, source: Source) -> Writer:
        source.require(OPEN, "(")
        name = source.require(LOOP_NAME, "the loop's $variable")[1]
        source.require(IN, "in")
        values = self._expression(source)
        source.require(CLOSE, ")")
        return loop(name, values, self._body(source, "foreach"))

    def _macro(self, source: Source) -> Writer:
        source.require(OPEN, "(")
        name = source.require(MACRO_NAME, "the macro's name")[1]
        parameters: list[str] = []
        while match := source.take(MACRO_PARAMETER):
            parameters.append(match[1])
        source.require(CLOSE, ")")
        if name in self._macros:
            raise source.error(f"the macro {name} is defined twice")
        macro = self._macros[name] = Macro(name, parameters)
        macro.body = self._body(source, "macro")
        return nothing

    def _call(self, source: Source, name: str) -> Writer:
        macro = self._macros.get(name)
        if macro is None:
            raise source.error(f"there is no macro {name} so far")
        arguments: list[Expression] = []
        while not source.take(CLOSE):
            if arguments:
                source.require(ARGUMENT_GAP, "a comma, a space or )")
            start = source.position
            arguments.append(parse_value(source))
            self._note_roots(source.text[start : source.position])
        if len(arguments) != len(macro.parameters):
            raise source.error(f"the macro {name} takes {len(macro.parameters)} arguments")
        return invocation(macro, arguments)

    def _escaped(self, source: Source, slashes: int) -> Writer:
        r"""Write `\$name` as `$name` if it has a value; Velocity's versions differ on the rest."""
        start = source.position
        reference = parse_reference(source, self._expression)
        if reference is None or slashes != 1:
            source.position = start
            raise source.error(
                "backslashes before this, which Velocity's versions read differently"
            )
        self.roots.add(reference.root)

        def write(variables: Variables, parts: list[str]) -> None:
            if reference.value(variables) is None:
                raise RenderError(f"\\{reference.text} has no value: Velocity's versions differ")
            parts.append(reference.text)

        return write


def raising(signal: type[Exception]) -> Writer:
    """Leave a loop or the template."""

    def write(_variables: Variables, _parts: list[str]) -> None:
        raise signal

    return write


def sequence(pieces: list[Writer | str]) -> Writer:
    """Write one piece after another; neighbouring texts become one."""
    writers: list[Writer] = []
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            writers.append(literal(text))
            text = ""
        writers.append(piece)
    if text:
        writers.append(literal(text))
    if len(writers) == 1:
        return writers[0]

    def write(variables: Variables, parts: list[str]) -> None:
        for writer in writers:
            writer(variables, parts)

    return write


def literal(text: str) -> Writer:
    """Write a text as it is."""
    return lambda _variables, parts: parts.append(text)
