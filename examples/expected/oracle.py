"""The right answers of the examples, computed straight from the rows with Python's standard library: no streaming in it.

    python3 examples/expected/oracle.py                        writes what lies beside this file
    python3 examples/expected/oracle.py DEPARTURES.csv.gz      prints how many of its rows are late, and nothing else

The tests compare with what is committed; this program is only run again when the data changes.
"""

import collections
import csv
import gzip
import io
import pathlib
import re
import sys
from datetime import datetime, timedelta

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data"
HOUR = timedelta(hours=1)


def departures(path):
    """(origin, scheduled, delay in minutes or None), in the order of the file."""
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            delay = None if row["dep_delay"] == "NA" else int(row["dep_delay"])
            yield row["origin"], datetime.strptime(row["scheduled"], "%Y-%m-%dT%H:%M:%SZ"), delay


def hour_of(time):
    return time.replace(minute=0, second=0)


def board(path):
    """Per airport and hour of the scheduled time; sum and maximum are empty where no plane left."""
    groups = collections.defaultdict(list)
    for origin, scheduled, delay in departures(path):
        groups[hour_of(scheduled), origin].append(delay)
    for (start, origin), delays in sorted(groups.items()):
        known = [delay for delay in delays if delay is not None]
        yield [origin, start.strftime("%Y-%m-%dT%H:%M:%SZ"), len(known), len(delays) - len(known),
               sum(known) if known else "", max(known) if known else ""]


def late(path, late_by):
    """Rows whose hour had ended under the watermark of the rows before them in the file."""
    latest, count = None, 0
    for _, scheduled, _ in departures(path):
        if latest is not None and hour_of(scheduled) + HOUR <= latest - late_by:
            count += 1
        latest = scheduled if latest is None else max(latest, scheduled)
    return count


def words(path):
    """How often each word occurs: pieces between blanks, without marks around them, in small letters."""
    pieces = (re.sub(r"^[\W_]+|[\W_]+$", "", piece).lower() for piece in path.read_text().split())
    return collections.Counter(piece for piece in pieces if piece)


def write_gzip(path, text):
    with open(path, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
        file.write(text.encode())


def main():
    if len(sys.argv) > 1:
        print(late(sys.argv[1], HOUR))
        return
    january = DATA / "departures-2013-01.csv.gz"
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["origin", "window_start", "departed", "cancelled", "delay_sum", "delay_max"])
    rows.writerows(board(january))
    write_gzip(HERE / "delay_board.csv.gz", text.getvalue())
    counts = words(DATA / "gettysburg.txt")
    table = "".join(f"{word},{count}\n" for word, count in sorted(counts.items()))
    (HERE / "word_count.csv").write_text("word,count\n" + table)
    (HERE / "late.txt").write_text(f"{late(january, HOUR)}\n")


main()
