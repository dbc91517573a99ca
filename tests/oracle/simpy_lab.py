#!/usr/bin/env python3
"""One lab, plate by plate, in SimPy: a second opinion on the simulation of the planner.

Reads one JSON object from standard input and prints one JSON line:

    {"replications": 20, "seed": 1, "tubes": 30000, "arrival_hours": 16, "plate": 94,
     "stages": [{"name": "receive", "units": 6, "minutes": 9.4, "spread": 0.0}, ...]}

Plate k of n (the last one may hold fewer tubes) is ready at (k+1)/n of the arrival span and goes through the stages in
the order given. A stage has `units` servers, first come first served; each takes one plate for `minutes`, or, with a
spread s > 0, for a triangular time from minutes*(1-s) to minutes*(1+s) with its peak at minutes.

Prints: makespan_hours (mean, min, max and one value per replication), plates, events (processed by SimPy, over all
replications), wall_seconds (of all replications, start-up not counted) and events_per_second. The same input gives the
same makespans. Wrong input: one line on standard error and exit code 64.

    python3 simpy_lab.py < lab.json
    python3 simpy_lab.py --self-test     compares SimPy with a recursion that needs no library
"""

import heapq
import json
import math
import random
import sys
import time

import simpy

MINUTES_PER_HOUR = 60.0


class WrongInput(Exception):
    """What is wrong with the input, in words."""


def number(source, key, low, high, whole=False):
    """The number `key` of `source`, if it is one from `low` to `high`."""
    value = source.get(key) if isinstance(source, dict) else None
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise WrongInput(f"{key}: {'a whole number' if whole else 'a number'} is needed")
    if not low <= value <= high:
        raise WrongInput(f"{key} is {value}; it must lie between {low} and {high}")
    return value


def checked(given):
    """The question with every number in range."""
    if not isinstance(given, dict) or not isinstance(given.get("stages"), list) or not given["stages"]:
        raise WrongInput("an object with a non-empty list `stages` is needed")
    return {
        "replications": number(given, "replications", 1, 100_000, whole=True),
        "seed": number(given, "seed", 0, 2**63, whole=True),
        "tubes": number(given, "tubes", 1, 10_000_000, whole=True),
        "arrival_hours": number(given, "arrival_hours", 0, 1_000),
        "plate": number(given, "plate", 1, 10_000, whole=True),
        "stages": [
            {
                "name": str(stage.get("name", at)) if isinstance(stage, dict) else str(at),
                "units": number(stage, "units", 1, 100_000, whole=True),
                "minutes": number(stage, "minutes", 0, 1_000_000),
                "spread": number({"spread": 0.0, **stage}, "spread", 0, 1),
            }
            for at, stage in enumerate(given["stages"])
        ],
    }


def arrivals(question):
    """Minute at which each plate is ready."""
    plates = math.ceil(question["tubes"] / question["plate"])
    span = question["arrival_hours"] * MINUTES_PER_HOUR
    return [(k + 1) / plates * span for k in range(plates)]


def duration(stage, rng):
    """Minutes of one plate in a stage."""
    mode, spread = stage["minutes"], stage["spread"]
    if spread == 0:
        return mode
    return rng.triangular(mode * (1 - spread), mode * (1 + spread), mode)


def lab(question, replication):
    """A SimPy environment that is ready to run."""
    env = simpy.Environment()
    rng = random.Random(f"{question['seed']}:{replication}")
    stages = [(simpy.Resource(env, stage["units"]), stage) for stage in question["stages"]]

    def plate(ready):
        yield env.timeout(ready)
        for servers, stage in stages:
            with servers.request() as turn:
                yield turn
                yield env.timeout(duration(stage, rng))

    for ready in arrivals(question):
        env.process(plate(ready))
    return env


def events_of(env):
    """Events that SimPy processes until nothing is left to do."""
    count = 0
    while env.peek() != float("inf"):
        env.step()
        count += 1
    return count


def answer(question):
    """Runs every replication."""
    # A plate makes the same number of events whatever the times are, so one replication is counted outside the clock.
    events = events_of(lab(question, 0)) * question["replications"]
    makespans = []
    begun = time.perf_counter()
    for replication in range(question["replications"]):
        env = lab(question, replication)
        env.run()
        makespans.append(env.now / MINUTES_PER_HOUR)
    wall = time.perf_counter() - begun
    return {
        "makespan_hours": sum(makespans) / len(makespans),
        "makespan_hours_min": min(makespans),
        "makespan_hours_max": max(makespans),
        "makespans_hours": makespans,
        "plates": len(arrivals(question)),
        "events": events,
        "wall_seconds": wall,
        "events_per_second": events / wall if wall > 0 else None,
    }


def recursion(question):
    """Makespan in hours without SimPy, for fixed times: each plate takes the server that is free first."""
    ready = arrivals(question)
    for stage in question["stages"]:
        free = [0.0] * stage["units"]
        done = []
        for at in sorted(ready):
            end = max(at, heapq.heappop(free)) + stage["minutes"]
            heapq.heappush(free, end)
            done.append(end)
        ready = done
    return max(ready) / MINUTES_PER_HOUR


def self_test():
    """Random labs with fixed times: SimPy and the recursion must agree. Then seeds, spread and refusals."""
    rng = random.Random(7)
    for _ in range(200):
        question = checked({
            "replications": 1, "seed": 0, "tubes": rng.randint(1, 5000), "plate": rng.choice([1, 32, 94]),
            "arrival_hours": rng.choice([0, 1, 16]),
            "stages": [
                {"units": rng.randint(1, 9), "minutes": rng.choice([0, 1, 9.4, 33.7, 108])}
                for _ in range(rng.randint(1, 7))
            ],
        })
        simulated, exact = answer(question)["makespan_hours"], recursion(question)
        assert abs(simulated - exact) < 1e-9 * max(1.0, exact), (question, simulated, exact)
    assert arrivals({"tubes": 189, "plate": 94, "arrival_hours": 2}) == [40, 80, 120]
    draws = [duration({"minutes": 60.0, "spread": 0.5}, rng) for _ in range(20_000)]
    assert 30 <= min(draws) < 32 and 88 < max(draws) <= 90 and abs(sum(draws) / len(draws) - 60) < 0.5
    spread = {**question, "replications": 5, "tubes": 5000}
    spread["stages"] = [{"name": "pcr", "units": 3, "minutes": 60.0, "spread": 0.5}]
    first, again = answer(spread)["makespans_hours"], answer(spread)["makespans_hours"]
    assert first == again and len(set(first)) == 5, (first, again)
    assert first != answer({**spread, "seed": 1})["makespans_hours"]
    for key, wrong in [("tubes", 0), ("plate", True), ("arrival_hours", -1), ("stages", []), ("seed", "1")]:
        try:
            checked({**spread, key: wrong})
        except WrongInput:
            continue
        raise AssertionError(f"{key} = {wrong} was accepted")
    print("ok: 200 labs agree with the recursion; seeds, spread and refusals as promised")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    try:
        print(json.dumps(answer(checked(json.load(sys.stdin)))))
    except (WrongInput, json.JSONDecodeError) as problem:
        print(f"simpy_lab: {problem}", file=sys.stderr)
        sys.exit(64)


if __name__ == "__main__":
    main()
