"""Starts a store of objects on loopback, says in one line of JSON how to reach it, and ends when its standard input does.

    store.py s3 FOLDER      moto: a bucket "images" with the files of the folder. It checks signatures.
    store.py webdav FOLDER  wsgidav: the folder itself, behind a password
"""

import json
import os
import pathlib
import sys
import threading

BUCKET = "images"
USER, PASSWORD = "scanner", "pass:word"


def s3(folder):
    import boto3
    from moto import settings
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_):
            pass

    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"

    def client(service):
        anybody = {"aws_access_key_id": "any", "aws_secret_access_key": "body"}
        return boto3.client(service, endpoint_url=address, region_name="us-east-1", **anybody)

    store = client("s3")
    store.create_bucket(Bucket=BUCKET)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            store.upload_file(str(path), BUCKET, str(path.relative_to(folder)))
    users = client("iam")
    users.create_user(UserName="scanner")
    rules = [{"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": rules})
    users.put_user_policy(UserName="scanner", PolicyName="read", PolicyDocument=policy)
    key = users.create_access_key(UserName="scanner")["AccessKey"]
    # From now on signatures and policies count.
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    return {"address": address, "user": key["AccessKeyId"], "password": key["SecretAccessKey"]}


def webdav(folder):
    from cheroot.wsgi import Server
    from wsgidav.wsgidav_app import WsgiDAVApp

    settings = {
        "provider_mapping": {"/": {"root": str(folder), "readonly": True}},
        "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
        "verbose": 0,
        "logging": {"enable": False},
        "property_manager": None,
        "lock_storage": None,
    }
    server = Server(("127.0.0.1", 0), WsgiDAVApp(settings))
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    return {"address": f"http://127.0.0.1:{server.bind_addr[1]}", "user": USER, "password": PASSWORD}


if __name__ == "__main__":
    kind, folder = sys.argv[1:]
    print(json.dumps({"s3": s3, "webdav": webdav}[kind](pathlib.Path(folder))), flush=True)
    sys.stdin.read()
    # The threads of the servers would go on.
    os._exit(0)
