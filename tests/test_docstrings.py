"""What docstrings have to say. All is read from the source; nothing is imported.

Public is what has no name with a leading underscore in its path, is not nested in a function, and is no dunder method.
A public class answers for its `__init__` and `__call__` too, unless these have docstrings of their own.

1. Every module, public class, function, method and property has a docstring. A method that a framework calls (`HOOKS`)
   may lean on its class's, one that overrides another on that one's.
2. In the modules of `SPOKEN`, whoever takes or gives arrays says their shapes. An array is what is annotated with
   `np.ndarray`, `tf.Tensor`, `ArrayLike`, or an alias or container of these, a parameter or a field of a class; a
   callable is none. A shape is a bracketed list of `...`, numbers, parameters' names and the letters of `AXES`, or
   sums, multiples, parts and "or"s of these; another capital letter counts where the docstring, the class's or the
   module's explains it. Each parameter has a shape in its entry under `Args:` (a field, under `Attributes:`); those
   that have none are said in the text before, which holds a shape for each of them. What is returned has its shape
   under `Returns:` or `Yields:`, or in the text before. In place of all that the docstring may begin with the name,
   in backquotes, of another function or class of the package that says shapes, or say "as" or "see" such a one.
3. There, the docstring, the class's or the module's (its `Convention:`) says for arrays called joints, poses, points or
   boxes in which unit they are, and for pictures and masks the type or range of their values.
4. Everywhere but in the commands (`cli*`, whose docstrings users read as help), a public function, method or class that
   raises a `UserError` has a section `Raises:` that names it. It raises one if its body does, or if it calls by name a
   function, a method of `self` or a class of the package that does, outside of a `try` that catches it.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "tf_unseen_pose"
SPOKEN = (
    "geometry", "warping", "retargeting", "pasting", "images", "pixels", "skeleton", "contact_sheet", "compat",
    "model", "data", "photo_reposer", "reposer", "training.losses", "evaluation.metrics",
)  # fmt: skip
AXES = {"B", "T", "H", "W", "J", "L", "C", "N", "h", "w"}
HOOKS = {
    "call", "build", "get_config", "from_config", "train_step", "compile", "metrics",
    "on_train_batch_end", "on_train_end", "on_epoch_end", "intercept_service", "Pack",
}  # fmt: skip
POINTS = {"joints", "pose", "poses", "point", "points", "box", "boxes", "keypoints", "landmarks"}
PICTURES = {"image", "images", "picture", "pictures", "photo", "canvas", "mask", "masks", "background", "foreground"}
VALUES = re.compile(r"\b(u?int\d+|float\d+|bool)\b|\[-?\d[\d.]*, [\d.]+[\])]|\d\.\.\d|8 bits")
REFERENCE = re.compile(r"(?:^|\b[Aa]s |\b[Ss]ee )`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`")
SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):\s*$", re.MULTILINE)


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


def leans(definition: Definition) -> bool:
    """Whether somebody else's docstring speaks for a method."""
    cls, name = definition.owner, definition.node.name
    if not cls or not cls.doc:
        return False
    overridden = (base.member(name) for base in cls.bases)
    return name in HOOKS or any(method and method.doc for method in overridden)


# Shapes ---------------------------------------------------------------------------------------------------------------


def parts_of(doc: str) -> dict[str, str]:
    """The sections of a docstring by their titles; "" is all outside of the five that have entries."""
    pieces = SECTION.split(doc)
    parts = {"": pieces[0]}
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        # A section ends where the indentation does.
        inside = re.match(r"(?:\n?(?:[ \t][^\n]*)?(?=\n|$))*", text)[0]
        parts[title] = parts.get(title, "") + inside
        parts[""] += text[len(inside) :]
    return parts


def entries(section: str) -> dict[str, str]:
    """The text of every name of a section like `Args:`; several names may share one."""
    pieces = re.split(r"^    (\*{0,2}\w+(?:, \w+)*): ", section, flags=re.MULTILINE)
    pairs = zip(pieces[1::2], pieces[2::2], strict=True)
    return {name: text for names, text in pairs for name in names.split(", ")}


def shapes(text: str, definition: Definition) -> list[str]:
    """The bracketed lists in a text that are shapes."""
    said = re.sub(r"\[[^\]]*\]|`[^`]*`", " ", definition.context)
    known = AXES | set(re.findall(r"\b[A-Z]\b", said)) | {name for name, _ in parameters(definition)} | {"or"}
    found = re.findall(r"\[([^\[\]]+)\]", re.sub(r"`[^`\n]*`", " ", text))
    return [shape for shape in found if _is_shape(shape, known)]


def _is_shape(text: str, known: set[str]) -> bool:
    names = re.findall(r"[A-Za-z_]+", text)
    is_range = re.fullmatch(r"-[\d.]+, [\d.]+|0, [\d.]+", text)
    return bool(re.fullmatch(r"[\w\s.,+*/^-]+", text)) and not is_range and set(names) <= known


