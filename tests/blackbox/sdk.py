"""Calls the RPC API with one of the vendor's SDKs; runs in the environment of that SDK, started by test_sdks.py.

Reads a document from standard input, of which `calls` is a list, and writes a list with what came of each call. A call has
an `action`, `parameters` where the action has some, and `follow`, in seconds, where it is made until a task is over.
"""

import json
import re
import sys
import time


def main() -> None:
    document = json.load(sys.stdin)
    call = {"tea": tea, "core": core}[document["sdk"]]
    json.dump([follow(call, document["endpoint"], one) for one in document["calls"]], sys.stdout)


def follow(call, endpoint: str, one: dict) -> dict:
    """Makes a call; where it has `follow`, again and again until the first row of its list is over for good."""
    end = time.monotonic() + one.get("follow", 0)
    while True:
        answer = call(endpoint, one)
        [row, *_] = answer.get("body", {}).get("List") or [{}]
        is_over = row.get("Status") != 1 and row.get("ReportStatus") not in ("PREPARED", "RUNNING")
        if is_over or time.monotonic() >= end:
            return answer
        time.sleep(0.05)


def tea(endpoint: str, call: dict) -> dict:
    """The generated client, by signature V3 or, where `signature` is "v2", by V1."""
    from alibabacloud_sas20181203 import models
    from alibabacloud_sas20181203.client import Client
    from alibabacloud_tea_openapi.models import Config

    config = Config(
        access_key_id=call.get("id"),
        access_key_secret=call.get("secret"),
        security_token=call.get("token"),
        endpoint=endpoint,
        protocol="HTTP",
        region_id="cn-shanghai",
        signature_algorithm=call.get("signature"),
    )
    if call.get("bearer"):
        from alibabacloud_credentials.client import Client as Credentials
        from alibabacloud_credentials.models import Config as CredentialConfig

        config.credential = Credentials(CredentialConfig(type="bearer", bearer_token=call["bearer"]))
    client = Client(config)
    try:
        method = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", call["action"]).lower())
        request = getattr(models, call["action"] + "Request", None)
        answer = method(request().from_map(call.get("parameters", {}))) if request else method()
        return {"status": answer.status_code, "body": answer.body.to_map()}
    except Exception as error:  # whatever the SDK makes of it is what its users see
        data = getattr(error, "data", None) or {}
        return {"error": type(error).__name__, "code": getattr(error, "code", None), "message": str(error), "data": data}


def core(endpoint: str, call: dict) -> dict:
    """The older client, which knows signature V1 only."""
    from aliyunsdkcore.acs_exception.exceptions import ServerException
    from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
    from aliyunsdkcore.client import AcsClient
    from aliyunsdksas.request.v20181203.ListAgentlessRegionRequest import ListAgentlessRegionRequest

    key = (call["id"], call["secret"])
    credential = StsTokenCredential(*key, call["token"]) if call.get("token") else AccessKeyCredential(*key)
    client = AcsClient(region_id="cn-shanghai", credential=credential)
    request = ListAgentlessRegionRequest()
    request.set_endpoint(endpoint)
    request.set_protocol_type("http")
    request.set_method(call.get("method", "POST"))
    if call["action"] != "ListAgentlessRegion":
        request.set_action_name(call["action"])
    for name, value in call.get("parameters", {}).items():
        if isinstance(value, list):
            for place, element in enumerate(value, 1):
                request.add_query_param(f"{name}.{place}", element)
        else:
            request.add_query_param(name, value)
    try:
        return {"status": 200, "body": json.loads(client.do_action_with_exception(request))}
    except ServerException as error:
        data = {"statusCode": error.http_status, "RequestId": error.request_id}
        return {"error": "ServerException", "code": error.error_code, "message": error.message, "data": data}


main()
