"""A client that knows nothing of swabline but its address: it learns the API by reflection.

Opens a round, records one tube with its ten people over the stream, sends it again, reads it back
with its proof, and fails when anything is not as the API says. Planning without a city must say so.

    client.py HOST:PORT

Of a server that plans for a city: asks for the plan as it is and with changes, and compares.

    client.py --planning CODE HOST:PORT
"""

import queue
import sys
import time

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

PACKAGE = "swabline.v1"
TIMEOUT_S = 20


class Api:
    """Calls by name, with messages made from what the server tells about itself."""

    def __init__(self, channel):
        self.channel = channel
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = DescriptorPool(self.database)

    def message(self, name, /, **fields):
        """A message by its name."""
        return GetMessageClass(self.pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))(**fields)

    def call(self, service, method, request):
        """A call: one message in one out, or an iterator in an iterator out."""
        found = self.pool.FindServiceByName(f"{PACKAGE}.{service}").FindMethodByName(method)
        streams = found.client_streaming and found.server_streaming
        make = self.channel.stream_stream if streams else self.channel.unary_unary
        ask = make(
            f"/{PACKAGE}.{service}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(found.output_type).FromString,
        )
        return ask(request, timeout=TIMEOUT_S)


def name_of(message, field):
    """The name of an enum field's value."""
    kind = message.DESCRIPTOR.fields_by_name[field].enum_type
    return kind.values_by_number[getattr(message, field)].name


def resident_number(serial):
    """A well-formed number of nobody: area 990000 was never given to a place (GB 11643)."""
    digits = f"99000019800101{serial:03d}"
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2 % 11
    return digits + "0123456789X"[(12 - total) % 11]


def expect(what, found, wanted):
    """Says what was found; ends the program when it is not what was wanted."""
    print(f"{what}: {found}")
    if found != wanted:
        sys.exit(f"client: {what} is {found!r}, expected {wanted!r}")


def main(address):
    channel = grpc.insecure_channel(address)
    grpc.channel_ready_future(channel).result(timeout=TIMEOUT_S)
    api = Api(channel)
    services = {name for name in api.database.get_services() if name.startswith(PACKAGE)}
    expect(
        "services",
        sorted(services),
        [
            f"{PACKAGE}.{name}"
            for name in ("Administration", "Planning", "Progress", "Queries", "Recording")
        ],
    )

    now_ms = int(time.time() * 1000)
    source, round_code, tube = f"python-{now_ms}", f"P{now_ms}", f"99{now_ms}"
    numbers = [resident_number(serial) for serial in range(10)]

    opened = api.call(
        "Administration",
        "OpenRound",
        api.message(
            "OpenRoundRequest",
            fact=api.message(
                "AdministrationFact",
                id=api.message("FactId", source=f"{source}-office", epoch=1, number=1),
            ),
            round=round_code,
            name="Python client",
            pool=10,
        ),
    )
    expect("round", name_of(opened.outcome, "outcome"), "OUTCOME_RECORDED")

    # The stream: hello, then the same message twice.
    outgoing = queue.Queue(maxsize=4)
    replies = api.call("Recording", "Record", iter(outgoing.get, None))
    hello = api.message("Hello", source=source, epoch=1, device_now_ms=now_ms, software="python")
    outgoing.put(api.message("RecordRequest", hello=hello))
    welcome = next(replies).welcome
    expect("arrived before", welcome.arrived.highest, 0)
    expect("round is open", round_code in [open_round.code for open_round in welcome.open_rounds], True)

    resident = api.pool.FindEnumTypeByName(f"{PACKAGE}.DocumentType").values_by_name
    document_type = resident["DOCUMENT_TYPE_RESIDENT_ID"].number
    members = [
        api.message("Identity", document_type=document_type, number=number) for number in numbers
    ]
    fact = api.message(
        "Fact",
        id=api.message("FactId", number=1),
        captured_at_ms=now_ms,
        round=round_code,
        tube_collected=api.message("TubeCollected", tube=tube, pool=10, desk="D1", members=members),
    )
    outcomes = []
    for message_number in (1, 2):
        facts = api.message("FactBatch", message_number=message_number, facts=[fact])
        outgoing.put(api.message("RecordRequest", facts=facts))
        answer = next(replies).acknowledgement
        expect("answer to message", answer.message_number, message_number)
        expect("watermark", answer.watermark, 1)
        outcomes.append(answer.outcomes[0])
    outgoing.put(None)
    expect("rest of the stream", list(replies), [])
    expect("first sending", name_of(outcomes[0], "outcome"), "OUTCOME_RECORDED")
    expect("second sending", name_of(outcomes[1], "outcome"), "OUTCOME_DUPLICATE")
    expect("same position in the log", outcomes[0].seq == outcomes[1].seq, True)

    reply = api.call(
        "Queries", "GetTube", api.message("GetTubeRequest", tube=tube, with_proofs=True)
    )
    expect("tube", reply.tube.code, tube)
    expect("status", name_of(reply.tube, "status"), "STATUS_SEALED")
    expect("round of the tube", reply.tube.round, round_code)
    expect("people", reply.tube.swabs, len(numbers))
    expect("history", [entry.seq for entry in reply.history], [outcomes[0].seq])
    proof = reply.history[0].proof
    expect("proof of position", proof.seq, outcomes[0].seq)
    expect("length of the batch's hash", len(proof.hash), 32)
    expect("event in the proof", len(proof.event) > 0, True)
    expect(
        "identities in the answer",
        [number for number in numbers if number.encode() in reply.SerializeToString()],
        [],
    )
    without_a_city(api)
    print("client: recorded a tube and read it back")


