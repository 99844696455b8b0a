"""Altair, imported without what no chart has a use for.

Altair checks charts with jsonschema, which on import compiles a grammar of internet addresses for
most of a second wherever that optional package is found (JupyterLab brings it).
"""

import importlib
import sys

_GRAMMAR = "rfc3987_syntax"
if "jsonschema" not in sys.modules and _GRAMMAR not in sys.modules:
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[_GRAMMAR]

import altair as alt  # noqa: E402 - only now without the grammar

__all__ = ["alt"]
