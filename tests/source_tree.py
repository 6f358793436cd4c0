"""The package's source, read and not imported: what it defines, what names stand for, and who raises a `UserError`."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "tf_unseen_pose"


@dataclass(eq=False)
class Module:
    """A source file: what it defines, by qualified name, and what of the package it imports, by local name."""

    name: str
    tree: ast.Module
    definitions: dict[str, "Definition"] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)

    def find(self, name: str) -> "Module | Definition | ast.expr | None":
        """What a name at the top of the file stands for."""
        if name in self.definitions:
            return self.definitions[name]
        if name not in self.imports:
            return self.aliases.get(name)
        module, imported = self.imports[name]
        inner = f"{module}.{imported}".strip(".")
        return modules()[inner] if inner in modules() else modules()[module or "__init__"].find(imported)

    @cached_property
    def aliases(self) -> dict[str, ast.expr]:
        assigned = (node for node in self.tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and node.value)
        targets = ((node.targets[0] if isinstance(node, ast.Assign) else node.target, node.value) for node in assigned)
        return {target.id: value for target, value in targets if isinstance(target, ast.Name)}

    @cached_property
    def doc(self) -> str:
        return ast.get_docstring(self.tree) or ""


@dataclass(eq=False)
class Definition:
    """A function, method or class."""

    module: Module
    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    owner: "Definition | None" = None

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)

    @property
    def is_public(self) -> bool:
        return not any(part.startswith("_") for part in f"{self.module.name}.{self.name}".split("."))

    @cached_property
    def doc(self) -> str:
        """The docstring; of a class, with those of its `__init__` and `__call__`."""
        special = [self.member(name) for name in ("__init__", "__call__")] if self.is_class else []
        own = [ast.get_docstring(self.node), *(ast.get_docstring(m.node) for m in special if m and m.owner is self)]
        return "\n\n".join(inspect.cleandoc(doc) for doc in own if doc)

    @property
    def context(self) -> str:
        """All that applies: its own docstring, its class's and the file's."""
        return "\n".join([self.doc, self.owner.doc if self.owner else "", self.module.doc])

    @property
    def bases(self) -> list["Definition"]:
        found = [self.resolve(base) for base in self.node.bases] if self.is_class else []
        return [base for base in found if isinstance(base, Definition)]

    def member(self, name: str) -> "Definition | None":
        """A method of this class or of one that it derives from."""
        own = self.module.definitions.get(f"{self.name}.{name}")
        return own or next((found for base in self.bases if (found := base.member(name))), None)

    def resolve(self, expression: ast.expr) -> "Module | Definition | ast.expr | None":
        """What of the package an expression within this definition names."""
        if isinstance(expression, ast.Name):
            return self.module.find(expression.id)
        if not isinstance(expression, ast.Attribute):
            return None
        inner, cls = expression.value, self if self.is_class else self.owner
        if isinstance(inner, ast.Name) and inner.id in ("self", "cls") and cls:
            return cls.member(expression.attr)
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "super" and cls:
            return next((found for base in cls.bases if (found := base.member(expression.attr))), None)
        outer = self.resolve(inner)
        if isinstance(outer, Module):
            return outer.find(expression.attr)
        return outer.member(expression.attr) if isinstance(outer, Definition) and outer.is_class else None


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        name = name.removesuffix(".__init__")
        module = found[name] = Module(name, ast.parse(path.read_text()))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
                origin = node.module.removeprefix(PACKAGE.name).strip(".")
                module.imports |= {alias.asname or alias.name: (origin, alias.name) for alias in node.names}
        _define(module, module.tree.body, None)
    return found


def _define(module: Module, body: list[ast.stmt], owner: Definition | None) -> None:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{owner.name}.{node.name}" if owner else node.name
            module.definitions[name] = definition = Definition(module, name, node, owner)
            if definition.is_class:
                _define(module, node.body, definition)


def definitions(*prefixes: str) -> list[Definition]:
    """The public ones, of modules of these names or below them; of all without."""
    return [
        definition
        for module in modules().values()
        if not prefixes or any(f"{module.name}.".startswith(f"{prefix}.") for prefix in prefixes)
        for definition in module.definitions.values()
        if definition.is_public
    ]


def where(definition: Definition) -> str:
    return f"{definition.module.name}:{definition.node.lineno} {definition.name}"


@cache
def is_user_error(definition: Definition) -> bool:
    """Whether it is `UserError` or derived from it."""
    return (definition.module.name, definition.name) == ("errors", "UserError") or any(
        is_user_error(base) for base in definition.bases
    )


def escaping(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one whose errors get out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try) and any(_stops(handler) for handler in child.handlers):
            child = ast.Module([*child.handlers, *child.orelse, *child.finalbody], [])
        yield child
        yield from escaping(child)


def _stops(handler: ast.ExceptHandler) -> bool:
    names = set(re.findall(r"\w+", ast.unparse(handler.type))) if handler.type else {"BaseException"}
    again = any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
    return bool(names & {"UserError", "Exception", "BaseException"}) and not again


def _makes_user_error(definition: Definition, expression: ast.expr | None) -> bool:
    made = definition.resolve(expression.func if isinstance(expression, ast.Call) else expression)
    if not isinstance(made, Definition):
        return False
    kind = made if made.is_class else made.resolve(made.node.returns) if made.node.returns else None
    return isinstance(kind, Definition) and is_user_error(kind)


def callees(definition: Definition) -> Iterator[Definition]:
    for node in escaping(definition.node):
        if isinstance(node, ast.Call) and isinstance(called := definition.resolve(node.func), Definition):
            if not called.is_class:
                yield called
            elif made := called.member("__init__") or called.member("__post_init__"):
                yield made


@cache
def raising() -> set[Definition]:
    """Functions and methods, public or not, that raise a `UserError`, themselves or by what they call."""
    functions = [d for module in modules().values() for d in module.definitions.values() if not d.is_class]
    found = {
        function
        for function in functions
        for node in escaping(function.node)
        if isinstance(node, ast.Raise) and node.exc and _makes_user_error(function, node.exc)
    }
    called = {function: set(callees(function)) for function in functions}
    while more := {function for function in functions if function not in found and called[function] & found}:
        found |= more
    return found
