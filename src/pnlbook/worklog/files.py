"""What kind of file a path names, as far as the path alone tells."""

from __future__ import annotations

import re

_LOCK = re.compile(
    r"""(?: \.lock | \.lockfile | \.lockb | [.-]lock\.(?:json|ya?ml|hcl) )$
    | ^(?: go\.sum | npm-shrinkwrap\.json | package\.resolved )$""",
    re.VERBOSE,
)
_GENERATED = re.compile(
    r"""\.min\.(?:js|css)$ | \.(?:js|mjs|css)\.map$ | \.bundle\.js$ | \.snap$
    | _pb2(?:_grpc)?\.pyi?$ | \.pb\.(?:go|cc|h)$ | _grpc\.pb\.go$
    | \.(?:g|freezed)\.dart$ | \.designer\.cs$ | \.(?:generated|gen)\.[a-z]+$""",
    re.VERBOSE,
)
_VENDORED_FOLDERS = frozenset(
    {"vendor", "node_modules", "third_party", "third-party", "thirdparty", "bower_components"}
    | {"pods", "site-packages", ".yarn"}
)
_GENERATED_FOLDERS = frozenset({"dist", "generated", "__generated__", "__snapshots__"})


def file_class(path: str) -> str:
    """Return vendored, lock, generated or source; what is binary is not told by a path."""
    *folders, name = path.lower().replace("\\", "/").split("/")
    if not _VENDORED_FOLDERS.isdisjoint(folders):
        return "vendored"
    if _LOCK.search(name):
        return "lock"
    if not _GENERATED_FOLDERS.isdisjoint(folders) or _GENERATED.search(name):
        return "generated"
    return "source"
