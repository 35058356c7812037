"""What boto3 does with a store: each step makes what it needs and asserts what comes back."""

import base64
import hashlib
import io
import os
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from steps import main, step

BUCKET = "boto3-bucket"
MIB = 1024 * 1024
ENDPOINT = os.environ.get("ENDPOINT", "http://127.0.0.1:8080")
PARTS = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB)


def client(**options):
    # Without s3v4 boto3 presigns with signatures of the old kind in us-east-1.
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 2})
    if "config" in options:
        config = config.merge(options.pop("config"))
    return boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1", config=config, **options)


s3 = client()


def ensure_bucket(name: str = BUCKET) -> None:
    try:
        s3.head_bucket(Bucket=name)
    except ClientError:
        s3.create_bucket(Bucket=name)


@contextmanager
def refused(code: str, status: int | None = None):
    """The block must end with this error."""
    try:
        yield
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        if status is not None:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
    else:
        raise AssertionError(f"expected {code}")


def put(key: str, body: bytes = b"content", **options):
    ensure_bucket()
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **options)


def read(key: str, **options) -> bytes:
    return s3.get_object(Bucket=BUCKET, Key=key, **options)["Body"].read()


@step
def makes_lists_and_removes_buckets():
    s3.create_bucket(Bucket="boto3-other")
    assert "boto3-other" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    with refused("BucketAlreadyOwnedByYou", 409):
        s3.create_bucket(Bucket="boto3-other")
    s3.delete_bucket(Bucket="boto3-other")
    with refused("404", 404):
        s3.head_bucket(Bucket="boto3-other")
    with refused("InvalidBucketName", 400):
        s3.create_bucket(Bucket="a..b")
    with refused("IllegalLocationConstraintException", 400):
        s3.create_bucket(Bucket="boto3-elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


@step
def puts_and_gets_with_metadata_and_headers():
    body = os.urandom(70_000)
    put(
        "docs/report.pdf",
        body,
        ContentType="application/pdf",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="r.pdf"',
        ContentLanguage="de",
        Metadata={"author": "someone", "empty": ""},
    )
    got = s3.get_object(Bucket=BUCKET, Key="docs/report.pdf")
    assert got["Body"].read() == body
    assert got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert got["ContentType"] == "application/pdf"
    assert got["CacheControl"] == "max-age=60"
    assert got["ContentDisposition"] == 'attachment; filename="r.pdf"'
    assert got["ContentLanguage"] == "de"
    assert got["Metadata"] == {"author": "someone", "empty": ""}
    got = s3.get_object(Bucket=BUCKET, Key="docs/report.pdf", ResponseContentType="text/plain")
    assert got["ContentType"] == "text/plain"


@step
def carries_metadata_in_other_scripts_only_as_ascii():
    put("encoded", Metadata={"title": "=?UTF-8?B?w6Q=?="})
    assert s3.head_object(Bucket=BUCKET, Key="encoded")["Metadata"]["title"] in ("=?UTF-8?B?w6Q=?=", "ä")


@step
def uploads_and_downloads_files_in_parts():
    ensure_bucket()
    body = os.urandom(25 * MIB + 3)
    s3.upload_fileobj(io.BytesIO(body), BUCKET, "large", Config=PARTS)
    head = s3.head_object(Bucket=BUCKET, Key="large")
    assert head["ETag"].endswith('-4"'), head["ETag"]
    back = io.BytesIO()
    s3.download_fileobj(BUCKET, "large", back, Config=PARTS)
    assert hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(body).digest()
    assert s3.head_object(Bucket=BUCKET, Key="large", PartNumber=2)["PartsCount"] == 4
    assert read("large", PartNumber=2) == body[8 * MIB : 16 * MIB]


@step
def copies_a_large_object_in_parts():
    ensure_bucket()
    body = os.urandom(20 * MIB)
    s3.upload_fileobj(io.BytesIO(body), BUCKET, "to-copy", Config=PARTS)
    s3.copy({"Bucket": BUCKET, "Key": "to-copy"}, BUCKET, "copied-in-parts", Config=PARTS)
    assert read("copied-in-parts") == body


@step
def copies_with_new_and_kept_metadata():
    put("origin", b"same bytes", Metadata={"kept": "yes"}, Tagging="a=1", ContentType="text/x-kept")
    source = {"Bucket": BUCKET, "Key": "origin"}
    s3.copy_object(Bucket=BUCKET, Key="kept", CopySource=source)
    head = s3.head_object(Bucket=BUCKET, Key="kept")
    assert (head["Metadata"], head["ContentType"]) == ({"kept": "yes"}, "text/x-kept")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="kept")["TagSet"] == [{"Key": "a", "Value": "1"}]
    s3.copy_object(
        Bucket=BUCKET, Key="new", CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "yes"}, TaggingDirective="REPLACE", Tagging="b=2"
    )
    assert s3.head_object(Bucket=BUCKET, Key="new")["Metadata"] == {"new": "yes"}
    assert s3.get_object_tagging(Bucket=BUCKET, Key="new")["TagSet"] == [{"Key": "b", "Value": "2"}]
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=BUCKET, Key="origin", CopySource=source)
    with refused("PreconditionFailed", 412):
        s3.copy_object(Bucket=BUCKET, Key="never", CopySource=source, CopySourceIfMatch='"0"')
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=BUCKET, Key="never", CopySource={"Bucket": BUCKET, "Key": "absent"})


