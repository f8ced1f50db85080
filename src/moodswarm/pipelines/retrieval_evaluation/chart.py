"""The measures of all configurations as a picture."""

from collections.abc import Mapping
from typing import Any

# A matplotlib figure. Kedro evaluates the annotations of nodes, and importing matplotlib only for
# annotations would slow down every command.
Figure = Any

_WIDTH = 0.8


def plot_measures(retrieval_report: Mapping[str, Any]) -> Figure:
    """Draw a bar with its interval for each measure and configuration."""
    from matplotlib import figure as drawing

    found = retrieval_report["configurations"]
    measures = list(next(iter(found.values()))["measures"])
    figure = drawing.Figure(figsize=(2 + 1.8 * len(measures), 4), layout="constrained")
    axis = figure.subplots()
    width = _WIDTH / len(found)
    for place, (name, result) in enumerate(found.items()):
        intervals = [result["measures"][measure] for measure in measures]
        values = [interval["value"] for interval in intervals]
        errors = [
            [interval["value"] - interval["low"] for interval in intervals],
            [interval["high"] - interval["value"] for interval in intervals],
        ]
        positions = [index + (place - (len(found) - 1) / 2) * width for index in range(len(values))]
        axis.bar(positions, values, width, yerr=errors, capsize=3, label=name)
    axis.set_xticks(range(len(measures)), measures)
    # A little over 1, so that bars and intervals that reach 1 are fully visible.
    axis.set_ylim(0, 1.05)
    count = retrieval_report["questions"]["count"]
    axis.set_title(f"Retrieval on {count:,} questions, with 95 % intervals")
    figure.legend(loc="outside lower center", ncols=len(found))
    return figure
