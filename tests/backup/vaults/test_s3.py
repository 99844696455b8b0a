"""S3 as a vault, against a server of our own; and what it makes of servers that fail."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from moto.core.authorization import enable_iam_authentication
from tests.backup.vaults.amazon import (
    KEY,
    REGION,
    SECRET,
    FaultyServer,
    Handler,
    client,
    cut_short,
    done_but,
    listing,
    make_bucket,
    reset,
    running_amazon,
    running_faulty,
    silence,
    status,
)
from tests.backup.vaults.objects import Object, make_changed, make_object

from pnlbook.backup.errors import VaultError
from pnlbook.backup.vaults.credentials import Credentials
from pnlbook.backup.vaults.files import LocalFileError
from pnlbook.backup.vaults.s3 import MULTIPART_FROM, ListingGoesRound, PutUnseen, S3Vault
from pnlbook.backup.vaults.s3_errors import S3Failed
from pnlbook.backup.vaults.s3_lock import Lock, LockUnknown, NotLocked
from pnlbook.backup.vaults.s3_store import Patience, Place
from pnlbook.backup.vaults.vault import (
    CannotDelete,
    DamagedThere,
    NotAName,
    ObjectMissing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.backup.vaults.amazon import Fault


BUCKET, LOCKED = "pnlbook-backups", "pnlbook-locked"
STEADY = Patience(answer=20, retries=3, first_pause=0.01, longest_pause=0.05, altogether=20)
QUICK = replace(STEADY, answer=0.3)  # where silence is the fault
CREDENTIALS = Credentials(KEY, SECRET)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    with running_amazon() as endpoint:
        make_bucket(endpoint, BUCKET)
        make_bucket(endpoint, LOCKED, lock=True)
        yield endpoint


@pytest.fixture
def faulty(amazon: str) -> Iterator[FaultyServer]:
    with running_faulty(amazon) as server:
        yield server


def vault_at(endpoint: str, prefix: str, bucket: str = BUCKET) -> S3Vault:
    place = Place(bucket, prefix, REGION, endpoint, allow_http=True)
    return S3Vault("cloud", place, CREDENTIALS, patience=STEADY)


@pytest.fixture
def vault(amazon: str, tmp_path: Path) -> S3Vault:
    return vault_at(amazon, tmp_path.name)


@pytest.fixture
def shaky(faulty: FaultyServer, tmp_path: Path) -> S3Vault:
    """Return the same vault as `vault`, by way of the faulty server."""
    return vault_at(faulty.endpoint, tmp_path.name)


class Upload(NamedTuple):
    """One object, its vault, and the shaky way to it."""

    vault: S3Vault
    shaky: S3Vault
    thing: Object
    back: Path


@pytest.fixture
def upload(vault: S3Vault, shaky: S3Vault, thing: Object, tmp_path: Path) -> Upload:
    return Upload(vault, shaky, thing, tmp_path / "back")


@pytest.fixture
def thing(tmp_path: Path) -> Object:
    return make_object(tmp_path, os.urandom(5000))


@pytest.mark.parametrize("size", [0, 1, (1 << 20) + 1, MULTIPART_FROM - 1, MULTIPART_FROM + 1])
def test_what_was_put_comes_back(vault: S3Vault, tmp_path: Path, size: int) -> None:
    thing = make_object(tmp_path, os.urandom(size))
    sent: list[int] = []
    received: list[int] = []
    vault.put(thing.name, thing.path, sent.append)
    vault.get(thing.name, tmp_path / "back", received.append)
    assert (tmp_path / "back").read_bytes() == thing.data
    assert (tmp_path / "back").stat().st_mode & 0o777 == 0o600
    assert vault.head(thing.name) == sum(sent) == sum(received) == size


def test_list(vault: S3Vault, amazon: str, tmp_path: Path) -> None:
    things = [make_object(tmp_path, bytes([n])) for n in range(3)]
    for thing in things:
        vault.put(thing.name, thing.path)
    for other in ("README", f"below/{things[0].name}", "A" * 64):
        client("s3", amazon).put_object(
            Bucket=BUCKET, Key=f"{vault.place.prefix}/{other}", Body=b""
        )
    found = list(vault.list())
    assert {(stored.name, stored.size) for stored in found} == {(t.name, 1) for t in things}
    assert len(found) == 3
    assert all(abs((datetime.now(UTC) - s.modified_at).total_seconds()) < 60 for s in found)


def test_a_prefix_is_a_folder(amazon: str, thing: Object) -> None:
    one, other, none = (vault_at(amazon, prefix) for prefix in ("one", "one-more", ""))
    one.put(thing.name, thing.path)
    assert (other.head(thing.name), list(other.list())) == (None, [])
    assert none.head(thing.name) is None


def test_putting_twice_is_putting_once(shaky: S3Vault, faulty: FaultyServer, thing: Object) -> None:
    shaky.put(thing.name, thing.path)
    shaky.put(thing.name, thing.path)
    assert faulty.count("PUT") == 1


def test_a_put_is_conditional(shaky: S3Vault, faulty: FaultyServer, thing: Object) -> None:
    shaky.put(thing.name, thing.path)
    (request,) = (request for request in faulty.requests if request.method == "PUT")
    assert request.headers["if-none-match"] == "*"


def test_the_environment_changes_nothing_of_it(
    shaky: S3Vault, faulty: FaultyServer, thing: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "another-token")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_BUCKET", "another-bucket")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://no-such-host.invalid")
    shaky.put(thing.name, thing.path)
    for request in faulty.requests:
        assert f"Credential={KEY}/" in request.headers["authorization"]
        assert f"/{REGION}/s3/" in request.headers["authorization"]
        assert "x-amz-security-token" not in request.headers
        assert request.path == f"/{BUCKET}/{shaky.place.prefix}/{thing.name}"


@pytest.mark.parametrize("size", [1, MULTIPART_FROM])
def test_another_size_is_damage_and_nothing_is_replaced(
    vault: S3Vault, thing: Object, tmp_path: Path, size: int
) -> None:
    vault.put(thing.name, thing.path)
    changed = make_changed(tmp_path, thing, bytes(size))
    with pytest.raises(DamagedThere, match=f"5000 bytes instead of {size}"):
        vault.put(changed.name, changed.path)
    vault.get(thing.name, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == thing.data


def test_another_that_comes_between_is_not_replaced(
    vault: S3Vault, shaky: S3Vault, faulty: FaultyServer, thing: Object, tmp_path: Path
) -> None:
    vault.put(thing.name, thing.path)
    changed = make_changed(tmp_path, thing, b"short")
    faulty.fail("HEAD", status(404))
    with pytest.raises(DamagedThere):
        shaky.put(changed.name, changed.path)
    assert vault.head(thing.name) == 5000


@pytest.mark.parametrize("size", [5000, MULTIPART_FROM])
def test_two_at_once(vault: S3Vault, tmp_path: Path, size: int) -> None:
    thing = make_object(tmp_path, os.urandom(size))
    failures: list[BaseException] = []

    def put() -> None:
        try:
            replace(vault).put(thing.name, thing.path)
        except BaseException as error:  # noqa: BLE001 - a thread would swallow it
            failures.append(error)

    threads = [threading.Thread(target=put) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    vault.get(thing.name, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == thing.data


def test_delete(vault: S3Vault, thing: Object) -> None:
    vault.put(thing.name, thing.path)
    vault.delete(thing.name)
    vault.delete(thing.name)
    assert (list(vault.list()), vault.head(thing.name)) == ([], None)


def test_a_missing_object(vault: S3Vault, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match=r"vault cloud: object a{64} is not to be seen"):
        vault.get("a" * 64, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_no_other_names(vault: S3Vault, thing: Object, tmp_path: Path) -> None:
    actions: tuple[Callable[[], object], ...] = (
        lambda: vault.put("../x", thing.path),
        lambda: vault.get("", tmp_path / "back"),
        lambda: vault.head("A" * 64),
        lambda: vault.delete("a" * 65),
    )
    for action in actions:
        with pytest.raises(NotAName):
            action()


def test_no_file_of_this_side_is_replaced(vault: S3Vault, thing: Object) -> None:
    vault.put(thing.name, thing.path)
    with pytest.raises(LocalFileError, match="File exists"):
        vault.get(thing.name, thing.path)
    assert thing.path.read_bytes() == thing.data


def test_a_source_that_shrinks_is_never_seen(vault: S3Vault, amazon: str, tmp_path: Path) -> None:
    thing = make_object(tmp_path, bytes(MULTIPART_FROM + 1))

    def shrink(count: int) -> None:
        os.truncate(thing.path, count)

    with pytest.raises(LocalFileError, match="changed while it was read"):
        vault.put(thing.name, thing.path, shrink)
    assert vault.head(thing.name) is None
    assert "Uploads" not in client("s3", amazon).list_multipart_uploads(Bucket=BUCKET)


# What passes is tried again.

PASSING = {
    "slow down, once": (status(429),),
    "failed, twice": (status(500), status(500)),
    "busy, twice": (status(503, "SlowDown"), status(503, "SlowDown")),
    "reset": (reset,),
    "silence": (silence,),
}


@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD", "POST"])
@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING)
def test_what_passes(
    upload: Upload, faulty: FaultyServer, method: str, faults: tuple[Fault, ...]
) -> None:
    vault, shaky, thing, back = upload
    faulty.fail(method, *faults)
    if silence in faults:
        shaky = replace(shaky, patience=QUICK)
    shaky.put(thing.name, thing.path)
    shaky.get(thing.name, back)
    assert back.read_bytes() == thing.data
    assert shaky.head(thing.name) == 5000
    shaky.delete(thing.name)
    assert vault.head(thing.name) is None
    assert not faulty.faults


PARTS = [
    ("PUT", (status(503),)),
    ("PUT", (Handler.forward, reset)),
    ("PUT", (done_but(reset),)),
    ("POST", (done_but(reset),)),  # begun, and begun again
    ("POST", (Handler.forward, reset)),
    ("POST", (Handler.forward, done_but(reset))),  # complete, but not said so
    ("POST", (Handler.forward, done_but(status(500)))),
    ("POST", (Handler.forward, done_but(status(404, "NoSuchUpload")))),
]


@pytest.mark.parametrize(("method", "faults"), PARTS)
def test_parts_that_fail_are_sent_again(
    upload: Upload, faulty: FaultyServer, method: str, faults: tuple[Fault, ...]
) -> None:
    upload.thing.path.write_bytes(bytes(MULTIPART_FROM))
    sent: list[int] = []
    faulty.fail(method, *faults)
    upload.shaky.put(upload.thing.name, upload.thing.path, sent.append)
    assert not faulty.faults
    assert sum(sent) == MULTIPART_FROM
    upload.vault.get(upload.thing.name, upload.back)
    assert upload.back.read_bytes() == bytes(MULTIPART_FROM)


@pytest.mark.parametrize(
    "fault", [done_but(reset), done_but(status(500)), status(409, "ConditionalRequestConflict")]
)
def test_a_put_whose_outcome_is_not_known(
    vault: S3Vault, shaky: S3Vault, faulty: FaultyServer, thing: Object, fault: Fault
) -> None:
    faulty.fail("PUT", fault)
    shaky.put(thing.name, thing.path)
    assert vault.head(thing.name) == 5000


def test_a_body_that_breaks_off_is_resumed(
    shaky: S3Vault, faulty: FaultyServer, thing: Object, tmp_path: Path
) -> None:
    shaky.put(thing.name, thing.path)
    faulty.fail("GET", cut_short)
    shaky.get(thing.name, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == thing.data


# What stays is told in a sentence.

STAYING = {
    "failed": (status(500), "it failed on its side", 4),
    "slow down": (status(429), "it asks for fewer requests", 4),
    "reset": (reset, "the connection broke", 4),
    "silence": (silence, "it did not answer in time", 4),
    "skew": (status(403, "RequestTimeTooSkewed"), "Set the clock", 1),
    "session": (status(400, "ExpiredToken"), "the session has expired", 1),
    "denied": (status(403, "AccessDenied"), f"access denied to bucket {BUCKET}", 1),
    "region": (status(301, "PermanentRedirect"), "is in another region", 1),
    "strange": (status(418), "not known here", 1),
}


@pytest.mark.parametrize("method", ["PUT", "GET"])
@pytest.mark.parametrize("case", STAYING.values(), ids=STAYING)
def test_what_stays(
    upload: Upload, faulty: FaultyServer, method: str, case: tuple[Fault, str, int]
) -> None:
    fault, sentence, requests = case
    _, shaky, thing, back = upload
    faulty.fail(method, last=fault)
    if fault is silence:
        shaky = replace(shaky, patience=QUICK)
    act = shaky.put if method == "PUT" else shaky.get
    with pytest.raises(S3Failed, match=sentence) as raised:
        act(thing.name, thing.path if method == "PUT" else back)
    said = str(raised.value)
    assert said.startswith("vault cloud: ")
    assert raised.value.exit_code == 6
    assert len(said) < 200
    assert raised.value.__cause__ is not None
    for detail in (SECRET, "Debug source", faulty.endpoint):
        assert detail not in said
    assert faulty.count(method) == requests
    assert not back.exists()


def test_404_is_unknown(
    vault: S3Vault, shaky: S3Vault, faulty: FaultyServer, thing: Object, tmp_path: Path
) -> None:
    vault.put(thing.name, thing.path)
    faulty.fail("HEAD", last=status(404))
    assert shaky.head(thing.name) is None
    faulty.fail("GET", last=status(404, "NoSuchKey"))
    with pytest.raises(ObjectMissing):
        shaky.get(thing.name, tmp_path / "back")


def test_a_body_that_always_breaks_off(
    shaky: S3Vault, faulty: FaultyServer, thing: Object, tmp_path: Path
) -> None:
    shaky.put(thing.name, thing.path)
    faulty.fail("GET", last=cut_short)
    with pytest.raises(VaultError):
        shaky.get(thing.name, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_an_upload_that_vanishes(shaky: S3Vault, faulty: FaultyServer, tmp_path: Path) -> None:
    thing = make_object(tmp_path, bytes(MULTIPART_FROM))
    faulty.fail("HEAD", last=status(404))
    with pytest.raises(PutUnseen, match="Send it again"):
        shaky.put(thing.name, thing.path)


def test_a_list_that_repeats(shaky: S3Vault, faulty: FaultyServer, thing: Object) -> None:
    key = f"{shaky.place.prefix}/{thing.name}"
    faulty.fail("GET", listing(key, key, more=True), listing(key, more=False))
    assert [(stored.name, stored.size) for stored in shaky.list()] == [(thing.name, 7)]


def test_a_list_without_end(shaky: S3Vault, faulty: FaultyServer, thing: Object) -> None:
    key = f"{shaky.place.prefix}/{thing.name}"
    faulty.fail("GET", last=listing(*[key] * 500, more=True))
    with pytest.raises(ListingGoesRound):
        list(shaky.list())


def test_a_list_that_omits(
    shaky: S3Vault, faulty: FaultyServer, thing: Object, tmp_path: Path
) -> None:
    shaky.put(thing.name, thing.path)
    faulty.fail("GET", listing(more=False))
    assert list(shaky.list()) == []
    shaky.get(thing.name, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == thing.data


def test_a_list_that_fails_midway_is_no_short_list(
    shaky: S3Vault, faulty: FaultyServer, thing: Object
) -> None:
    key = f"{shaky.place.prefix}/{thing.name}"
    faulty.fail("GET", listing(key, more=True), last=status(500))
    with pytest.raises(S3Failed, match="it failed on its side"):
        list(shaky.list())


def test_no_bucket(amazon: str, thing: Object, tmp_path: Path) -> None:
    vault = vault_at(amazon, "", "no-such-bucket")
    actions: tuple[Callable[[], object], ...] = (
        lambda: vault.put(thing.name, thing.path),
        lambda: vault.get(thing.name, tmp_path / "back"),
        lambda: list(vault.list()),
        lambda: vault.delete(thing.name),
    )
    for action in actions:
        with pytest.raises(S3Failed, match=r"there is no bucket no-such-bucket\. Make it"):
            action()


def test_nothing_answers(thing: Object) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        vault = vault_at(f"http://127.0.0.1:{unused.getsockname()[1]}", "")
        with pytest.raises(S3Failed, match="nothing answers at its address"):
            vault.put(thing.name, thing.path)


def test_an_unknown_host(thing: Object) -> None:
    place = Place(BUCKET, region=REGION, endpoint="https://no-such-host.invalid")
    with pytest.raises(S3Failed, match="the name of its host is not known"):
        S3Vault("cloud", place, CREDENTIALS, patience=STEADY).head(thing.name)


def test_a_plain_connection_is_not_made_by_itself(amazon: str, thing: Object) -> None:
    vault = S3Vault("cloud", Place(BUCKET, "", REGION, amazon), CREDENTIALS, patience=STEADY)
    with pytest.raises(S3Failed):
        vault.head(thing.name)


def test_signatures_are_checked(vault: S3Vault, amazon: str, thing: Object, tmp_path: Path) -> None:
    iam = client("iam", amazon)
    iam.create_user(UserName="pnlbook")
    policy = (
        '{"Version": "2012-10-17", "Statement": '
        '[{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    )
    iam.put_user_policy(UserName="pnlbook", PolicyName="all", PolicyDocument=policy)
    made = iam.create_access_key(UserName="pnlbook")["AccessKey"]
    right = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    wrong = Credentials(made["AccessKeyId"], "not-the-secret")
    with enable_iam_authentication():
        for credentials, sentence in ((wrong, "signature is wrong"), (CREDENTIALS, "access key")):
            refused = replace(vault, credentials=credentials)
            with pytest.raises(S3Failed, match=f"access denied: .*{sentence}"):
                list(refused.list())
            with pytest.raises(S3Failed, match="access denied") as raised:
                refused.put(thing.name, thing.path)
            assert credentials.secret_access_key not in repr(raised.value) + repr(refused)
        accepted = replace(vault, credentials=right)
        accepted.put(thing.name, thing.path)
        accepted.get(thing.name, tmp_path / "back")
        assert [stored.name for stored in accepted.list()] == [thing.name]
        accepted.delete(thing.name)


ASKER = """
from pathlib import Path
from pnlbook.backup.vaults.s3 import S3Vault
from pnlbook.backup.vaults.s3_store import Place