@step
def reads_ranges():
    body = os.urandom(5000)
    put("ranged", body)
    got = s3.get_object(Bucket=BUCKET, Key="ranged", Range="bytes=10-19")
    assert (got["ResponseMetadata"]["HTTPStatusCode"], got["ContentRange"]) == (206, "bytes 10-19/5000")
    assert got["Body"].read() == body[10:20]
    assert read("ranged", Range="bytes=-7") == body[-7:]
    with refused("InvalidRange", 416):
        read("ranged", Range="bytes=5000-")


@step
def lists_with_prefix_delimiter_and_pages():
    for name in ["list/a", "list/b/1", "list/b/2", "list/c", "list/ü", "list/x y"]:
        put(name)
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", Delimiter="/")
    assert [item["Key"] for item in page["Contents"]] == ["list/a", "list/c", "list/x y", "list/ü"]
    assert [item["Prefix"] for item in page["CommonPrefixes"]] == ["list/b/"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 2})
    assert len([item for page in pages for item in page["Contents"]]) == 6
    old = s3.list_objects(Bucket=BUCKET, Prefix="list/", MaxKeys=2)
    assert old["IsTruncated"] is True
    rest = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", StartAfter="list/b/2", FetchOwner=True)
    assert rest["Contents"][0]["Key"] == "list/c"
    assert rest["Contents"][0]["Owner"]["ID"]


@step
def deletes_many_at_once():
    for number in range(30):
        put(f"many/{number}")
    keys = [{"Key": f"many/{number}"} for number in range(30)] + [{"Key": "many/never-there"}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})
    assert len(answer["Deleted"]) == 31 and "Errors" not in answer, answer
    assert s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys, "Quiet": True}).get("Deleted") is None
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="many/")["KeyCount"] == 0


@step
def checks_every_checksum_algorithm_it_can_send():
    body = os.urandom(3000)
    for algorithm in ["CRC32", "SHA1", "SHA256"]:
        answer = put(f"sum-{algorithm}", body, ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket=BUCKET, Key=f"sum-{algorithm}", ChecksumMode="ENABLED")
        assert head[f"Checksum{algorithm}"] == answer[f"Checksum{algorithm}"], head
    expected = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert s3.head_object(Bucket=BUCKET, Key="sum-SHA256", ChecksumMode="ENABLED")["ChecksumSHA256"] == expected
    with refused("BadDigest", 400):
        put("sum-wrong", body, ChecksumSHA256=base64.b64encode(bytes(32)).decode())
    with refused("404", 404):
        s3.head_object(Bucket=BUCKET, Key="sum-wrong")


@step
def sends_a_checksum_by_default_and_checks_it_on_the_way_back():
    assert "ChecksumCRC32" in put("by-default", b"x" * 1000)
    assert "ChecksumCRC32" in s3.get_object(Bucket=BUCKET, Key="by-default")


