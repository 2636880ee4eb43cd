"""The messages of the RPC API as our own contract has them: a reader of the few things that its files say."""

import pathlib
import re

from house import REPOSITORY

FOLDER = REPOSITORY / "proto/alibaba/sas/v20181203"

# What a JSON text has for each type of a field.
JSON_TYPES = {"string": "str", "bool": "bool", "int32": "int", "int64": "int", "double": "float"}

OPEN = re.compile(r"(message|service|enum|oneof) (\w+) \{(\})?")
METHOD = re.compile(r"rpc (\w+)\((\w+)\)\s*returns \((\w+)\)")
FIELD = re.compile(r'(optional |repeated )?(map<string, ([\w.]+)>|[\w.]+) \w+ = \d+ \[\s*json_name = "(\w+)"')


def read() -> dict[str, tuple[dict, dict]]:
    """The request and the answer of each operation: names of members, each with its type, a list of one, or an object."""
    methods, messages = {}, {}
    for path in sorted(FOLDER.glob("*.proto")):
        text = re.sub(r"//[^\n]*", "", path.read_text())
        methods |= {name: (asked, answered) for name, asked, answered in METHOD.findall(text)}
        messages |= _messages(re.sub(r"\s+", " ", text))
    assert methods and messages, f"{FOLDER} has no operations"
    return {name: (_shape(messages, asked), _shape(messages, answered)) for name, (asked, answered) in methods.items()}


def _messages(text: str) -> dict[str, list]:
    """The fields of each message, by its name and those of the messages around it."""
    found, around = {}, []
    for token in re.finditer(rf"{OPEN.pattern}|{FIELD.pattern}|[{{}}]", text):
        if token[1]:
            around.append(token[2])
            found.setdefault(".".join(around), [])
            if token[3]:
                around.pop()
        elif token[7]:
            found[".".join(around)].append((token[4], token[6] or token[5], bool(token[6]), token[7]))
        elif token[0] == "{":
            around.append("")
        else:
            around.pop()
    assert sum(map(len, found.values())) == len(re.findall(r" = \d+[ ;]", text)), "a field is written otherwise"
    return found


def _shape(messages: dict, name: str):
    """What JSON has for a message."""
    shape = {}
    for label, kind, is_map, member in messages[name]:
        one = JSON_TYPES.get(kind)
        if one is None:
            inner = next(full for full in (f"{name}.{kind}", kind) if full in messages)
            one = _shape(messages, inner)
        shape[member] = {"*": one} if is_map else [one] if label == "repeated " else one
    return shape
