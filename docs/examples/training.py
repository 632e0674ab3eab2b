#!/usr/bin/env python3
"""Weekly volume and load-velocity lines of a table of sets.

    spotter export sets --out sets.csv --server https://spotter.example.org --token-file token
    python3 training.py sets.csv --zone Europe/Berlin

Python 3.10 and nothing else is needed for CSV, pyarrow for Parquet. With pandas the
same begins with pandas.read_csv("sets.csv", parse_dates=["from", "to"]) or
pandas.read_parquet("sets.parquet").
"""
import argparse
import collections
import csv
import datetime
import statistics
import sys
import zoneinfo

NUMBERS = ("load_kg", "best_mps", "volume_kg", "reps")
# A line needs as many different loads, this far apart.
LOADS, SPREAD = 3, 0.15


def read(path):
    """Sets as dictionaries; what is absent is None."""
    if path.endswith(".parquet"):
        import pyarrow.parquet
        return pyarrow.parquet.read_table(path).to_pylist()
    with open(path, newline="", encoding="utf-8") as file:
        sets = [{name: text or None for name, text in row.items()} for row in csv.DictReader(file)]
    for s in sets:
        # Before Python 3.11 a Z is not understood.
        s["from"] = datetime.datetime.fromisoformat(s["from"].replace("Z", "+00:00"))
        s["warmup"] = s["warmup"] == "true"
        for name in NUMBERS:
            s[name] = None if s[name] is None else float(s[name])
    return sets


def weekly_volume(sets, zone):
    """Work sets of each athlete, ISO week and group: volume, sets and reps."""
    weeks = collections.defaultdict(lambda: [0.0, 0, 0])
    for s in sets:
        if s["warmup"] or s["group"] is None:
            continue
        year, week, _ = s["from"].astimezone(zone).isocalendar()
        sums = weeks[s["athlete"], f"{year}-W{week:02}", s["group"]]
        sums[0] += s["volume_kg"] or 0  # a set without a load has none
        sums[1] += 1
        sums[2] += int(s["reps"])
    return weeks


def lines(sets):
    """The straight line through load and fastest rep of each athlete and exercise."""
    points = collections.defaultdict(list)
    for s in sets:
        if s["load_kg"] and s["best_mps"]:  # sets of a training log have no velocity
            points[s["athlete"], s["exercise"]].append((s["load_kg"], s["best_mps"]))
    for key in sorted(points):
        loads, velocities = zip(*points[key])
        if len(set(loads)) < LOADS or max(loads) < min(loads) * (1 + SPREAD) or len(set(velocities)) < 2:
            continue
        slope, intercept = statistics.linear_regression(loads, velocities)
        yield key, len(loads), slope, intercept, statistics.correlation(loads, velocities) ** 2


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("sets", help="table of sets, .csv or .parquet")
    arguments.add_argument("--zone", default="UTC", type=zoneinfo.ZoneInfo, help="time zone in which weeks begin")
    given = arguments.parse_args()
    sets = read(given.sets)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["athlete", "week", "group", "volume_kg", "sets", "reps"])
    for key, (volume, count, reps) in sorted(weekly_volume(sets, given.zone).items()):
        out.writerow([*key, f"{volume:.12g}", count, reps])
    print()
    out.writerow(["athlete", "exercise", "sets", "slope_mps_per_kg", "velocity_without_load_mps", "r2"])
    for key, count, slope, intercept, r2 in lines(sets):
        out.writerow([*key, count, f"{slope:.5f}", f"{intercept:.3f}", f"{r2:.3f}"])


if __name__ == "__main__":
    main()
