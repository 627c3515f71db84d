"""The least that runs a Python handler on the Lambda Runtime API: fetch an event, call the handler, post the answer.

AWS's own client (awslambdaric) sets up logging, X-Ray and a C extension on top of this, so this one flatters Python.
Usage: runtime.py <module file>; the module has a function `handler(event, context)`.
"""

import http.client
import importlib.util
import json
import os
import sys

INVOCATION = "/2018-06-01/runtime/invocation"


def load(path):
    spec = importlib.util.spec_from_file_location("function", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


def main():
    handler = load(sys.argv[1])
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", f"{INVOCATION}/next")
        response = api.getresponse()
        request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.loads(response.read())
        try:
            path, answer = "response", handler(event, None)
        except Exception as error:
            path, answer = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
        api.request("POST", f"{INVOCATION}/{request_id}/{path}", json.dumps(answer))
        api.getresponse().read()


if __name__ == "__main__":
    main()
