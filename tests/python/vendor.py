"""A vendor's program in Python, made of the .proto files and gRPC alone: none of the bus's own code is in it.

Each command does one thing as a vendor would, and prints one line of JSON for each result, so that a test can read it.
"""

import argparse
import hashlib
import json
import os
import queue

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from archwire.v1 import bus_pb2, bus_pb2_grpc, event_pb2, patient_pb2

# As much as the bus takes in one message.
PIECE = 256 * 1024
# No call of this program waits for ever.
PATIENCE = 60


def tell(**said):
    print(json.dumps(said), flush=True)


class Vendor:
    def __init__(self, address, token):
        # Messages of the bus have at most about 4 MiB.
        self.channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", 8 << 20)])
        self.bus = bus_pb2_grpc.BusStub(self.channel)
        self.token = [("authorization", f"Bearer {token}")]

    def publish(self, people, key):
        """Says what the records look like, all of them at once, and tells the answers by their tags.

        With a key, it may be said again: each request is known again by the key and its place.
        """
        requests = []
        for tag, (local_id, family, given, birth_date) in enumerate(people):
            name = patient_pb2.HumanName(use=patient_pb2.NAME_USE_OFFICIAL, family=family, given=[given])
            patient = patient_pb2.Patient(names=[name], birth_date=birth_date)
            observation = event_pb2.Observation(local_id=local_id, patient=patient)
            request = bus_pb2.PublishRequest(tag=tag, observation=observation)
            if key is not None:
                request.idempotency_key = f"{key}-{tag}"
            requests.append(request)
        for answer in self.bus.Publish(iter(requests), metadata=self.token, timeout=PATIENCE):
            outcome = answer.WhichOneof("outcome")
            result = getattr(answer, outcome)
            first = result.WhichOneof("first") if outcome == "duplicate" else None
            result = getattr(result, first) if first else result
            tell(
                tag=answer.tag,
                outcome=outcome,
                first=first,
                revision=getattr(result, "revision", None),
                patient_id=getattr(result, "patient_id", None),
                code=getattr(result, "code", None),
                field=getattr(result, "field", None),
            )

    def follow(self, name, table, credit):
        """Writes each event into the table, and acknowledges it only then. Goes on until it is killed."""
        say = queue.SimpleQueue()
        say.put(bus_pb2.SubscribeRequest(open=bus_pb2.Open(name=name)))
        say.put(bus_pb2.SubscribeRequest(credit=bus_pb2.Credit(events=credit)))
        with open(table, "a", encoding="ascii") as rows:
            for answer in self.bus.Subscribe(iter(say.get, None), metadata=self.token):
                kind = answer.WhichOneof("response")
                if kind == "opened":
                    tell(opened=answer.opened.after)
                if kind != "delivery":
                    continue
                delivery = answer.delivery
                event = event_pb2.Event.FromString(delivery.event)
                rows.write(f"{delivery.sequence} {event.patient_id} {event.revision}\n")
                rows.flush()
                os.fsync(rows.fileno())
                say.put(bus_pb2.SubscribeRequest(ack=bus_pb2.Ack(through=delivery.sequence)))
                say.put(bus_pb2.SubscribeRequest(credit=bus_pb2.Credit(events=1)))

    def put(self, local_id, file):
        with open(file, "rb") as source:
            content = source.read()

        def requests():
            opening = bus_pb2.PutImageOpen(
                record_local_id=local_id, sha256=hashlib.sha256(content).digest(), size=len(content)
            )
            yield bus_pb2.PutImageRequest(open=opening)
            for start in range(0, len(content), PIECE):
                yield bus_pb2.PutImageRequest(data=content[start : start + PIECE])

        answer = self.bus.PutImage(requests(), metadata=self.token, timeout=PATIENCE)
        tell(outcome=answer.WhichOneof("outcome"), instance_uid=answer.image.instance_uid)

    def get(self, instance_uid, file):
        request = bus_pb2.GetImageRequest(instance_uid=instance_uid)
        with open(file, "wb") as target:
            for answer in self.bus.GetImage(request, metadata=self.token, timeout=PATIENCE):
                if answer.WhichOneof("response") == "data":
                    target.write(answer.data)
                else:
                    header = answer.header
        tell(patient_id=header.patient_id, sha256=header.image.sha256.hex(), size=header.image.size)

    def ask(self, local_id):
        answer = self.bus.GetPatient(
            bus_pb2.GetPatientRequest(local_id=local_id), metadata=self.token, timeout=PATIENCE
        )
        tell(patient_id=answer.patient_id, revision=answer.revision, family=answer.patient.names[0].family)

    def history(self, patient_id):
        """All events of a patient, in pages of two."""
        after, more = 0, True
        while more:
            request = bus_pb2.ListEventsRequest(patient_id=patient_id, after_revision=after, page_size=2)
            page = self.bus.ListEvents(request, metadata=self.token, timeout=PATIENCE)
            for event in page.events:
                event = event_pb2.Event.FromString(event)
                tell(revision=event.revision, kind=event_pb2.EventKind.Name(event.kind))
            after, more = page.through_revision, page.more

    def fail(self):
        """Calls that are refused, each with what its error says."""
        nobody = "00000000-0000-7000-8000-000000000000"
        asked = lambda **key: self.bus.GetPatient(bus_pb2.GetPatientRequest(**key), timeout=PATIENCE, **known)
        known = {"metadata": self.token}
        refused("nobody", lambda: asked(patient_id=nobody))
        refused("no id", lambda: asked(patient_id="seven"))
        events = bus_pb2.ListEventsRequest(patient_id="seven")
        refused("no history", lambda: self.bus.ListEvents(events, timeout=PATIENCE, **known))
        image = bus_pb2.GetImageRequest(instance_uid="1.2.3")
        refused("no image", lambda: list(self.bus.GetImage(image, timeout=PATIENCE, **known)))
        bad = [bus_pb2.SubscribeRequest(open=bus_pb2.Open(name="No Name"))]
        refused("no name", lambda: list(self.bus.Subscribe(iter(bad), timeout=PATIENCE, **known)))
        known = {"metadata": [("authorization", "Bearer nobody-knows-this-token-at-all-0")]}
        refused("stranger", lambda: asked(patient_id=nobody))
        known = {}
        refused("without a token", lambda: asked(patient_id=nobody))


