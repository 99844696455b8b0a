"""A report as one ASGI app: marimo's, whose page begins with a first view of the same figures.

The app answers before marimo is loaded. The start of its page is what is there by then, and
marimo's own page follows in the same answer; an HTML parser makes one page of them.
"""

from __future__ import annotations

import asyncio
import logging
import mimetypes
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import parse_qs

from pnlbook.errors import PnlbookError
from pnlbook.reports import shell

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping
    from typing import Any

    import uvicorn

    from pnlbook.reports.notebook import Notebook

    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]
    Headers: TypeAlias = list[tuple[bytes, bytes]]
    View: TypeAlias = Callable[[Mapping[str, str | list[str]]], str]

T = TypeVar("T")

# Seconds that marimo's page waits for a first view when it could be sent itself. Little is lost:
# the report needs the same reading of the book, which thus begins before its scripts run.
PATIENCE = 5.0

_OK = 200
_ASSETS = "/assets/"
_PAGE: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),  # its figures are those of the moment
]
_FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
_AGAIN = b"<script>location.reload()</script>"  # by then, the other app answers at once


class ReportServer(threading.Thread):
    """Serves one report on a socket that listens already, until the process ends.

    It is a thread of its own, so that signals reach the main one.
    """

    def __init__(self, notebook: Notebook, listening: socket.socket) -> None:
        super().__init__(name="report", daemon=True)
        self.error: Exception | None = None
        self._app = ReportApp(notebook)
        self._listening = listening

    def run(self) -> None:
        """Serve until something fails, which is kept as `error`."""
        import uvicorn  # noqa: PLC0415 - slow, and the socket listens already

        settings = uvicorn.Config(
            self._app,
            log_level="error",
            lifespan="off",
            timeout_keep_alive=300,
            ws_ping_interval=1,  # as `marimo run` does
            ws_ping_timeout=60,
        )
        server = uvicorn.Server(settings)
        threading.Thread(target=self._load, args=(server,), daemon=True).start()
        try:
            server.run(sockets=[self._listening])
        except Exception as error:  # noqa: BLE001 - the main thread tells it
            self.error = error

    def _load(self, server: uvicorn.Server) -> None:
        try:
            self._app.load()
        except Exception as error:  # noqa: BLE001 - as above
            self.error = error
            server.should_exit = server.force_exit = True


class ReportApp:
    """The app of one notebook, which answers from the start and waits for what it needs."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._head = shell.head(notebook.title, notebook.style)
        self._view: Future[View | None] = Future()
        self._marimo: Future[App] = Future()

    def load(self) -> None:
        """Import what the app consists of."""
        from pnlbook.reports import first_view  # noqa: PLC0415 - slow, and the app answers already

        view = first_view.VIEWS.get(self._notebook.name) if self._head else None
        self._view.set_result(view)
        if view is not None:
            # A report mostly opens without filters; DuckDB reads while this thread goes on.
            threading.Thread(target=_begin, args=(view,), daemon=True).start()
        import marimo  # noqa: PLC0415 - as above

        builder = marimo.create_asgi_app(quiet=True)
        self._marimo.set_result(builder.with_app(path="/", root=str(self._notebook.path)).build())

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await (await _result(self._marimo))(scope, receive, send)
            return
        # As if no page of another site had asked: its browser then hides the answer from it, which
        # marimo would let it read.
        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"origin"]}
        path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        if scope["method"] == "GET" and path in {"", "/"}:
            await self._send_page(scope, receive, send)
        elif scope["method"] != "GET" or not await _sent_asset(path, send):
            await (await _result(self._marimo))(scope, receive, send)

    async def _send_page(self, scope: Message, receive: Receive, send: Send) -> None:
        view = await self._shown(parse_qs(scope["query_string"].decode(errors="replace")))
        if view:
            page = _Page(send, (self._head + view).encode())
            if not self._marimo.done():
                await page.begin()
            send = page.follow
        await (await _result(self._marimo))(scope, receive, send)

    async def _shown(self, query: Mapping[str, str | list[str]]) -> str:
        """Return the first view, empty when there is none in time."""
        asked = asyncio.ensure_future(self._asked(query))
        marimo = asyncio.ensure_future(_result(self._marimo))
        await asyncio.wait({asked, marimo}, return_when=asyncio.FIRST_COMPLETED)
        try:
            return await asyncio.wait_for(asked, PATIENCE)
        except (PnlbookError, TimeoutError):
            return ""  # the report tells it, and shows the figures once they are read
        except Exception:  # a defect, which must not take the report along
            logging.getLogger(__name__).exception("The report has no first view.")
            return ""

    async def _asked(self, query: Mapping[str, str | list[str]]) -> str:
        view = await _result(self._view)
        return await asyncio.to_thread(view, query) if view else ""


class _Page:
    """Sends the start of a page, then the rest as another app answers it."""

    def __init__(self, send: Send, start: bytes) -> None:
        self._send = send
        self._start = start
        self._has_begun = False
        self._is_in_vain = False

    async def begin(self) -> None:
        """Send the start; from now on the answer is a page, whatever the other app says."""
        await _send(self._send, _PAGE, self._start, more=True)
        self._has_begun = True

    async def follow(self, message: Message) -> None:
        """Pass on what the other app sends."""
        if message["type"] != "http.response.start":
            await self._send({**message, "body": _AGAIN} if self._is_in_vain else message)
        elif self._has_begun:
            self._is_in_vain = message["status"] != _OK
        elif message["status"] == _OK:
            await self.begin()
        else:
            await self._send(message)


def _begin(view: View) -> None:
    with suppress(Exception):  # the page asks again, and tells it
        view({})


async def _sent_asset(path: str, send: Send) -> bool:
    """Send a file of marimo's page if it is one; what it holds never changes under its name."""
    file = shell.asset(path.removeprefix(_ASSETS)) if path.startswith(_ASSETS) else None
    if file is None:
        return False
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    await _send(send, [(b"content-type", kind.encode()), _FOR_EVER], file.read_bytes())
    return True


async def _send(send: Send, headers: Headers, body: bytes, *, more: bool = False) -> None:
    if not more:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": _OK, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _result(future: Future[T]) -> T:
    """Wait for what another thread makes, which goes on when nobody waits any more."""
    return await asyncio.shield(asyncio.wrap_future(future))
