"""Writes the reference pages, configuration.md and commands.md, from the code that they describe.

    python -m docs.reference

A test compares the committed pages with its output.
"""

import argparse
import inspect
import typing
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import yaml
from typer.models import ArgumentInfo, OptionInfo

from tf_unseen_pose.cli.app import app
from tf_unseen_pose.config import Config
from tf_unseen_pose.files import replacing
from tf_unseen_pose.on_device.__main__ import command_line as on_device_command_line

FOLDER = Path(__file__).parent
# Options of the program for devices that mean the same there.
_AS_ANIMATE = dict.fromkeys(
    ("--source-pose", "--person", "--driving-person", "--start", "--end", "--background", "--max-side")
).keys()
_WRITTEN = "<!-- Written by `python -m docs.reference`; change the code, not this page. -->\n"


def pages() -> dict[str, str]:
    """The content of every page by its file's name."""
    return {"configuration.md": _configuration(), "commands.md": _commands()}


def _configuration() -> str:
    schema = Config.model_json_schema()
    lines = [
        "# Reference: configuration",
        _WRITTEN,
        "`--config` names a preset or a YAML file that starts from one. `--set section.key=value` overrides a setting; "
        "numbers index lists: `--set train.stages.0.steps=5000`. A run stores its configuration in `config.json`. "
        "[Training](training.md#the-configuration) lists presets and files and introduces the most important settings. "
        "The code is in [`config.py`](../tf_unseen_pose/config.py), "
        "[`model_config.py`](../tf_unseen_pose/model_config.py) and [`presets.py`](../tf_unseen_pose/presets.py).\n",
    ]
    for name, section in _sections(schema, "", schema):
        lines += [f"## {name}", f"{inspect.cleandoc(section.get('description', ''))}\n"]
        lines += ["| setting | value (default) | meaning |", "|---|---|---|"]
        lines += [_setting(key, field, schema, section) for key, field in section["properties"].items()]
        lines += [""]
    return "\n".join(lines)


def _sections(schema: dict, name: str, section: dict) -> Iterator[tuple[str, dict]]:
    """Sections with settings by dotted name, outer ones first."""
    if name:
        yield name, section
    seen = set()
    for key, field in section["properties"].items():
        for reference in _references(field):
            # The three networks of the generator have the same settings.
            if reference in seen:
                continue
            seen.add(reference)
            inner = schema["$defs"][reference]
            several = [k for k, other in section["properties"].items() if reference in _references(other)]
            label = key if len(several) == 1 else "NETWORK"
            label = f"{label}.N" if field.get("type") == "array" else label
            title = f"{name}.{label}" if name else label
            alternatives = len(_references(field)) > 1
            yield from _sections(schema, f"{title} ({reference})" if alternatives else title, inner)


def _references(field: dict) -> list[str]:
    """The sections that a setting may hold."""
    inner = field.get("items", field)
    options = inner.get("anyOf", inner.get("allOf", [inner]))
    return [option["$ref"].rpartition("/")[2] for option in options if "$ref" in option]


def _setting(key: str, field: dict, schema: dict, section: dict) -> str:
    references = _references(field)
    if references:
        kind = " or ".join(f"`{reference}`" for reference in references) if len(references) > 1 else "section"
        kind = "list of sections" if field.get("type") == "array" else kind
    else:
        kind = _kind(field)
    required = key in section.get("required", ())
    default = "" if references else " (required)" if required else f" (`{_value(field.get('default'))}`)"
    return f"| `{key}` | {kind}{default} | {_cell(field.get('description', ''))} |"


def _kind(field: dict) -> str:
    """The values of a setting in words."""
    if "anyOf" in field:
        return " or ".join(_kind(option) for option in field["anyOf"])
    if "enum" in field:
        return " or ".join(f"`{_value(value)}`" for value in field["enum"])
    kind = field.get("type")
    if kind == "array":
        if "prefixItems" in field:
            return f"{len(field['prefixItems'])} numbers"
        return f"list of {_plural(field['items'])}"
    if kind == "null":
        return "null"
    if kind == "object":
        return f"mapping of names to {_number(field['additionalProperties'])}"
    if kind == "string":
        return "file" if field.get("format") == "path" else "name"
    return "boolean" if kind == "boolean" else _number(field)


def _plural(field: dict) -> str:
    return {"integer": "integers", "number": "numbers"}.get(field.get("type"), "names")


def _number(field: dict) -> str:
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    said = [f"{sign}{field[limit]:.10g}" for limit, sign in limits.items() if limit in field]
    return " ".join(["integer" if field["type"] == "integer" else "number", *said])


def _value(value) -> str:
    """The value as YAML."""
    return yaml.safe_dump(_plain(value), default_flow_style=True, width=10_000).removesuffix("...\n").strip()


