"""Says which types one of the vendor's SDKs declares; runs in the environment of that SDK, started by test_sdk_types.py.

Reads names of operations from standard input, and writes for each that the SDK knows its request and its answer: an object
of members, each a type, a list of one, or an object. The member `*` stands for any name.
"""

import json
import sys
import typing

from alibabacloud_sas20181203 import models


class Probe:
    """What a member is set to in order to see under which name it is sent."""

    def to_map(self) -> str:
        return "probe"

    def __iter__(self):
        return iter([self])

    def items(self):
        return [("name", self)]


def shape(model: type) -> dict:
    """The members of a model."""
    members = {}
    for attribute, kind in typing.get_type_hints(model.__init__).items():
        if attribute == "return":
            continue
        one = model()
        setattr(one, attribute, Probe())
        [name] = [name for name, value in one.to_map().items() if value]
        members[name] = described(kind)
    return members


def described(kind):
    """A type, as a text or what it is made of."""
    [origin, arguments] = [typing.get_origin(kind), typing.get_args(kind)]
    if origin is typing.Union:  # Of older versions of Python, what may be left out.
        return described(arguments[0])
    if origin is list:
        return [described(arguments[0])]
    if origin is dict:
        return {"*": described(arguments[1])}
    if kind in (str, int, bool, float):
        return kind.__name__
    return "any" if kind is typing.Any else shape(kind)


def main() -> None:
    found = {}
    for name in json.load(sys.stdin):
        answer = getattr(models, f"{name}ResponseBody", None)
        if answer:
            request = getattr(models, f"{name}Request", None)
            found[name] = [shape(request) if request else {}, shape(answer)]
    json.dump(found, sys.stdout)


main()
