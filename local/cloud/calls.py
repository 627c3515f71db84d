"""The calls that functions make to AWS: each function tells its name in its user agent, `GET /_pipewarden/calls` lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

PATH = "/_pipewarden/calls"

# Where the name of a service in a signature is not the prefix of its actions (service authorization reference).
PREFIXES = {"monitoring": "cloudwatch"}

# S3 tells by method and path what is done; these are all that the functions do.
S3_ACTIONS = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject"}

_APP = re.compile(r"\bapp/([!#$%&'*+\-.^_`|~0-9A-Za-z]+)")
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_OPERATION = re.compile(r"/operation/(\w+)$")


class Calls:
    """An ASGI application in front of another, that remembers who called which action."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._made: set[tuple[str, str]] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
        elif scope["path"] == PATH:
            await self._tell(send)
        else:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            agent = f"{headers.get('x-amz-user-agent', '')} {headers.get('user-agent', '')}"
            if caller := _APP.search(agent):
                body, receive = await _read(receive)
                self._made.add((caller[1], action(scope["method"], scope["path"], headers, body)))
            await self._application(scope, receive, send)

    async def _tell(self, send: Send) -> None:
        body = json.dumps([{"function": function, "action": called} for function, called in sorted(self._made)])
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})


def action(method: str, path: str, headers: dict[str, str], body: bytes) -> str:
    """The action of a request as a policy names it, such as `athena:StartQueryExecution`."""
    scope = _SCOPE.search(headers.get("authorization", ""))
    service = scope[1] if scope else "unsigned"
    if service == "s3":
        called = S3_ACTIONS.get(method, method)
    elif target := headers.get("x-amz-target"):
        called = target.rsplit(".", 1)[-1]
    elif operation := _OPERATION.search(path):
        called = operation[1]
    else:
        called = parse_qs(body.decode("utf-8", errors="replace")).get("Action", [f"{method} {path}"])[0]
    return f"{PREFIXES.get(service, service)}:{called}"


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The whole body, and what gives it once more."""
    messages: list[Message] = []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    body = b"".join(message.get("body", b"") for message in messages)

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return body, again
