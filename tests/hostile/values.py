"""Values that no Ganeti sends and a broken or hostile one may, and every field of every shape that can bear them."""

from dataclasses import fields
from typing import Any

from rapi.shapes import (
    GROUP_FIELDS,
    INSTANCE_CONFIG_FIELDS,
    INSTANCE_LIVE_FIELDS,
    JOB_FIELDS,
    NETWORK_FIELDS,
    NODE_CONFIG_FIELDS,
    NODE_LIVE_FIELDS,
    ClusterInfo,
)
from rapi.shapes.fields import LAST_SECOND, MOST, kinds_of
from simulator.alterations import ABSENT, TWICE


def nested(depth: int) -> Any:
    """Lists within each other."""
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


# What is deeper than 64 is no answer at all (rapi/parsing.py).
VALUES: dict[str, Any] = {
    "null": None,
    "absent": ABSENT,
    "twice": TWICE,
    "a text": "text",
    "an empty text": "",
    "a number": 7,
    "a list": [1, None, "x", {}],
    "a dictionary": {"default": 7, "kvm": [1], "OP_ID": 5, "x": {"y": None}},
    "true": True,
    "the largest that is taken": MOST,
    "the last second": LAST_SECOND,
    "huge": 9_200_000_000_000_000_000,
    "beyond 64 bits": 10**40,
    "negative": -5,
    "a late time": 1e13,
    "a large float": 1e300,
    "nan": float("nan"),
    "long": "x" * 300_000,
    "nul": "a\0b",
    "surrogate": "a\ud800b",
    "control": "a\x1b[31m\r\nb\x9b",
    "right to left": "\u202egro.elpmaxe\u2066",
    "markup": "<script>alert(1)</script>{{ 7 }}&quot;'",
    "slash": "a/b",
    "dot": ".",
    "dots": "..",
    "question mark": "a?b",
    "hash": "a#b",
    "escaped slash": "a%2Fb",
    "deep": nested(40),
    "bad texts inside": {"a\0": "\ud800", "b": ["\0", {"c\u202e": float("inf")}], "default": {"maxmem": 9.2e18}},
    "lists of texts": [["a\0", "\ud800", 1e300], ["x" * 500]],
    "twins": ["same", "same"],
}

# Of which one database may take what another does not: numbers and times beyond a column, and texts that are none.
OF_DATABASE = (
    *("the largest that is taken", "the last second", "huge", "beyond 64 bits", "negative", "a late time"),
    *("a large float", "nan", "long", "nul", "surrogate", "control", "bad texts inside", "lists of texts"),
)

# Kind of record: the fields that are asked for.
FIELDS: dict[str, tuple[str, ...]] = {
    "instance": tuple(dict.fromkeys((*INSTANCE_CONFIG_FIELDS, *INSTANCE_LIVE_FIELDS))),
    "node": tuple(dict.fromkeys((*NODE_CONFIG_FIELDS, *NODE_LIVE_FIELDS))),
    "group": GROUP_FIELDS,
    "network": NETWORK_FIELDS,
    "job": JOB_FIELDS,
}
INFO_FIELDS = tuple(
    kinds_of(ClusterInfo)[each.name].key or each.name
    for each in fields(ClusterInfo)
    if each.name in kinds_of(ClusterInfo)
)
