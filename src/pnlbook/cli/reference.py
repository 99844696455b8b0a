"""The reference of the command line as Markdown, from the commands' own help.

`python -m pnlbook.cli.reference > docs/cli.md` writes it; a test sees that it is fresh.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from pnlbook.cli.app import EPILOG, app
from pnlbook.cli.run import PANEL

_HEAD = """\
# The command line

This page is made from the commands' help (`python -m pnlbook.cli.reference`).
"""
_CONVENTIONS = """\
## What all commands share

Results go to stdout; notes, progress and errors go to stderr. An error is one sentence after
`error:`; with `--json` it is an object, also on stderr:

```json
{"error": {"kind": "BookMissing", "message": "no book at book.duckdb. ...", "exit_code": 1}}
```

In JSON, DECIMAL is a string of plain digits, an instant is ISO 8601 with the offset of the book's
time zone, integers are numbers of any size, and the floats that JSON has no numbers for are "nan",
"inf" and "-inf". In CSV, NULL is nothing and an empty text is `""`.

The book is `--book`, else the variable `PNLBOOK_BOOK`, else `book` in `pnlbook.toml`, else
`book.duckdb` here. `pnlbook.toml` is looked for beside a book that is named, else here, and
upwards.

A signal ends a command with 128 and its number (Ctrl-C: 130), a reader that leaves early
(`pnlbook sql ... | head`) with 141; both without a word. Ctrl-C is how `pnlbook report` is meant to
end: exit code 0.
"""


def reference() -> str:
    """Return the whole page."""
    group = get_command(app)
    commands = list(_commands(group, ""))
    parts = [_HEAD, _help(group), _exit_codes(), _CONVENTIONS, _common(commands[0][1])]
    parts += [_command(name, command) for name, command in commands]
    return "\n".join(parts)


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - Click's
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _command(name: str, command: Any) -> str:  # noqa: ANN401
    own = [parameter for parameter in command.params if _panel(parameter) != PANEL]
    usage = " ".join(["pnlbook", name, *(_argument(p) for p in own if _is_argument(p))])
    rows = [_row(parameter) for parameter in own if parameter.name != "help"]
    parts = [f"## {usage}\n", _help(command), *([_table(rows)] if rows else [])]
    return "\n".join(parts)


def _help(command: Any) -> str:  # noqa: ANN401
    """Return the help, what is indented in it as code."""
    paragraphs = inspect.cleandoc(command.help).split("\n\n")
    return "\n\n".join(_code(p) if p.startswith(" ") else p for p in paragraphs) + "\n"


def _code(paragraph: str) -> str:
    lines = [line.strip() for line in paragraph.splitlines()]
    return "\n".join(["```sh", *lines, "```"])


def _exit_codes() -> str:
    lines = [line.split(maxsplit=1) for line in EPILOG.splitlines() if line.startswith("  ")]
    rows = [f"| {code} | {meaning} |" for code, meaning in lines]
    return "\n".join(["| exit code | |", "| --- | --- |", *rows, ""])


def _common(command: Any) -> str:  # noqa: ANN401
    return _table([_row(p) for p in command.params if _panel(p) == PANEL])


def _table(rows: list[str]) -> str:
    return "\n".join(["| | |", "| --- | --- |", *rows, ""])


def _row(parameter: Any) -> str:  # noqa: ANN401
    name = _argument(parameter) if _is_argument(parameter) else _option(parameter)
    text = parameter.help or ""
    default = parameter.default
    if default not in {None, False} and parameter.show_default and not callable(default):
        text = f"{text} Default: {default}."
    return f"| `{name.replace('|', chr(92) + '|')}` | {text} |"


def _option(parameter: Any) -> str:  # noqa: ANN401
    names = ", ".join(sorted(parameter.opts, key=len))
    return names if parameter.is_flag else f"{names} {_value(parameter)}"


def _value(parameter: Any) -> str:  # noqa: ANN401
    return str(parameter.metavar or parameter.name.upper())


def _argument(parameter: Any) -> str:  # noqa: ANN401
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required or name.startswith("[") else f"[{name}]"


def _is_argument(parameter: Any) -> bool:  # noqa: ANN401
    return bool(parameter.param_type_name == "argument")


def _panel(parameter: Any) -> str | None:  # noqa: ANN401
    panel: str | None = getattr(parameter, "rich_help_panel", None)
    return panel


if __name__ == "__main__":
    sys.stdout.write(reference())
