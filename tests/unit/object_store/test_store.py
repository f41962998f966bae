"""Object storage: its address, its objects, and what its errors mean."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from langchain_label_studio.errors import SettingError, Trouble
from langchain_label_studio.object_store.batch_names import again, batch_name, is_again, plain, records_in
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.object_store.trouble import explain
from langchain_label_studio.object_store.url import check_store_url


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "memory":
        return ObjectStore("memory://", store=MemoryStore())
    return ObjectStore(f"file://{tmp_path}/a%20shared%20directory")


def test_an_object_is_put_read_listed_and_deleted(store: ObjectStore) -> None:
    store.put("v1/a/new/1", b"one")
    store.put("v1/a/new/1", b"two")
    store.put("v1/b/new/1", b"three")
    assert store.get("v1/a/new/1") == b"two"
    assert store.get("v1/a/new/2") is None
    assert [(each.path, each.size) for each in store.objects("v1")] == [("v1/a/new/1", 3), ("v1/b/new/1", 5)]
    assert store.folders("v1") == ["v1/a", "v1/b"]
    store.delete(["v1/a/new/0", "v1/a/new/1", "v1/a/new/2"])
    assert [each.path for each in store.objects("")] == ["v1/b/new/1"]
    store.delete([])
    assert store.objects("v2") == []


def test_a_limit_gives_those_that_come_first(store: ObjectStore) -> None:
    for number in (5, 3, 1, 4, 2):
        store.put(f"v1/a/{number}", b"")
    assert [each.path for each in store.objects("v1", limit=2)] == ["v1/a/1", "v1/a/2"]


def test_an_object_is_created_only_once(store: ObjectStore) -> None:
    assert store.create("lease/1", b"mine")
    assert not store.create("lease/1", b"yours")
    assert store.get("lease/1") == b"mine"


def test_a_directory_is_made_when_it_is_opened(tmp_path: Path) -> None:
    ObjectStore(f"file://{tmp_path}/a/b")
    assert (tmp_path / "a/b").is_dir()


@pytest.mark.parametrize(
    "url",
    [
        *("s3://bucket", "s3://bucket/a/b", "gs://bucket/a", "az://container/a", "file:///shared/a"),
        *(
            "abfs://container@account.dfs.core.windows.net/a",
            "https://account.r2.cloudflarestorage.com/bucket",
        ),
    ],
)
def test_addresses(url: str) -> None:
    assert check_store_url(f"{url}/ ") == url


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("/shared/a", "file:///path"),
        ("bucket", "s3://bucket"),
        ("", "s3://bucket"),
        (None, "s3://bucket"),
        (5, "s3://bucket"),
        ("ftp://host/a", "s3://bucket"),
        ("memory://", "s3://bucket"),
        ("s3:///a", "s3://bucket"),
        ("file://", "file:///path"),
        ("file://shared/a", "file:///shared/a"),
        ("s3://bucket/a\nb", "s3://bucket"),
        ("s3://[", "s3://bucket"),
        ("s3://KEY:s3cr3t@bucket/a", "AWS_SECRET_ACCESS_KEY"),
        ("https://account.blob.core.windows.net/c?sig=s3cr3t", "environment"),
    ],
)
def test_what_is_no_address(url: object, word: str) -> None:
    with pytest.raises(SettingError) as raised:
        check_store_url(url)
    assert word in str(raised.value)
    assert "s3cr3t" not in str(raised.value)


# The beginnings of what obstore 0.12 says.
S3 = "Error performing PUT http://127.0.0.1:1/bucket/p/a in 1.5ms - "


@pytest.mark.parametrize(
    ("error", "trouble", "word"),
    [
        (
            (
                f"{S3}Server returned non-2xx status code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code>"
                "<Message>The signature is wrong.</Message></Error>"
            ),
            "refused",
            "SignatureDoesNotMatch: The signature is wrong.",
        ),
        (f"{S3}Server returned non-2xx status code: 401 Unauthorized: ", "refused", "status 401"),
        (
            "Generic S3 error: Error performing PUT http://169.254.169.254/latest/api/token in 1ms - HTTP error",
            "refused",
            "AWS_ACCESS_KEY_ID",
        ),
        ("Generic MicrosoftAzure error: Account must be specified", "refused", "AZURE_STORAGE_ACCOUNT_NAME"),
        (
            (
                f"Object at location p/a not found: {S3}Server returned non-2xx status code: 404 Not Found: <Error>\n"
                "<Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"
            ),
            "missing",
            "Make it, or correct the address",
        ),
        (
            f"{S3}Server returned non-2xx status code: 503 Slow Down: <Code>SlowDown</Code>",
            "later",
            "SlowDown",
        ),
        (
            f"Generic S3 error: {S3}HTTP error: error sending request\n\nConnection refused",
            "later",
            "HTTP error",
        ),
        (f"Generic S3 error: {S3}HTTP error: error sending request\n\nTimedOut", "no answer", "HTTP error"),
        (f"{S3}Server returned non-2xx status code: 500 Oh: <Code>InternalError</Code>", "no answer", "500"),
    ],
)
def test_errors(error: str, trouble: Trouble, word: str) -> None:
    found, reason = explain(f"{error}\n\nDebug source:\nsecret_access_key: s3cr3t")
    assert found == trouble
    assert word in reason
    assert "s3cr3t" not in reason


def test_the_signature_of_an_address_is_not_shown() -> None:
    error = "Error performing PUT https://a.blob.core.windows.net/c/a?sv=1&sig=s3cr3t in 1ms - HTTP error: it failed"
    assert explain(error)[1].startswith("Error performing PUT https://a.blob.core.windows.net/c/a?… in 1ms")


def test_an_error_without_a_text() -> None:
    assert explain("") == ("no answer", "it failed")


def test_the_name_of_a_batch_follows_from_its_content() -> None:
    name = batch_name(b"{}\n{}\n", recorded_at="2026-11-30T17:00:00.123456Z")
    assert name == batch_name(b"{}\n{}\n", recorded_at="2026-11-30T17:00:00.123456Z")
    assert name != batch_name(b"{}\n[]\n", recorded_at="2026-11-30T17:00:00.123456Z")
    assert name.startswith("20261130170000123-2-")
    assert records_in(name) == records_in(again(name)) == 2
    assert is_again(again(name))
    assert not is_again(name)
    assert plain(again(name)) == plain(name) == name
    assert again(again(name)) == again(name)
    assert records_in("a.jsonl") is None


def test_names_are_in_the_order_of_time() -> None:
    times = ["", "2025-12-31T23:59:59.999999Z", "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:01Z"]
    names = [batch_name(str(number).encode(), recorded_at=time) for number, time in enumerate(times)]
    assert names == sorted(names)


def test_without_the_extra_the_error_says_how_to_install_it() -> None:
    program = (
        "import sys; sys.modules['obstore'] = None\n"
        "from langchain_label_studio.object_store.store import ObjectStore\n"
        "ObjectStore('s3://bucket')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert 'install the extra "fleet"' in done.stderr
