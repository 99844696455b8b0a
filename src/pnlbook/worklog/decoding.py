"""Lines of JSON as typed records, taken as loosely as logs are written.

What has another type than it should is read as if it were not there; characters that cannot be are
read as a replacement, so that a torn emoji in a tool's output costs no usage.
"""

from __future__ import annotations

import json
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec

from pnlbook.worklog.lines import NotARecord

T = TypeVar("T", bound=msgspec.Struct)

# A counter of a log: anything else than a number that a book can hold is not told.
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

NO_JSON: Final = msgspec.Raw()
_NO_OBJECT: Final = "It is JSON, but not an object."
_BROKEN: Final = "It is not JSON."
_NOT_TOLD = object()
_ERRORS = (ValueError, OverflowError, RecursionError)  # what decoders raise, msgspec's included


class Loose(Generic[T]):
    """Decodes JSON as a kind of struct whose fields all have defaults."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._decode = msgspec.json.Decoder(kind).decode

    def line(self, data: bytes) -> T:
        """Return the record on a line. Raises NotARecord when it holds no JSON object."""
        try:
            return self._decode(data)
        except _ERRORS:
            value = _value(data)
        if not isinstance(value, dict):
            raise NotARecord(_NO_OBJECT)
        return self._fit(value)

    def part(self, data: bytes | msgspec.Raw) -> T:
        """Return what a part of a line holds; an empty record when it holds no object."""
        try:
            return self._decode(data)
        except _ERRORS:
            pass
        try:
            value = _value(bytes(data))
        except NotARecord:
            value = None
        return self._fit(value if isinstance(value, dict) else {})

    def _fit(self, value: dict[str, Any]) -> T:
        return self._decode(msgspec.json.encode(_fit(value, self._kind)))


def text_of(data: bytes | msgspec.Raw) -> str:
    """Return the text of a JSON string, or of the blocks `{"text": …}` of a JSON array."""
    if not data:
        return ""
    try:
        value = msgspec.json.decode(data)
    except _ERRORS:
        try:
            value = _value(bytes(data))
        except NotARecord:
            return ""
    if isinstance(value, list):
        texts = [block.get("text") for block in value if isinstance(block, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))
    return value if isinstance(value, str) else ""


def _value(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what a line holds, with a replacement for characters that cannot be."""
    try:
        text = json.dumps(json.loads(data.decode("utf-8", "replace")), ensure_ascii=False)
        return msgspec.json.decode(text.encode("utf-8", "replace"))
    except _ERRORS as error:
        raise NotARecord(_BROKEN) from error


def _fit(value: Any, kind: Any) -> Any:  # noqa: ANN401 - any JSON, any type
    """Return what of a value can be read as a type, or _NOT_TOLD."""
    if kind is msgspec.Raw:
        return value
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        fitting = (_fit(value, one) for one in get_args(kind))
        return next((one for one in fitting if one is not _NOT_TOLD), _NOT_TOLD)
    if origin is list:
        return _items(value, get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _fields(value, kind)
    return _plain(value, kind)


def _plain(value: Any, kind: Any) -> Any:  # noqa: ANN401 - any JSON, any type
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return _NOT_TOLD


def _items(value: Any, kind: Any) -> Any:  # noqa: ANN401 - any JSON, any type
    if not isinstance(value, list):
        return _NOT_TOLD
    fitted = (_fit(one, kind) for one in value)
    return [one for one in fitted if one is not _NOT_TOLD]


def _fields(value: Any, kind: type[msgspec.Struct]) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict):
        return _NOT_TOLD
    fitted = {name: _fit(value[name], of) for name, of in _types(kind) if name in value}
    return {name: one for name, one in fitted.items() if one is not _NOT_TOLD}


@lru_cache
def _types(kind: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    """Return name (as in JSON) and type of each field."""
    return tuple((field.encode_name, field.type) for field in msgspec.structs.fields(kind))