def refused(what, call):
    try:
        call()
    except grpc.RpcError as error:
        metadata = dict(error.trailing_metadata() or [])
        said = {"call": what, "code": error.code().name, "own": metadata.get("archwire-error-code")}
        status = rpc_status.from_call(error)
        for detail in status.details if status else []:
            for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
                if detail.Is(kind.DESCRIPTOR):
                    message = kind()
                    detail.Unpack(message)
                    if kind is error_details_pb2.ErrorInfo:
                        said["reason"], said["domain"] = message.reason, message.domain
                    else:
                        said["fields"] = [violation.field for violation in message.field_violations]
        tell(**said)
    else:
        tell(call=what, code="OK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("token_file")
    commands = parser.add_subparsers(dest="command", required=True)
    publish = commands.add_parser("publish")
    publish.add_argument("people", help="JSON: a list of [local id, family name, given name, birth date]")
    publish.add_argument("--key", help="what the keys of the requests begin with")
    follow = commands.add_parser("follow")
    follow.add_argument("name")
    follow.add_argument("table")
    follow.add_argument("--credit", type=int, default=10)
    put = commands.add_parser("put")
    put.add_argument("local_id")
    put.add_argument("file")
    get = commands.add_parser("get")
    get.add_argument("instance_uid")
    get.add_argument("file")
    commands.add_parser("ask").add_argument("local_id")
    commands.add_parser("history").add_argument("patient_id")
    commands.add_parser("fail")
    arguments = parser.parse_args()
    with open(arguments.token_file, encoding="ascii") as file:
        vendor = Vendor(arguments.address, file.read().strip())
    match arguments.command:
        case "publish":
            vendor.publish(json.loads(arguments.people), arguments.key)
        case "follow":
            vendor.follow(arguments.name, arguments.table, arguments.credit)
        case "put":
            vendor.put(arguments.local_id, arguments.file)
        case "get":
            vendor.get(arguments.instance_uid, arguments.file)
        case "ask":
            vendor.ask(arguments.local_id)
        case "history":
            vendor.history(arguments.patient_id)
        case "fail":
            vendor.fail()


if __name__ == "__main__":
    main()
