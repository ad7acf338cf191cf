"""The three kinds of patch that a Kubernetes API server takes, as it applies them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

KEYED = {"containers": "name"}  # lists that a strategic patch merges by a key


class TestFailedError(Exception):
    """A ``test`` did not hold, or a path leads nowhere: 422."""

    __test__ = False


def apply_json(found: Any, operations: list[dict[str, Any]]) -> Any:
    """``found`` after all of the operations (RFC 6902), or none of them.

    Raises:
        TestFailedError: One of them cannot be done.
    """
    changed = deepcopy(found)
    for operation in operations:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        try:
            holder = changed
            for part in parents:
                holder = holder[_key(holder, part)]
            _apply_one(holder, _key(holder, last), operation)
        except (LookupError, ValueError, TypeError) as exc:
            raise TestFailedError(operation["path"]) from exc
    return changed


def _apply_one(holder: Any, key: Any, operation: dict[str, Any]) -> None:
    match operation["op"]:
        case "test":
            if holder[key] != operation["value"]:
                raise TestFailedError(operation["path"])
        case "replace":
            _ = holder[key]  # must be there
            holder[key] = operation["value"]
        case "add" if isinstance(holder, list):
            holder.insert(key, operation["value"])
        case "add":
            holder[key] = operation["value"]
        case "remove":
            del holder[key]


def _key(holder: Any, part: str) -> Any:
    return int(part) if isinstance(holder, list) else part


def apply_merge(found: Any, patch: Any, *, strategic: bool = False, field: str = "") -> Any:
    """``found`` after a merge patch (RFC 7386): lists are replaced; a strategic one merges some of them by key."""
    if isinstance(found, list) and isinstance(patch, list) and strategic and field in KEYED:
        key, merged = KEYED[field], deepcopy(found)
        for item in patch:
            same = [index for index, there in enumerate(merged) if there[key] == item[key]]
            if same:
                merged[same[0]] = apply_merge(merged[same[0]], item, strategic=True)
            else:
                merged.insert(0, item)  # the real one puts what is new first
        return merged
    if not isinstance(found, dict) or not isinstance(patch, dict):
        return deepcopy(patch)
    merged = deepcopy(found)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = apply_merge(found.get(name), value, strategic=strategic, field=name)
    return merged
