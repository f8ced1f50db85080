"""Ports that no web server answers on.

Any port may be asked but these: a link to one of them makes a crawler speak HTTP to a service of
another kind. An entry of `egress.allow` that names the port opens it.

Source: the "bad ports" of the Fetch standard, which browsers refuse, and common databases.
"""

_FETCH = (
    "0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 "
    "113 115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 "
    "548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 "
    "6566 6665 6666 6667 6668 6669 6679 6697 10080"
)
# Docker, etcd, MySQL, RDP, PostgreSQL, VNC, Redis, Qdrant, Elasticsearch, memcached, MongoDB.
_SERVICES = "2375 2376 2379 2380 3306 3389 5432 5900 6333 6334 6379 9200 9300 11211 27017 27018"

CLOSED_PORTS = frozenset(map(int, f"{_FETCH} {_SERVICES}".split()))
