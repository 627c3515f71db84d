"""What the scripts of the local cloud share: the emulator's clients, and one JSON object a line on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "000000000000"


class LocalCloudError(Exception):
    """A failure whose text a person can act on without a traceback."""


def client(service: str, endpoint: str, account: str = ACCOUNT) -> Any:
    """A client of the emulator. The access key is the account number: the user's own credentials are never read."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="local",
        config=Config(
            retries={"total_max_attempts": 2},
            read_timeout=120,
            s3={"addressing_style": "path"},
            # Checksums guard a network; on the loopback they only cost time on a large binary.
            request_checksum_calculation="when_required",
        ),
    )


def say(event: str, **fields: Any) -> None:
    """Report one event to the program that started this script."""
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


def fail(text: str) -> NoReturn:
    """Report why the script cannot go on, and end it."""
    say("error", text=text)
    sys.exit(1)