def _plain(value):
    """Tuples as lists, which YAML knows."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _commands() -> str:
    lines = [
        "# Reference: commands",
        _WRITTEN,
        "Run `unseen-pose COMMAND` where the package is installed, else `python -m tf_unseen_pose COMMAND`. `--help` "
        "shows the same text. Defaults are in brackets. Exit codes: 2 for an error that you can fix, 130 for Ctrl-C.\n",
        "Options before the command:\n",
        *_table(_parameters(app.registered_callback.callback)),
    ]
    commands = [(command, list(_parameters(command.callback))) for command in app.registered_commands]
    uses = Counter(_parameter(each) for _, parameters in commands for each in parameters if each.names)
    shared = [row for row, count in uses.items() if count > 1]
    for command, parameters in commands:
        function = command.callback
        name = command.name or function.__name__.replace("_", "-")
        lines += [f"## {name}", f"{inspect.cleandoc(function.__doc__)}\n"]
        lines += ["```text", " ".join(["unseen-pose", name, *filter(None, map(_in_usage, parameters))]), "```\n"]
        own = [each for each in parameters if _parameter(each) not in shared]
        lines += _table(own) if own else []
        others = [each for each in parameters if each not in own]
        if others:
            names = ", ".join(f"`{each.names[0]}`" for each in others)
            lines += [f"[Shared options](#shared-options): {names}.\n"]
    lines += ["## Shared options", "Options that several commands take.\n"]
    lines += ["| | |", "|---|---|", *shared, ""]
    lines += _on_device()
    return "\n".join(lines) + "\n"


def _table(parameters: Iterable["_Parameter"]) -> list[str]:
    return ["| | |", "|---|---|", *map(_parameter, parameters), ""]


@dataclass(frozen=True)
class _Parameter:
    """An argument or option of a command.

    Attributes:
        names: an option's names as typed; empty for an argument.
        value: placeholder of the value; "" for a flag.
        kind: the declared type, without None.
        default: None without a default, `...` if it is required.
        info: its Typer declaration.
    """

    names: tuple[str, ...]
    value: str
    kind: type
    default: object
    info: OptionInfo | ArgumentInfo

    @property
    def needed(self) -> bool:
        return self.default is ...


def _parameters(function) -> Iterator[_Parameter]:
    """The parameters that Typer reads from a command's function."""
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        annotation, info = typing.get_args(hints[name])
        kinds = [kind for kind in typing.get_args(annotation) or (annotation,) if kind is not type(None)]
        # Of `list[str]` the only argument is str.
        several, kind = typing.get_origin(annotation) is list or typing.get_origin(kinds[0]) is list, kinds[0]
        kind = (typing.get_args(kind) or (kind,))[0]
        default = ... if parameter.default in (inspect.Parameter.empty, ...) else parameter.default
        dashed = name.replace("_", "-")
        if isinstance(info, ArgumentInfo):
            value = info.metavar or dashed.upper()
            yield _Parameter((), f"{value}..." if several else value, kind, default, info)
            continue
        # Within Annotated, Typer stores the first name as the default.
        given = tuple(text for text in (info.default, *(info.param_decls or ())) if isinstance(text, str))
        names = given or (f"--{dashed}", *([f"--no-{dashed}"] if kind is bool else []))
        yield _Parameter(names, "" if kind is bool else info.metavar or _value_of(kind), kind, default, info)


def _value_of(kind: type) -> str:
    if issubclass(kind, Enum):
        return "|".join(kind)
    return {Path: "PATH", int: "NUMBER", float: "NUMBER"}.get(kind, "TEXT")


def _in_usage(parameter: _Parameter) -> str:
    """A required parameter or an argument, as the usage line shows it; else ""."""
    if not parameter.names:
        return parameter.value if parameter.needed else f"[{parameter.value}]"
    return f"{parameter.names[-1]} {parameter.value}" if parameter.needed else ""


def _parameter(parameter: _Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in parameter.names)
    shown = " ".join(filter(None, [names, f"`{_cell(parameter.value)}`" if parameter.value else ""]))
    meaning, default = _cell(parameter.info.help), _default(parameter)
    return f"| {shown} | {meaning.removesuffix('.')} ({default}). |" if default else f"| {shown} | {meaning} |"


def _default(parameter: _Parameter) -> str:
    if parameter.needed:
        return "required"
    if isinstance(parameter.info.show_default, str):
        return parameter.info.show_default
    if parameter.default in (None, []):
        return ""
    if parameter.kind is bool:
        # A switch shows its state, a flag (off) nothing.
        both_ways = parameter.names[-1] == parameter.names[0].replace("--", "--no-", 1)
        return f"`{parameter.names[not parameter.default]}`" if both_ways else ""
    return f"`{getattr(parameter.default, 'value', parameter.default)}`"


def _on_device() -> list[str]:
    parser = on_device_command_line()
    lines = ["## python -m tf_unseen_pose.on_device", f"{parser.description} Needs only `requirements-lite.txt`.\n"]
    lines += [
        f"As for `animate`: {', '.join(f'`{name}`' for name in _AS_ANIMATE)}.\n",
        "| | |",
        "|---|---|",
    ]
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction) or _AS_ANIMATE & set(action.option_strings):
            continue
        metavar = "" if action.nargs == 0 else action.metavar or action.dest.upper().replace("_", "-")
        metavar = f"[{metavar}]" if action.nargs == "?" else metavar
        names = [f"`{name}`" for name in action.option_strings]
        shown = " ".join(filter(None, [", ".join(names), f"`{_cell(metavar)}`" if metavar else ""]))
        meaning = (action.help or "").replace("%(default)s", f"`{action.default}`")
        lines.append(f"| {shown} | {_cell(meaning[:1].upper() + meaning[1:])}. |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    for name, content in pages().items():
        with replacing(FOLDER / name) as temporary:
            temporary.write_text(content, encoding="utf-8")
        print(f"Wrote {FOLDER / name}.")


if __name__ == "__main__":
    main()
