"""What the reports share: figures read from a book, drawn, formatted and exported."""

import importlib
import sys

# Altair checks charts with jsonschema, which on import compiles a grammar of internet addresses
# for most of a second wherever that optional package is found (JupyterLab brings it). No chart
# has a use for it.
_GRAMMAR = "rfc3987_syntax"
if "jsonschema" not in sys.modules and _GRAMMAR not in sys.modules:
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[_GRAMMAR]
