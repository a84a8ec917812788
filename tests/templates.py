"""The deployment's template as tests look at it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cfnlint.decode import decode

TEMPLATE = Path(__file__).resolve().parents[1] / "deploy" / "template.yaml"
_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def resources() -> dict[str, dict[str, Any]]:
    """Return all resources; parameters have their defaults, references are names, every condition holds.

    ``!GetAtt Queue.Arn`` is ``Queue.Arn``, ``!Ref Queue`` is ``Queue``.
    """
    template, faults = decode(str(TEMPLATE))
    assert template is not None, faults
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    resolved: dict[str, dict[str, Any]] = _resolve(template["Resources"], defaults)
    return resolved


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = resources()[name]["Properties"]
    return found


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in resources().items() if each["Type"] == kind}


def _resolve(value: Any, defaults: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_resolve(member, defaults) for member in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (function := _FUNCTIONS.get(*value)):
        return function(next(iter(value.values())), defaults)
    return {name: _resolve(member, defaults) for name, member in value.items()}


_FUNCTIONS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "Ref": lambda name, defaults: defaults.get(name) or name,
    "Fn::GetAtt": lambda path, _: ".".join(path) if isinstance(path, list) else path,
    "Fn::Sub": lambda text, defaults: _VARIABLE.sub(lambda match: str(defaults.get(match[1]) or match[1]), text),
    "Fn::If": lambda choice, defaults: _resolve(choice[1], defaults),
}
