"""Which action a request is, and who made it."""

from __future__ import annotations

import asyncio
import json
import unittest
from typing import Any

import support  # noqa: F401 (it makes the scripts importable)
from calls import PATH, Calls, action


def signed(service: str, **headers: str) -> dict[str, str]:
    credential = f"AWS4-HMAC-SHA256 Credential=AKIA/20260301/eu-central-1/{service}/aws4_request, SignedHeaders=host"
    return {"authorization": credential, **headers}


class Actions(unittest.TestCase):
    def test_each_protocol_tells_what_is_called(self) -> None:
        target = {"x-amz-target": "AmazonAthena.StartQueryExecution"}
        cases = [
            ("athena:StartQueryExecution", "POST", "/", signed("athena", **target), b"{}"),
            ("cloudwatch:PutMetricData", "POST", "/service/CW/operation/PutMetricData", signed("monitoring"), b""),
            ("sns:Publish", "POST", "/", signed("sns"), b"Action=Publish&Message=a%26b"),
            ("s3:GetObject", "GET", "/bucket/key", signed("s3"), b""),
            ("s3:PutObject", "PUT", "/bucket/key", signed("s3"), b"Action=no"),
            # What is not known is told as it is, so that a test which looks for it fails.
            ("s3:DELETE", "DELETE", "/bucket/key", signed("s3"), b""),
            ("unsigned:POST /x", "POST", "/x", {}, b""),
        ]
        for expected, method, path, headers, body in cases:
            with self.subTest(expected):
                self.assertEqual(expected, action(method, path, headers, body))

    def test_who_tells_a_name_is_listed_and_the_body_arrives_whole(self) -> None:
        seen: list[bytes] = []

        async def application(_: Any, receive: Any, send: Any) -> None:
            more = True
            body = b""
            while more:
                message = await receive()
                body, more = body + message["body"], message["more_body"]
            seen.append(body)

        async def call(calls: Calls, path: str, agent: str) -> list[Any]:
            parts = [b"Action=", b"Publish"]
            sent: list[Any] = []

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

            async def send(message: Any) -> None:
                sent.append(message)

            headers = [(b"authorization", signed("sns")["authorization"].encode()), (b"user-agent", agent.encode())]
            await calls({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
            return sent

        async def scene() -> list[Any]:
            calls = Calls(application)
            await call(calls, "/", "aws-sdk-rust/1.3 ua/2.1 app/sf-user-Handler lib/x")
            await call(calls, "/", "Boto3/1.40")
            return await call(calls, PATH, "")

        told = asyncio.run(scene())
        self.assertEqual([b"Action=Publish"] * 2, seen)
        self.assertEqual([{"function": "sf-user-Handler", "action": "sns:Publish"}], json.loads(told[1]["body"]))


if __name__ == "__main__":
    unittest.main()
