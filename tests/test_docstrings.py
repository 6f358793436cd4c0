"""What docstrings have to say, beyond what ruff asks for. All is read from the source; nothing is imported.

Public is what has no name with a leading underscore in its path, is not nested in a function, and is no dunder method.
A public class answers for its `__init__` and `__call__` too, unless these have docstrings of their own.

1. In the modules of `SPOKEN`, everything public says the shapes of the arrays that it takes and gives. An array is what
   is annotated with `np.ndarray`, `tf.Tensor`, `ArrayLike`, or an alias or container of these, a parameter or a field
   of a class; a callable is none. A shape is a bracketed list of `...`, numbers, parameters' names
   and the letters of `AXES`, or sums, multiples, parts and "or"s of these; another capital letter counts where the
   docstring, the class's or the module's explains it. Each parameter has a shape in its entry under `Args:` (a field,
   under `Attributes:`); those that have none are said in the text before, which holds a shape for each of them. What is
   returned has its shape under `Returns:` or `Yields:`, or in the text before. In place of all that the docstring may
   begin with the name, in backquotes, of another function or class of the package that says shapes, or say "as" or
   "see" such a one.
2. There, the docstring, the class's or the module's (its `Convention:`) says for arrays called joints, poses, points or
   boxes in which unit they are, and for pictures and masks the type or range of their values.
3. Everywhere but in the commands (`cli`, whose docstrings users read as help), a public function, method or class that
   raises a `UserError` has a section `Raises:` that names it. It raises one if its body does, or if it calls by name a
   function, a method of `self` or a class of the package that does, outside of a `try` that catches it.

A method that a framework calls (`HOOKS`) may lean on its class's docstring, one that overrides another on that one's.
"""

import ast
import re
from collections.abc import Iterator

import pytest
from source_tree import Definition, definitions, modules, raising, where

SPOKEN = (
    "geometry", "imaging", "pose", "skeleton", "compat", "model", "data",
    "inference.protocol", "inference.networks", "inference.reposer", "training.losses", "evaluation.metrics",
)  # fmt: skip
AXES = {"B", "T", "H", "W", "J", "L", "C", "N", "h", "w"}
HOOKS = {
    "call", "build", "get_config", "from_config", "train_step", "compile", "metrics",
    "on_train_batch_end", "on_train_end", "on_epoch_end",
}  # fmt: skip
POINTS = {"joints", "pose", "poses", "point", "points", "box", "boxes", "keypoints", "landmarks"}
PICTURES = {"image", "images", "picture", "pictures", "photo", "canvas", "mask", "masks", "background", "foreground"}
VALUES = re.compile(r"\b(u?int\d+|float\d+|bool)\b|\[-?\d[\d.]*, [\d.]+[\])]|\d\.\.\d|8 bits")
REFERENCE = re.compile(r"(?:^|\b[Aa]s |\b[Ss]ee )`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`")
SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):\s*$", re.MULTILINE)


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
        module = name.rpartition(".")[0]
        found = next(
            (modules()[room + module] for room in ("", "imaging.", "data.") if room + module in modules()), None
        )
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


def silent_about_errors(definition: Definition) -> Iterator[str]:
    own = [definition]
    if definition.is_class:
        own = [m for n in ("__init__", "__post_init__", "__call__") if (m := definition.member(n))]
        own = [method for method in own if method.owner is definition]
    doc = definition.doc or (definition.owner.doc if leans(definition) else "")
    if not raising().isdisjoint(own) and "UserError" not in parts_of(doc).get("Raises", ""):
        yield f"{where(definition)}: no `Raises:` of UserError"


# The rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, is_one", [
    ("...", True), ("B, 2 H, 2 W, C", True), ("T, J, 3 or 4", True), ("B, H / 2R + 2, 4", True),
    ("height, width", True), ("-1, 1", False), ("0, 255", False), ("Q", False),
    ("options", False), ("B, [H], W", False),
])  # fmt: skip
def test_what_a_shape_is(text, is_one):
    assert _is_shape(text, AXES | {"R", "height", "width", "or"}) == is_one


def test_errors_are_followed_through_calls_and_stopped_where_they_are_caught():
    found = {f"{definition.module.name}.{definition.name}" for definition in raising()}
    assert {
        "imaging.person_measures.person_box",
        "imaging.crop.common_crop",
        "data.lookalikes.Partners.__init__",
    } <= found
    assert "imaging.video_writer.VideoWriter.write" in found and "data.video_clips._sampled" not in found


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
