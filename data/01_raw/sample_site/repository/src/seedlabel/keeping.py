"""How long seed keeps, in springs after the harvest.

Cool, dark and dry. Numbers are what we see in Port Merrin, which is none of the three.
"""

SPRINGS = {
    "parsnip": 1,
    "onion": 2,
    "leek": 3,
    "bean": 4,
    "cabbage": 5,
    "tomato": 8,
}

# A variety that nobody has measured is sown soon.
UNKNOWN = 2


def last_spring(crop: str, harvested: int) -> int:
    """Return the last year in which seed of a harvest should be sown."""
    return harvested + SPRINGS.get(crop.strip().lower(), UNKNOWN)