@step
def sums_an_upload_in_parts():
    ensure_bucket()
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="summed-parts", ChecksumAlgorithm="SHA256")
    bodies = [os.urandom(5 * MIB), os.urandom(100)]
    parts = []
    for number, body in enumerate(bodies, 1):
        answer = s3.upload_part(
            Bucket=BUCKET, Key="summed-parts", UploadId=upload["UploadId"], PartNumber=number, Body=body, ChecksumAlgorithm="SHA256"
        )
        parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": answer["ChecksumSHA256"]})
    done = s3.complete_multipart_upload(Bucket=BUCKET, Key="summed-parts", UploadId=upload["UploadId"], MultipartUpload={"Parts": parts})
    of_parts = hashlib.sha256(b"".join(hashlib.sha256(body).digest() for body in bodies)).digest()
    assert done["ChecksumSHA256"] == base64.b64encode(of_parts).decode() + "-2", done
    attributes = s3.get_object_attributes(Bucket=BUCKET, Key="summed-parts", ObjectAttributes=["ObjectParts", "Checksum", "ObjectSize"])
    assert attributes["ObjectSize"] == 5 * MIB + 100
    assert attributes["ObjectParts"]["TotalPartsCount"] == 2


@step
def refuses_wrong_order_and_small_parts():
    ensure_bucket()
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key="badly")["UploadId"]
    same = {"Bucket": BUCKET, "Key": "badly", "UploadId": upload_id}
    tags = [s3.upload_part(**same, PartNumber=number, Body=b"small")["ETag"] for number in (1, 2)]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    with refused("InvalidPartOrder", 400):
        s3.complete_multipart_upload(**same, MultipartUpload={"Parts": parts[::-1]})
    with refused("EntityTooSmall", 400):
        s3.complete_multipart_upload(**same, MultipartUpload={"Parts": parts})
    with refused("InvalidPart", 400):
        s3.complete_multipart_upload(**same, MultipartUpload={"Parts": [{"PartNumber": 3, "ETag": tags[0]}]})
    assert [part["PartNumber"] for part in s3.list_parts(**same)["Parts"]] == [1, 2]
    s3.abort_multipart_upload(**same)
    with refused("NoSuchUpload", 404):
        s3.list_parts(**same)


@step
def has_one_winner_of_concurrent_conditional_writes():
    ensure_bucket()

    def attempt(number: int) -> str:
        try:
            client().put_object(Bucket=BUCKET, Key="race", Body=str(number).encode(), IfNoneMatch="*")
            return "won"
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(16)))
    assert outcomes.count("won") == 1, outcomes
    assert set(outcomes) <= {"won", "PreconditionFailed", "ConditionalRequestConflict"}, outcomes


@step
def writes_and_deletes_under_conditions():
    tag = put("guarded", b"one")["ETag"]
    with refused("PreconditionFailed", 412):
        put("guarded", b"two", IfMatch='"00000000000000000000000000000000"')
    put("guarded", b"two", IfMatch=tag)
    with refused("NoSuchKey", 404):
        put("not-there", b"x", IfMatch=tag)
    with refused("PreconditionFailed", 412):
        s3.delete_object(Bucket=BUCKET, Key="guarded", IfMatch=tag)
    assert read("guarded") == b"two"


@step
def keeps_versions():
    ensure_bucket("boto3-versioned")
    s3.put_bucket_versioning(Bucket="boto3-versioned", VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket="boto3-versioned")["Status"] == "Enabled"
    ids = [s3.put_object(Bucket="boto3-versioned", Key="k", Body=body)["VersionId"] for body in (b"1", b"2")]
    marker = s3.delete_object(Bucket="boto3-versioned", Key="k")
    assert marker["DeleteMarker"] is True
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket="boto3-versioned", Key="k")
    assert s3.get_object(Bucket="boto3-versioned", Key="k", VersionId=ids[0])["Body"].read() == b"1"
    listed = s3.list_object_versions(Bucket="boto3-versioned", Prefix="k")
    assert [version["VersionId"] for version in listed["Versions"]] == ids[::-1]
    s3.delete_object(Bucket="boto3-versioned", Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket="boto3-versioned", Key="k")["Body"].read() == b"2"
    with refused("NoSuchVersion", 404):
        s3.get_object(Bucket="boto3-versioned", Key="k", VersionId="01ARZ3NDEKTSV4RRFFQ69G5FAV")
    with refused("InvalidArgument", 400):
        s3.get_object(Bucket="boto3-versioned", Key="k", VersionId="3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY")
    boto3.resource("s3", endpoint_url=ENDPOINT).Bucket("boto3-versioned").object_versions.delete()
    s3.delete_bucket(Bucket="boto3-versioned")