def refused(api, service, method, request):
    """The reason of a call that must fail, from its error details, and its message in both languages."""
    try:
        api.call(service, method, request)
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
        known = ("NO_CITY", "INVALID", "NOT_FOUND")
        reasons = [reason for reason in known if reason.encode() in details]
        return reasons, error.details()
    sys.exit(f"client: {method} was answered, expected a refusal")


def without_a_city(api):
    """Every question for a plan says what is missing."""
    for method, request in (
        ("CheckPlan", "CheckPlanRequest"),
        ("WhatIf", "WhatIfRequest"),
        ("Assign", "AssignRequest"),
    ):
        reasons, told = refused(api, "Planning", method, api.message(request))
        expect(f"{method} without a city", reasons, ["NO_CITY"])
        expect(f"{method} says what to do", "[planner] city" in told, True)


def planning(city, address):
    """A plan as it is, with more units, and with what the city does not have."""
    channel = grpc.insecure_channel(address)
    grpc.channel_ready_future(channel).result(timeout=TIMEOUT_S)
    api = Api(channel)
    stages = api.pool.FindEnumTypeByName(f"{PACKAGE}.PlanStage").values_by_name

    def check(**fields):
        return api.call("Planning", "CheckPlan", api.message("CheckPlanRequest", **fields))

    plan = check()
    expect("city", plan.city, city)
    expect("it can be reckoned", plan.HasField("fluid"), True)
    expect("stages of each lab", {len(lab.stages) for lab in plan.fluid.labs}, {7})
    expect("slack is target less finish", plan.fluid.slack_ms, plan.target_ms - plan.fluid.finish_ms)
    expect("answer in both languages", bool(plan.summary.zh and plan.summary.en), True)

    expect("lines of crews, seven a district", (len(plan.crews) % 7, plan.crews_total), (0, len(plan.crews)))
    short = [max(0, crew.need - crew.have) for crew in plan.crews]
    expect("what is short of crews", [crew.short for crew in plan.crews], short)
    known = {constant.key for constant in plan.crews_rest_on}
    expect("what crews rest on", known, {key for crew in plan.crews for key in crew.rests_on})
    expect("a list says whether it is enough", plan.HasField("shortages_filled"), bool(plan.rules.shortages_total))

    last = next(lab for lab in plan.fluid.labs if lab.lab == plan.fluid.last_lab)
    change = api.message("UnitChange", lab=last.lab, stage=last.binding, units=-1)
    fewer = check(units=[change])
    if fewer.HasField("fluid"):
        expect("one unit less is not sooner", fewer.fluid.finish_ms >= plan.fluid.finish_ms, True)
    else:
        # It was the last one: there is no finish to compare, and why is told.
        told = bool(fewer.unworkable.zh and fewer.unworkable.en)
        expect("with no unit left it is said why there is no finish", told, True)
    nowhere = api.message(
        "UnitChange", lab="nowhere", stage=stages["PLAN_STAGE_PCR"].number, units=1
    )
    reasons, _ = refused(api, "Planning", "CheckPlan", api.message("CheckPlanRequest", units=[nowhere]))
    expect("a lab that is not there", reasons, ["NOT_FOUND"])

    assigned = api.call("Planning", "Assign", api.message("AssignRequest"))
    expect(
        "tubes of streets and labs",
        sum(street.tubes for street in assigned.streets),
        sum(lab.tubes for lab in assigned.labs),
    )
    print("client: asked for a plan, changed it, and asked who sends where")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--planning", city, address]:
            planning(city, address)
        case [address]:
            main(address)
        case _:
            sys.exit(__doc__)
