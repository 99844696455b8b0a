"""An S3 of our own on loopback (moto), and a way to it that fails as told."""

from __future__ import annotations

import socket
import struct
import time
from collections import deque
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3  # type: ignore[import-untyped]
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fault = Callable[["Handler"], None]

KEY, SECRET, REGION = "a-key", "a-secret", "eu-central-1"
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@contextmanager
def running_amazon() -> Iterator[str]:
    """Run the server for the block and yield its endpoint."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(service: str, endpoint: str) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
    """Return a client that can do what the vault cannot: make buckets, users and locks."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    )


def make_bucket(endpoint: str, bucket: str, *, lock: bool = False) -> None:
    where = {"LocationConstraint": REGION}
    client("s3", endpoint).create_bucket(
        Bucket=bucket, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=lock
    )


class Request(NamedTuple):
    """What arrived at the faulty server."""

    method: str
    path: str
    headers: dict[str, str]


class FaultyServer(ThreadingHTTPServer):
    """Passes requests on to `endpoint`, except that those of `method` meet the faults first.

    Each fault is met once; `last`, if any, by every request after them.
    """

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = endpoint.removeprefix("http://")
        self.method = ""
        self.faults: deque[Fault] = deque()
        self.last: Fault | None = None
        self.requests: list[Request] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fail(self, method: str, *faults: Fault, last: Fault | None = None) -> None:
        self.method, self.faults, self.last = method, deque(faults), last

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.requests)

    def next_fault(self, method: str) -> Fault | None:
        if method != self.method:
            return None
        return self.faults.popleft() if self.faults else self.last

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that break, as they are meant to."""


@contextmanager
def running_faulty(endpoint: str) -> Iterator[FaultyServer]:
    with FaultyServer(endpoint) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


class Handler(BaseHTTPRequestHandler):
    """One connection to the faulty server."""

    protocol_version = "HTTP/1.1"
    server: FaultyServer
    body: bytes

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(Request(self.command, self.path, dict(self.headers.items())))
        fault = self.server.next_fault(self.command)
        (fault or Handler.forward)(self)

    def forward(self) -> None:
        self.answer(*self.ask())

    def ask(self) -> tuple[int, dict[str, str], bytes]:
        """Return what the server behind answers."""
        connection = HTTPConnection(self.server.target, timeout=10)
        try:
            connection.request(self.command, self.path, self.body, dict(self.headers.items()))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def answer(self, status: int, headers: dict[str, str], body: bytes, cut: int = 0) -> None:
        """Send an answer whose last `cut` bytes are missing."""
        length = next((v for k, v in headers.items() if k.lower() == "content-length"), "0")
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) - cut])
        self.wfile.flush()
        self.close_connection = self.close_connection or cut > 0


def status(code: int, error: str = "") -> Fault:
    """Answer with a status, and an error of S3's form."""

    def fault(handler: Handler) -> None:
        body = f"<Error><Code>{error}</Code><Message>no</Message></Error>" if error else ""
        handler.answer(code, {}, body.encode() if handler.command != "HEAD" else b"")

    return fault


def reset(handler: Handler) -> None:
    """Break the connection before an answer."""
    now = struct.pack("ii", 1, 0)  # SO_LINGER of no time: a reset, not an end
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
    handler.close_connection = True
    handler.connection.close()


def done_but(fault: Fault) -> Fault:
    """Do what was asked, then fail."""

    def after(handler: Handler) -> None:
        handler.ask()
        fault(handler)

    return after


def silence(handler: Handler) -> None:
    """Answer nothing for longer than the tests wait."""
    time.sleep(3)
    handler.close_connection = True


def cut_short(handler: Handler) -> None:
    """Send half of the answer's body, of the length of all of it."""
    code, headers, body = handler.ask()
    handler.answer(code, headers, body, cut=len(body) - len(body) // 2)


def listing(*keys: str, more: bool) -> Fault:
    """Answer a request for a list with these keys, and perhaps with the promise of more."""
    entries = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-24T03:00:00.000Z</LastModified>"
        '<ETag>"e"</ETag><Size>7</Size></Contents>'
        for key in keys
    )
    token = "<NextContinuationToken>on</NextContinuationToken>" if more else ""
    body = (
        f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}"
        "</ListBucketResult>"
    ).encode()

    def fault(handler: Handler) -> None:
        handler.answer(200, {"Content-Type": "application/xml"}, body)

    return fault
