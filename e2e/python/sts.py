"""What boto3 does with a token of an OpenID Connect issuer."""

import os
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from steps import main, step

ENDPOINT = os.environ.get("ENDPOINT", "http://127.0.0.1:8080")


def token() -> str:
    with open(os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"], encoding="ascii") as file:
        return file.read()


def sts():
    return boto3.client("sts", endpoint_url=ENDPOINT, region_name="us-east-1")


@step
def takes_the_token_file_from_the_environment():
    s3 = boto3.client("s3", endpoint_url=ENDPOINT, config=Config(signature_version="s3v4"))
    s3.put_object(Bucket="builds", Key="from-boto3", Body=b"by web identity")
    assert s3.get_object(Bucket="builds", Key="from-boto3")["Body"].read() == b"by web identity"
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "builds", "Key": "from-boto3"}, ExpiresIn=60)
    assert "X-Amz-Security-Token" in url
    assert urllib.request.urlopen(url).read() == b"by web identity"


@step
def assumes_a_role_and_uses_the_session():
    answer = sts().assume_role_with_web_identity(
        RoleArn="arn:aws:iam::000000000000:role/any", RoleSessionName="e2e", WebIdentityToken=token(), DurationSeconds=900
    )
    keys = answer["Credentials"]
    assert answer["SubjectFromWebIdentityToken"] == "builder", answer
    s3 = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert s3.list_objects_v2(Bucket="builds")["KeyCount"] > 0


@step
def is_refused_with_a_broken_token():
    try:
        sts().assume_role_with_web_identity(RoleArn="arn:aws:iam::000000000000:role/any", RoleSessionName="e2e", WebIdentityToken=token()[:-8] + "AAAAAAAA")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidIdentityToken", error.response
    else:
        raise AssertionError("a broken token was taken")


@step
def is_refused_a_duration_out_of_bounds():
    try:
        sts().assume_role_with_web_identity(
            RoleArn="arn:aws:iam::000000000000:role/any", RoleSessionName="e2e", WebIdentityToken=token(), DurationSeconds=10_000_000
        )
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationError", error.response
    else:
        raise AssertionError("a session of months was given")


main()
