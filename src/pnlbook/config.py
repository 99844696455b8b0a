"""Settings: `pnlbook.toml` (looked for from a starting folder upwards) under `PNLBOOK_*` variables.

Secrets never stand in the file: they come from the environment or from key files.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from pnlbook.errors import UsageError

FILE_NAME = "pnlbook.toml"


class ConfigError(UsageError):
    """A setting is malformed or unknown."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}. Correct it, or remove the line to use the default.")


class BackupSettings(BaseModel):
    """How many copies of a backup there must and may be, and how long backups are kept.

    minimum_copies, maximum_copies: vaults that hold it; keep_last: newest backups kept whatever
    their age; keep_daily to keep_yearly: the newest of so many days, weeks, months and years;
    grace_days: days between marking a backup and removing it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_copies: int = Field(default=1, ge=1)
    maximum_copies: int | None = Field(default=None, ge=1)
    keep_last: int = Field(default=3, ge=1)
    keep_daily: int = Field(default=7, ge=0)
    keep_weekly: int = Field(default=5, ge=0)
    keep_monthly: int = Field(default=12, ge=0)
    keep_yearly: int = Field(default=5, ge=0)
    grace_days: int = Field(default=7, ge=0)


class WorkAssignment(BaseModel):
    """A rule for work found in logs: where every pattern given matches, these ids hold.

    cwd, branch, repository, agent: patterns with shell wildcards; subscription: models are paid by
    subscription there, so that their list price is an estimate.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cwd: str | None = None
    branch: str | None = None
    repository: str | None = None
    agent: str | None = None
    node_id: str | None = None
    project_id: str | None = None
    subscription: bool = False


class Settings(BaseSettings):
    """The settings that one command runs under.

    book: path of the book; a relative path in the file is relative to the file.
    lock_timeout: seconds to wait for another process to release the book.
    memory_limit: memory DuckDB may use in a load before it spills to disk, e.g. `1GB`.
    vaults: backup targets by name, each a table with its `kind`; a relative `path` in the file is
    relative to the file. backup: copies and retention. keyring: file of the backup keys.
    work: which node and project the work found in logs belongs to; the first rule that fits.
    """

    model_config = SettingsConfigDict(env_prefix="PNLBOOK_", extra="forbid", frozen=True)

    book: Path = Path("book.duckdb")
    lock_timeout: float = Field(default=30.0, ge=0)
    memory_limit: str = Field(default="1500MB", pattern=r"^\d+(\.\d+)?\s?([KMGT]i?B|%)$")
    vaults: dict[str, dict[str, Any]] = Field(default_factory=dict)
    backup: BackupSettings = Field(default_factory=BackupSettings)
    keyring: Path = Field(default_factory=lambda: _config_folder() / "keyring.json")
    work: tuple[WorkAssignment, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: the environment wins over the file, which arrives as init values."""
        _ = settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def find_file(start: Path) -> Path | None:
    """Return the nearest `pnlbook.toml` at or above the folder `start`."""
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        path = candidate / FILE_NAME
        if path.is_file():
            return path
    return None


def load_settings(start: Path | None = None) -> Settings:
    """Read the settings that apply in the folder `start` (default: the current one).

    Raises ConfigError when the file or a variable cannot be understood.
    """
    path = find_file(start or Path.cwd())
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise ConfigError(str(path), str(error)) from error
        _anchor(values, path.parent)
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(_place(path, first["loc"]), first["msg"]) from error


def _anchor(values: dict[str, Any], folder: Path) -> None:
    """Make the relative paths of a file relative to its folder."""
    vaults = values.get("vaults")
    tables = list(vaults.values()) if isinstance(vaults, dict) else []
    for table, name in [(values, "book"), (values, "keyring"), *((t, "path") for t in tables)]:
        if isinstance(table, dict) and isinstance(table.get(name), str):
            table[name] = folder / Path(table[name]).expanduser()


def _config_folder() -> Path:
    """Return the user's folder of settings (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pnlbook"


def _place(path: Path | None, location: tuple[int | str, ...]) -> str:
    variable = f"PNLBOOK_{str(location[0]).upper()}" if location else ""
    if variable in os.environ:
        return f"environment variable {variable}"
    return f"{path or 'settings'}, setting {'.'.join(map(str, location))!r}"
