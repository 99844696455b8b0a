"""`load.toml`: how the columns of files become the columns of a table.

Top-level keys hold for every file; a `[[file]]` whose `match` fits the file's name overrides them.
"""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "load.toml"


class MappingError(UsageError):
    """A mapping file cannot be understood."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class Mapping(BaseModel):
    """How to read one file.

    columns: column of the table → column of the file; constants: column of the table → value;
    values: column of the table → {value in the file → value in the table};
    ignore: columns of the file that are left out on purpose; nulls: texts that mean "no value";
    date_format: a strptime format, or epoch_s, epoch_ms, epoch_us; decimal: the decimal mark.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str | None = None
    source: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str | int | bool] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    ignore: list[str] = Field(default_factory=list)
    nulls: list[str] = Field(default_factory=list)
    timezone: str | None = None
    date_format: str | None = None
    decimal: Literal[".", ","] = "."
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    sheet: str | None = None


class _MappingFile(Mapping):
    file: list[_FileMapping] = Field(default_factory=list)


class _FileMapping(Mapping):
    match: str


_MappingFile.model_rebuild()


def read_mapping(path: Path, name: str) -> Mapping:
    """Return what the mapping file at `path` says of a file called `name`.

    Raises MappingError when it cannot be read or has unknown keys.
    """
    document = _parse(path)
    values = document.model_dump(exclude={"file"}, exclude_unset=True)
    for section in document.file:
        if fnmatch(name, section.match):
            values |= section.model_dump(exclude={"match"}, exclude_unset=True)
            break
    return Mapping(**values)


def _parse(path: Path) -> _MappingFile:
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return _MappingFile(**values)
    except FileNotFoundError as error:
        raise MappingError(path, "there is no such mapping file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise MappingError(path, f"{error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise MappingError(path, f"key {name!r}: {first['msg']}.") from error
