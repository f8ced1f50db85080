"""python -m seedlabel packets.csv"""

import csv
import sys

from seedlabel.label import Packet, label


def main() -> None:
    """Write the labels of a CSV file to standard output."""
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            year = int(row["harvested"]) if row["harvested"].strip() else None
            print(label(Packet(row["variety"], row["crop"], row["grower"], year)), end="\n\n")


main()
