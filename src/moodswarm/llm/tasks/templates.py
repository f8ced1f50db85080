"""Prompt templates: files in a package, versioned by their content, that render to messages.

A template is `prompts/<name>.jinja` beside the code that uses it:

    {% block system %}Answer from the sources only. {% include "shared/data_rule.jinja" %}
    {% endblock %}
    {% block user %}{% for source in sources %}
    <source id="{{ loop.index }}" title="{{ source.title | in_tag }}">
    {{ source.text | quoted }}
    </source>
    {% endfor %}{% endblock %}

Autoescape is off on purpose. Prompts are plain text: HTML escapes would spoil code and apostrophes,
and a model reads `&lt;/source&gt;` as the end of a source anyway. Instead there is a rule that
cannot be forgotten: text reaches a prompt only through `quoted` or `in_tag` (see `quoting`), or as
`Trusted`, from code that knows who wrote the text. A bare `{{ text }}` raises an error.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from traceback import walk_tb
from typing import Any, Self

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateSyntaxError, Undefined, meta
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import SandboxedEnvironment

from moodswarm.llm.errors import LlmError
from moodswarm.llm.messages import Message, Role
from moodswarm.llm.tasks.quoting import fences_of, quote, quote_in_tag
from moodswarm.records.ids import digest

#: The package with the pieces that any template may include, as `shared/<name>.jinja`.
SHARED = "moodswarm.llm"
_ROLES: tuple[Role, ...] = ("system", "user")
_VERSION_DIGITS = 8


class PromptError(LlmError, ValueError):
    """A prompt template is missing or wrong, or lacks a variable that it needs."""


class Trusted(str):
    """Text of our own, such as a JSON Schema, that a template may show as it is."""

    __slots__ = ()


@dataclass(frozen=True)
class PromptTemplate:
    """A prompt with blanks to fill in.

    Attributes:
        name: The name of the template's file.
        version: 8 hex digits, from its content and the content of everything it includes.
        variables: The variables that `render` needs, no more and no fewer.
    """

    name: str
    version: str
    variables: frozenset[str]
    _compiled: Template = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        """The name and version, as calls, spans and caches record them."""
        return f"{self.name}@{self.version}"

    @classmethod
    def load(cls, package: str, name: str) -> Self:
        """Read `prompts/<name>.jinja` from a package.

        Raises:
            PromptError: the template is missing or wrong; the message names the file and the fault.
        """
        return cls._compile(name, lambda piece: _read(package, piece))

    @classmethod
    def from_text(cls, name: str, text: str) -> Self:
        """Make a template from its source."""
        own = f"{name}.jinja"
        return cls._compile(name, lambda piece: text if piece == own else _read(SHARED, piece))

    @classmethod
    def _compile(cls, name: str, read: Callable[[str], str]) -> Self:
        environment = SandboxedEnvironment(
            loader=FunctionLoader(read),
            undefined=StrictUndefined,
            autoescape=False,  # On purpose; see the module's docstring.
            finalize=_only_quoted,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        try:
            sources = _sources(environment, f"{name}.jinja", read)
            fences = fences_of("".join(sources.values()))
            environment.filters["quoted"] = partial(_filter, quote, fences)
            environment.filters["in_tag"] = partial(_filter, quote_in_tag, fences)
            compiled = environment.get_template(f"{name}.jinja")
            trees = [environment.parse(source) for source in sources.values()]
        except TemplateSyntaxError as error:
            raise PromptError(f"prompt {name}: line {error.lineno}: {error.message}") from error
        if "user" not in compiled.blocks or {*compiled.blocks} - {*_ROLES}:
            raise PromptError(
                f"prompt {name} has the blocks {sorted(compiled.blocks)}. It needs a block `user`"
                " and may have a block `system`, but no others"
            )
        variables = frozenset().union(*map(meta.find_undeclared_variables, trees))
        return cls(name, _version(sources), variables, compiled)

    def render(self, **variables: Any) -> tuple[Message, ...]:
        """Fill in the blanks.

        Args:
            variables: One value for each of `self.variables`; None stands for no value.

        Raises:
            PromptError: a variable is missing or unknown, or a line fails; the message names it.
        """
        missing, unknown = self.variables - {*variables}, {*variables} - self.variables
        if missing or unknown:
            named = [f"lacks {sorted(missing)}"] * bool(missing)
            named += [f"does not know {sorted(unknown)}"] * bool(unknown)
            raise PromptError(
                f"prompt {self.label} {' and '.join(named)}; it takes {sorted(self.variables)}"
            )
        context = self._compiled.new_context(variables)
        roles = [role for role in _ROLES if role in self._compiled.blocks]
        try:
            texts = ["".join(self._compiled.blocks[role](context)).strip() for role in roles]
        except (JinjaError, NotQuoted, TypeError, ValueError, ArithmeticError) as error:
            raise PromptError(f"prompt {self.label}{_line(error)}: {error}") from error
        return tuple(Message(role, text) for role, text in zip(roles, texts, strict=True) if text)


class NotQuoted(TypeError):
    """A template prints text that no filter has quoted."""


def _only_quoted(value: Any) -> Any:
    """Accept only numbers and quoted text; Jinja calls this for every `{{ expression }}`."""
    if isinstance(value, Undefined | Trusted | int | float):
        return value
    raise NotQuoted(
        f"a {type(value).__name__} is shown as it is. Pass text that others wrote through a"
        " filter: {{ text | quoted }} inside a fence, {{ text | in_tag }} inside a tag"
    )


def _filter(quoting: Callable[..., str], fences: Collection[str], text: object) -> Trusted:
    if isinstance(text, Undefined):
        str(text)  # This raises an error that names the variable.
    if not isinstance(text, str | int | float):
        raise NotQuoted(f"a {type(text).__name__} is not text and cannot be quoted")
    return Trusted(quoting(str(text), fences))


def _read(package: str, piece: str) -> str:
    home = SHARED if piece.startswith("shared/") else package
    try:
        return (resources.files(home) / "prompts" / piece).read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError) as error:
        raise PromptError(f"the package {home} has no prompt template prompts/{piece}") from error


def _sources(
    environment: SandboxedEnvironment, name: str, read: Callable[[str], str]
) -> dict[str, str]:
    """Return the sources of a template and of everything it includes, by name."""
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        piece = waiting.pop()
        if piece in found:
            continue
        found[piece] = read(piece)
        named = meta.find_referenced_templates(environment.parse(found[piece]))
        for included in named:
            if included is None:
                raise PromptError(f"prompt {name}: an include must name its file as a constant")
            waiting.append(included)
    return found


def _version(sources: Mapping[str, str]) -> str:
    return digest(sources)[:_VERSION_DIGITS]


def _line(error: BaseException) -> str:
    """Return where the template failed, such as `, line 7 of answer.jinja`."""
    line = ""
    for frame, number in walk_tb(error.__traceback__):
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            line = f", line {template.get_corresponding_lineno(number)} of {template.name}"
    return line