def is_array(annotation: ast.expr | None, definition: Definition) -> bool:
    if annotation is None:
        return False
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if ast.unparse(annotation) in ("np.ndarray", "tf.Tensor", "npt.ArrayLike", "ArrayLike"):
        return True
    if isinstance(annotation, ast.Subscript) and "Callable" in ast.unparse(annotation.value):
        return False
    if isinstance(annotation, ast.Name | ast.Attribute):
        found = definition.resolve(annotation)
        return isinstance(found, ast.expr) and is_array(found, definition)
    return any(is_array(part, definition) for part in ast.iter_child_nodes(annotation) if isinstance(part, ast.expr))


def parameters(definition: Definition) -> list[tuple[str, ast.expr | None]]:
    """Name and annotation of every parameter; of a class, of its fields, `__init__` and `__call__`."""
    node = definition.node
    if definition.is_class:
        fields = [(part.target.id, part.annotation) for part in node.body if isinstance(part, ast.AnnAssign)]
        special = [definition.module.definitions.get(f"{definition.name}.{n}") for n in ("__init__", "__call__")]
        return [pair for pair in fields if not pair[0].startswith("_")] + [
            pair for method in special if method for pair in parameters(method)
        ]
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [(a.arg, a.annotation) for a in arguments if a.arg not in ("self", "cls")]


def silent_about_shapes(definition: Definition) -> Iterator[str]:
    arrays = [name for name, annotation in parameters(definition) if is_array(annotation, definition)]
    returns = None if definition.is_class else definition.node.returns
    if not arrays and not is_array(returns, definition):
        return
    doc = definition.doc or (definition.owner.doc if definition.node.name in HOOKS else "")
    if any(says_shapes(definition, name) for name in REFERENCE.findall(doc)):
        return
    parts = parts_of(doc)
    spoken = entries(parts.get("Args", "") + parts.get("Attributes", ""))
    head = shapes(parts[""], definition)
    missing = [name for name in arrays if not shapes(spoken.get(name, ""), definition)]
    if len(missing) > len(head):
        yield f"{where(definition)}: no shape of {', '.join(missing)}"
    result = parts.get("Returns", "") + parts.get("Yields", "")
    if is_array(returns, definition) and not shapes(result, definition) and not head:
        yield f"{where(definition)}: no shape of what it returns"


def says_shapes(definition: Definition, name: str) -> bool:
    """Whether a name in a docstring is that of something else in the package whose docstring has shapes."""
    expression = ast.parse(name, mode="eval").body
    found = definition.resolve(expression)
    if found is None and (definition.owner or definition.is_class):
        found = (definition if definition.is_class else definition.owner).member(name)
    if found is None and "." in name:
        found = modules().get(name.rpartition(".")[0]) or modules().get(f"data.{name.rpartition('.')[0]}")
        found = found and found.find(name.rpartition(".")[2])
    return isinstance(found, Definition) and found is not definition and bool(shapes(found.doc, found))


def silent_about_values(definition: Definition) -> Iterator[str]:
    for name, annotation in parameters(definition):
        kind = name.split("_")[-1]
        if not is_array(annotation, definition):
            continue
        if kind in POINTS and not re.search(r"pixel|unit", definition.context):
            yield f"{where(definition)}: no unit of {name}"
        if kind in PICTURES and not VALUES.search(definition.context):
            yield f"{where(definition)}: neither type nor range of {name}"


# Errors ---------------------------------------------------------------------------------------------------------------


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


def silent_about_errors(definition: Definition) -> Iterator[str]:
    own = [definition]
    if definition.is_class:
        own = [m for n in ("__init__", "__post_init__", "__call__") if (m := definition.member(n))]
        own = [method for method in own if method.owner is definition]
    doc = definition.doc or (definition.owner.doc if leans(definition) else "")
    if not raising().isdisjoint(own) and "UserError" not in parts_of(doc).get("Raises", ""):
        yield f"{where(definition)}: no `Raises:` of UserError"


# The rules ------------------------------------------------------------------------------------------------------------


def test_everything_public_has_a_docstring():
    silent = [where(definition) for definition in definitions() if not definition.doc and not leans(definition)]
    silent += [name for name, module in modules().items() if not module.doc]
    assert not silent, "\n".join(silent)


def test_arrays_have_shapes():
    silent = [line for definition in definitions(*SPOKEN) for line in silent_about_shapes(definition)]
    assert not silent, "\n".join(silent)


def test_joints_have_units_and_pictures_a_type_or_range():
    silent = [line for definition in definitions(*SPOKEN) for line in silent_about_values(definition)]
    assert not silent, "\n".join(silent)


def test_whoever_raises_a_user_error_says_so():
    raisers = [definition for definition in definitions() if not definition.module.name.startswith("cli")]
    silent = [line for definition in raisers for line in silent_about_errors(definition)]
    assert not silent, "\n".join(silent)
