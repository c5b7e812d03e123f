"""A stand-in for a Terraform provider: Terraform's real plugin protocol, with a schema and nothing behind it.

In: files of a schema and of a certificate; what Terraform asks. Out: the schema; no objection to anything;
plans in which what a provider computes is unknown, and states in which it is made up. Touches: a port of
loopback, standard output.

Terraform starts it as a program of its own, reads where it listens and whom to trust from its first line, and
ends it by GRPCController. It does not ask Terraform for the certificate that Terraform has.
Source: github.com/hashicorp/go-plugin, docs/internals.md and server.go (the handshake, AutoMTLS);
github.com/hashicorp/terraform, docs/plugin-protocol/tfplugin6.8.proto.
"""

import base64
import json
import os
import ssl
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from tests.stand_ins import protobuf, terraform_schema
from tests.stand_ins.terraform_schema import Body, Schema
from tests.stand_ins.terraform_values import made_up, packed, planned, unpacked

CORE_PROTOCOL, TERRAFORM_PROTOCOL = 1, 6
NOTHING = b""

Answer = Callable[[bytes], bytes]


def answers(schema: Schema) -> dict[str, Answer]:
    """Return what answers each of the protocol's calls; the rest is refused as unimplemented."""

    def plan(request: bytes) -> bytes:
        body, fields = _asked(schema["resources"], request)
        return _value(1, planned(body, unpacked(_packed(fields[3]))))

    def apply(request: bytes) -> bytes:
        body, fields = _asked(schema["resources"], request)
        return _value(1, made_up(body, unpacked(_packed(fields[3]))))

    def read(request: bytes) -> bytes:
        body, fields = _asked(schema["data_sources"], request)
        return _value(1, made_up(body, planned(body, unpacked(_packed(fields[2])))))

    return {
        "GetProviderSchema": lambda _: terraform_schema.encode(schema),
        "ValidateProviderConfig": lambda _: NOTHING,
        "ValidateResourceConfig": lambda _: NOTHING,
        "ValidateDataResourceConfig": lambda _: NOTHING,
        "ConfigureProvider": lambda _: NOTHING,
        "PlanResourceChange": plan,
        "ApplyResourceChange": apply,
        "ReadDataSource": read,
        "StopProvider": lambda _: NOTHING,
    }


def _asked(bodies: dict[str, Body], request: bytes) -> tuple[Body, dict[int, bytes]]:
    """Return what a request is about: the body of its type, and its fields."""
    fields = {field: value for field, value in protobuf.fields(request) if isinstance(value, bytes)}
    return bodies[fields[1].decode()], fields


def _packed(dynamic_value: bytes) -> bytes:
    return next(
        value for field, value in protobuf.fields(dynamic_value) if field == 1 and isinstance(value, bytes)
    )


def _value(field: int, value: object) -> bytes:
    return protobuf.text(field, protobuf.text(1, packed(value)))


def serve(schema: Schema, pem: bytes) -> None:
    """Serve one Terraform until it is done or gone; `pem` is a private key and its certificate."""
    done = threading.Event()

    def shut_down(_: bytes) -> bytes:
        done.set()
        return NOTHING

    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers(
        (
            _service("tfplugin6.Provider", answers(schema)),
            _service("plugin.GRPCController", {"Shutdown": shut_down}),
        )
    )
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
    server.start()
    certificate = ssl.PEM_cert_to_DER_cert(pem[pem.index(b"-----BEGIN CERTIFICATE") :].decode())
    trusted = base64.b64encode(certificate).decode().rstrip("=")
    print(f"{CORE_PROTOCOL}|{TERRAFORM_PROTOCOL}|tcp|127.0.0.1:{port}|grpc|{trusted}", flush=True)
    started_by = os.getppid()
    while not done.wait(timeout=1) and os.getppid() == started_by:
        pass  # Terraform is still there
    server.stop(grace=1).wait()


def _service(name: str, calls: dict[str, Answer]) -> grpc.GenericRpcHandler:
    def handler(answer: Answer) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_unary_rpc_method_handler(lambda request, _context: answer(request))

    return grpc.method_handlers_generic_handler(
        name, {call: handler(answer) for call, answer in calls.items()}
    )


if __name__ == "__main__":
    serve(json.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]).read_bytes())
