#!/usr/bin/env python3
"""Checks the assignment of streets to labs against another solver.

Makes two cities with NumPy, solves each as a linear program with HiGHS (streets divisible: least T with the tubes sent
to a lab at most rate * (T - head start)), writes city and answer into a text file, and, when asked, lets the test of
the repository read them:

    deploy/bootstrap.sh --figures
    ~/.cache/swabline/venv-figures/bin/python tests/oracle/assign.py /tmp/assign.txt
    SWABLINE_ASSIGN_ORACLE=/tmp/assign.txt cargo test --release --test suite assign:: -- --nocapture

The minimum cut is found here by scipy's maximum flow just below T, not by anything of ours. The file, line by line:

    city <name> <labs> <streets>
    answer <T in h> <streets in the cut> <labs in the cut> <minutes saved by one more extractor> <most gap allowed>
    lab <tubes per hour> <head start in h> <tubes per hour of one more extractor>
    street <tubes> {<lab>:<minutes>:<km>}
"""

import sys

import highspy
import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

EXTRACTOR = 0.75 * 94 / 33 * 60
# What both cities gave when the bound was first worked out, to the digits noted then.
KNOWN = {"261x40": (46.521, 261, 40, 7.26, 0.02), "1500x120": (17.711, 494, 42, 2.63, 0.005)}


def city(streets, labs):
    """The measuring instance: tubes, rates, ways as (lab, minutes, km) per street."""
    rng = np.random.default_rng(7)
    demand = rng.lognormal(0, 0.6, streets)
    demand *= 2.1e6 / demand.sum()
    extractors, cyclers, cabinets = (rng.integers(a, b, labs) for a, b in ((4, 20), (12, 80), (6, 40)))
    home, site = rng.random((streets, 2)) * 80, rng.random((labs, 2)) * 60 + 10
    rate = 0.75 * 60 * np.minimum(np.minimum(extractors * 94 / 33, cyclers * 94 / 108), cabinets * 94 / 45)
    km = np.linalg.norm(home[:, None] - site[None], axis=2)
    near = np.argsort(km, axis=1, kind="stable")[:, :8]
    # Whole tubes with the same sum: the largest remainders are rounded up.
    tubes = np.floor(demand).astype(int)
    tubes[np.argsort(tubes - demand, kind="stable")[: round(2.1e6) - tubes.sum()]] += 1
    ways = [[(int(j), 20 + 1.5 * km[i, j], km[i, j]) for j in near[i]] for i in range(streets)]
    return tubes, rate, np.full(labs, 2.0), ways


def least_finish(tubes, rate, start, ways):
    """T by HiGHS, and minutes saved per tube per hour at the labs: the duals times T - s."""
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    inf = highspy.kHighsInf
    h.addVar(0, inf)
    h.changeColCost(0, 1)
    into = [[] for _ in rate]
    column = 1
    for i, street in enumerate(ways):
        own = []
        for lab, _, _ in street:
            h.addVar(0, inf)
            into[lab].append(column)
            own.append(column)
            column += 1
        h.addRow(float(tubes[i]), float(tubes[i]), len(own), np.array(own), np.ones(len(own)))
    for lab, columns in enumerate(into):
        # sent - rate * T <= -rate * start
        index = np.array(columns + [0])
        value = np.array([1.0] * len(columns) + [-rate[lab]])
        h.addRow(-inf, -rate[lab] * start[lab], len(index), index, value)
    h.run()
    assert h.getModelStatus() == highspy.HighsModelStatus.kOptimal
    solution = h.getSolution()
    finish = solution.col_value[0]
    dual = -np.array(solution.row_dual[len(ways) :])
    return finish, float((60 * EXTRACTOR * dual * (finish - start)).max())


def cut(tubes, rate, start, ways, hours):
    """Streets and labs on the near side of the minimum cut a little before `hours`."""
    streets, labs, scale = len(ways), len(rate), 500
    source, sink = streets + labs, streets + labs + 1
    edges = [(source, i, int(n) * scale) for i, n in enumerate(tubes)]
    edges += [(i, streets + lab, int(tubes[i]) * scale) for i in range(streets) for lab, _, _ in ways[i]]
    room = rate * np.maximum(hours * (1 - 1e-5) - start, 0)
    edges += [(streets + lab, sink, int(room[lab] * scale)) for lab in range(labs)]
    a, b, c = zip(*edges)
    graph = csr_matrix((np.array(c, dtype=np.int32), (a, b)), shape=(sink + 1, sink + 1))
    rest = (graph - maximum_flow(graph, source, sink).flow).tolil()
    # A full way from a street is no limit: what matters are the streets and the labs.
    for i in range(streets):
        for lab, _, _ in ways[i]:
            rest[i, streets + lab] = 1
    rest = rest.tocsr()
    rest.eliminate_zeros()
    seen = breadth_first_order(rest, source, return_predecessors=False)
    return int((seen < streets).sum()), int(((seen >= streets) & (seen < source)).sum())


def main():
    out = []
    for name, known in KNOWN.items():
        labs = int(name.split("x")[1])
        tubes, rate, start, ways = city(int(name.split("x")[0]), labs)
        hours, saved = least_finish(tubes, rate, start, ways)
        streets_cut, labs_cut = cut(tubes, rate, start, ways, hours)
        print(f"{name}: T {hours:.5f} h, cut {streets_cut} streets {labs_cut} labs, saved {saved:.3f} min; known {known}")
        assert abs(hours - known[0]) < 1e-3, "T is not what it was"
        assert (streets_cut, labs_cut) == known[1:3], "the cut is not what it was"
        assert abs(saved - known[3]) < 0.01, "the price is not what it was"
        out.append(f"city {name} {labs} {len(ways)}")
        out.append(f"answer {hours!r} {streets_cut} {labs_cut} {saved!r} {known[4]}")
        out += [f"lab {float(r)!r} {float(s)!r} {EXTRACTOR!r}" for r, s in zip(rate, start)]
        out += [
            f"street {n} " + " ".join(f"{lab}:{float(minutes)!r}:{float(km)!r}" for lab, minutes, km in street)
            for n, street in zip(tubes, ways)
        ]
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