place = Place("pnlbook-backups", endpoint={endpoint!r}, region="here", allow_http=True)
print("asking", flush=True)
S3Vault("cloud", place).head("a" * 64)
"""


def test_an_interruption_is_noticed_at_once() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        endpoint = f"http://127.0.0.1:{mute.getsockname()[1]}"
        command = [sys.executable, "-c", ASKER.format(endpoint=endpoint)]
        environment = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        child = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == "asking\n"
            with closing(mute.accept()[0]) as connection:
                connection.recv(1)  # it waits for the answer now
                child.send_signal(signal.SIGINT)
                _, said = child.communicate(timeout=20)
    assert said.splitlines()[-1] == "KeyboardInterrupt"


# Object lock.


@pytest.fixture
def locked(amazon: str, tmp_path: Path) -> S3Vault:
    return replace(vault_at(amazon, tmp_path.name, LOCKED), lock=Lock(30))


def test_a_lock_is_set_and_keeps_the_object(locked: S3Vault, amazon: str, thing: Object) -> None:
    locked.put(thing.name, thing.path)
    locked.put(thing.name, thing.path)
    key = f"{locked.place.prefix}/{thing.name}"
    answer = client("s3", amazon).head_object(Bucket=LOCKED, Key=key)
    until = datetime.now(UTC) + timedelta(days=30)
    assert answer["ObjectLockMode"] == "GOVERNANCE"
    assert abs(answer["ObjectLockRetainUntilDate"] - until) < timedelta(minutes=1)
    with pytest.raises(CannotDelete, match=f"locked until {until:%Y-%m}"):
        locked.delete(thing.name)
    assert locked.head(thing.name) == 5000


def test_a_lock_is_asked_for_where_an_upload_begins(
    locked: S3Vault, faulty: FaultyServer, tmp_path: Path
) -> None:
    thing = make_object(tmp_path, bytes(MULTIPART_FROM))
    place = replace(locked.place, endpoint=faulty.endpoint)
    with suppress(NotLocked):  # moto overlooks the lock of an upload in parts
        replace(locked, place=place).put(thing.name, thing.path)
    begun = next(request for request in faulty.requests if "?uploads" in request.path)
    assert begun.headers["x-amz-object-lock-mode"] == "GOVERNANCE"
    assert "x-amz-object-lock-mode;" in begun.headers["authorization"]
    assert "x-amz-object-lock-retain-until-date" in begun.headers["authorization"]


def test_a_lock_that_does_not_take_is_told(locked: S3Vault, vault: S3Vault, thing: Object) -> None:
    replace(locked, lock=None).put(thing.name, thing.path)
    with pytest.raises(NotLocked, match="stored but not locked for 30 days"):
        locked.put(thing.name, thing.path)
    locked.delete(thing.name)
    assert locked.head(thing.name) is None
    with pytest.raises(S3Failed, match="has no object lock"):
        replace(vault, lock=Lock(30)).put(thing.name, thing.path)


def test_a_lock_of_the_bucket_itself_counts(locked: S3Vault, amazon: str, thing: Object) -> None:
    make_bucket(amazon, "pnlbook-default", lock=True)
    client("s3", amazon).put_object_lock_configuration(
        Bucket="pnlbook-default",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 31}},
        },
    )
    place = replace(locked.place, bucket="pnlbook-default")
    client("s3", amazon).put_object(
        Bucket=place.bucket,
        Key=f"{place.prefix}/{thing.name}",
        Body=thing.data,
        ChecksumAlgorithm="SHA256",
    )
    replace(locked, place=place).put(thing.name, thing.path)
    with pytest.raises(NotLocked, match="32 days"):
        replace(locked, place=place, lock=Lock(32)).put(thing.name, thing.path)


@pytest.mark.parametrize("fault", [status(500), status(403), reset, silence])
def test_a_lock_that_cannot_be_read(
    locked: S3Vault, faulty: FaultyServer, thing: Object, fault: Fault
) -> None:
    locked.put(thing.name, thing.path)
    place = replace(locked.place, endpoint=faulty.endpoint)
    patience = QUICK if fault is silence else STEADY
    shaky = replace(locked, place=place, patience=patience)
    faulty.fail("HEAD", Handler.forward, last=fault)
    with pytest.raises(LockUnknown) as raised:
        shaky.put(thing.name, thing.path)
    assert "Signature" not in str(raised.value) + repr(raised.value.__cause__)
