"""What S3 means when it fails: one sentence, and what to do.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re

from pnlbook.backup.errors import VaultError

# The first that occurs in what obstore says counts.
_SENTENCES = (
    (r"NoSuchBucket", "there is no bucket {bucket}. Make it, or correct the key 'bucket'."),
    (
        r"NoSuchUpload|ConditionalRequestConflict",
        "something else changed the object at the same time. Try again.",
    ),
    (
        r"InvalidAccessKeyId",
        "access denied: it does not know the access key. Check AWS_ACCESS_KEY_ID or the profile.",
    ),
    (
        r"SignatureDoesNotMatch",
        (
            "access denied: the signature is wrong. Check AWS_SECRET_ACCESS_KEY or the profile, "
            "and the key 'region'."
        ),
    ),
    (
        r"RequestTimeTooSkewed|RequestExpired",
        "access denied: this machine's clock differs too much from its own. Set the clock.",
    ),
    (
        r"ExpiredToken|InvalidToken",
        "access denied: the session has expired. Get new credentials.",
    ),
    (
        r"ObjectLockConfiguration|InvalidRequest\b.*[Oo]bject.?[Ll]ock",
        (
            "bucket {bucket} has no object lock. Make a bucket with it, or remove "
            "the key 'object_lock_days'."
        ),
    ),
    (
        r"BareRedirect|PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint",
        "bucket {bucket} is in another region. Correct the key 'region'.",
    ),
    (
        r"AccessDenied|status: 40[13]\b|status code: 40[13]\b",
        (
            "access denied to bucket {bucket}. Check the credentials, and what they may do there: "
            "list the bucket, get, put and delete objects."
        ),
    ),
    (
        r"dns error|failed to lookup address",
        "the name of its host is not known. Check the key 'endpoint' and the network.",
    ),
    (
        r"[Cc]onnection ?refused",
        "nothing answers at its address. Check the key 'endpoint', and that it runs.",
    ),
    (
        r"invalid peer certificate",
        "the certificate of its host is not trusted. Check the key 'endpoint'.",
    ),
    (r"kind: Timeout|TimedOut", "it did not answer in time. Try again later."),
    (r"status: (429|503)\b|SlowDown", "it asks for fewer requests. Try again later."),
    (r"status: 5\d\d\b", "it failed on its side. Try again later."),
    (r"status: 404\b", "there is no bucket {bucket}. Make it, or correct the key 'bucket'."),
    (
        r"kind: (Interrupted|Request|Connect|Decode|Body)|NoContentRange|IncompleteMessage",
        "the connection broke. Check the network, and try again.",
    ),
)
# A repeated request to complete an upload that is complete finds no such upload; two puts of one
# object at once conflict.
_BROKEN = re.compile(
    r"kind: (Interrupted|Timeout)\b|TimedOut|NoSuchUpload|ConditionalRequestConflict"
)
_UNKNOWN = "it failed in a way that is not known here ({kind}). Check its settings, and try again."


class S3Failed(VaultError):
    """S3 refused a request, or did not answer; what obstore said is the cause."""

    def __init__(self, vault: str, bucket: str, error: BaseException) -> None:
        text = str(error)
        found = (sentence for pattern, sentence in _SENTENCES if re.search(pattern, text))
        sentence = next(found, _UNKNOWN)
        super().__init__(vault, sentence.format(bucket=bucket, kind=type(error).__name__))


def is_broken(error: BaseException) -> bool:
    """Return whether the request may or may not have been carried out."""
    return _BROKEN.search(str(error)) is not None


def is_no_bucket(error: BaseException) -> bool:
    """Return whether it is the bucket that was not found."""
    return "NoSuchBucket" in str(error)