@step
def tags():
    put("tagged", Tagging="team=a&stage=prod")
    assert s3.get_object(Bucket=BUCKET, Key="tagged")["TagCount"] == 2
    s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": [{"Key": "only", "Value": "one"}]})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == [{"Key": "only", "Value": "one"}]
    with refused("InvalidTag", 400):
        s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": [{"Key": "x" * 129, "Value": ""}]})


@step
def presigns_get_put_and_post():
    ensure_bucket()
    url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "presigned"}, ExpiresIn=60)
    with urllib.request.urlopen(urllib.request.Request(url, data=b"through a URL", method="PUT")) as answer:
        assert answer.status == 200
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "presigned"}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == b"through a URL"
    try:
        urllib.request.urlopen(url.replace("presigned?", "another?"))
        raise AssertionError("another key through the same URL")
    except urllib.error.HTTPError as error:
        assert error.code == 403 and b"SignatureDoesNotMatch" in error.read()
    post = s3.generate_presigned_post(BUCKET, "posted", ExpiresIn=60)
    boundary = "x" * 20
    fields = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in post["fields"].items())
    form = f'{fields}--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nposted bytes\r\n--{boundary}--\r\n'
    request = urllib.request.Request(post["url"], data=form.encode(), headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
    assert urllib.request.urlopen(request).status == 204
    assert read("posted") == b"posted bytes"


@step
def signs_urls_in_the_new_way_by_the_owners_profile():
    ensure_bucket()
    client = boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1")
    client.put_object(Bucket=BUCKET, Key="by-profile", Body=b"presigned bytes")
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "by-profile"})
    assert "X-Amz-Signature=" in url, url
    assert urllib.request.urlopen(url).read() == b"presigned bytes"


@step
def is_told_what_to_do_instead_of_signing_the_old_way():
    ensure_bucket()
    url = boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1", config=Config(signature_version="s3")).generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": "presigned"}
    )
    assert "AWSAccessKeyId=" in url, "boto3 does not sign the old way any more: this step can go"
    try:
        urllib.request.urlopen(url)
        raise AssertionError("a signature of the old kind was taken")
    except urllib.error.HTTPError as error:
        assert error.code == 400 and b"AWS4-HMAC-SHA256" in error.read()


@step
def refuses_strangers():
    put("private")
    unsigned = client(config=Config(signature_version=UNSIGNED))
    with refused("AccessDenied", 403):
        unsigned.get_object(Bucket=BUCKET, Key="private")
    with refused("AccessDenied", 403):
        unsigned.get_object(Bucket=BUCKET, Key="absent")
    with refused("InvalidAccessKeyId", 403):
        client(aws_access_key_id="AKIANOBODYKNOWSTHIS0", aws_secret_access_key="x").list_buckets()


@step
def names_what_is_missing():
    ensure_bucket()
    with refused("NoSuchKey", 404):
        read("absent")
    with refused("NoSuchBucket", 404):
        s3.list_objects_v2(Bucket="boto3-no-such-bucket")
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=BUCKET)
    with refused("NoSuchCORSConfiguration", 404):
        s3.get_bucket_cors(Bucket=BUCKET)
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy(Bucket=BUCKET)


@step
def never_pretends_to_do_what_it_does_not():
    ensure_bucket()
    with refused("NotImplemented", 501):
        s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    with refused("NotImplemented", 501):
        s3.select_object_content(
            Bucket=BUCKET,
            Key="x",
            Expression="select 1",
            ExpressionType="SQL",
            InputSerialization={"CSV": {}},
            OutputSerialization={"CSV": {}},
        )


@step
def works_from_many_threads():
    ensure_bucket()
    bodies = {f"threads/{number}": os.urandom(40_000 + number) for number in range(40)}
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda item: s3.put_object(Bucket=BUCKET, Key=item[0], Body=item[1]), bodies.items()))
        assert dict(zip(bodies, pool.map(read, bodies))) == bodies


main()
