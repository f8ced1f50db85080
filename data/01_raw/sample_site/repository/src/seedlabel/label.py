"""One packet, one label."""

from dataclasses import dataclass

from seedlabel.keeping import last_spring

WIDTH = 22


@dataclass(frozen=True)
class Packet:
    """A line of the library's CSV."""

    variety: str
    crop: str
    grower: str
    harvested: int | None


def shorten(name: str, width: int = WIDTH) -> str:
    """Cut at a word, so that 'Blue Coco Climbing French' does not become a French cli."""
    if len(name) <= width:
        return name
    kept, _, _ = name[: width + 1].rpartition(" ")
    return kept or name[:width]


def label(packet: Packet) -> str:
    """Return the four lines of a label."""
    if packet.harvested is None:
        year, sow = "YEAR?", "ask before sowing"
    else:
        year = str(packet.harvested)
        sow = f"sow by spring {last_spring(packet.crop, packet.harvested)}"
    return "\n".join((shorten(packet.variety), f"{year}  {packet.crop}", packet.grower, sow))
