"""`model_fields` and `schema_of`: models of pydantic and classes with fields, as plain values."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from langchain_label_studio.support.forks import no_fork

_schemas: WeakKeyDictionary[type, dict[str, Any] | None] = WeakKeyDictionary()
_written_by_itself: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def model_fields(value: Any) -> Mapping[str, Any] | None:
    """Return the fields of a model of pydantic. None if the value is no model.

    Only the fields themselves are read, not what is in them. So a huge model costs no more than what is kept of it. A
    model whose class says how it is written is asked for that, because it may hide secrets.

    Args:
        value: Any object.

    Raises:
        Exception: Whatever a function of the class raises.
    """
    pydantic = sys.modules.get("pydantic")  # a program with a model has loaded it
    if pydantic is None or not isinstance(value, pydantic.BaseModel):
        return None
    kind = type(value)
    if kind not in _written_by_itself:
        _written_by_itself[kind] = _writes_itself(kind)
    if _written_by_itself[kind]:
        dumped: Mapping[str, Any] = value.model_dump()
        return dumped
    held = vars(value)
    fields = {
        name: held[name] for name, field in kind.model_fields.items() if name in held and not field.exclude
    }
    return fields | (value.model_extra or {})


def schema_of(kind: type) -> dict[str, Any] | None:
    """Return the JSON schema of a class with fields: a model of pydantic, a dataclass or a `TypedDict`.

    Args:
        kind: Any class.

    Returns:
        The schema. None if the class has none.
    """
    if kind not in _schemas:
        try:
            _schemas[kind] = _make_schema(kind)
        except Exception:  # noqa: BLE001 (a field may have a type that no schema describes)
            _schemas[kind] = None
    return _schemas[kind]


def _make_schema(kind: type) -> dict[str, Any] | None:
    is_typed_dict = issubclass(kind, dict) and hasattr(kind, "__total__")
    if not (is_typed_dict or dataclasses.is_dataclass(kind) or hasattr(kind, "model_json_schema")):
        return None
    schema: dict[str, Any]
    with no_fork():
        from pydantic import TypeAdapter  # noqa: PLC0415 (10 ms, for a program that has not loaded it)

        if is_typed_dict:
            # LangChain takes each kind of `TypedDict`. Before Python 3.12, pydantic takes only one of them.
            from langchain_core.utils.function_calling import convert_to_json_schema  # noqa: PLC0415 (30 ms)

            schema = convert_to_json_schema(kind)
        else:
            schema = TypeAdapter(kind).json_schema()
    return schema


def _writes_itself(kind: Any) -> bool:
    """Return whether a model's class, or the type of one of its fields, has a function that writes it."""
    decorators = kind.__pydantic_decorators__
    return bool(decorators.model_serializers or decorators.field_serializers) or _has_serializer(
        kind.__pydantic_core_schema__
    )


def _has_serializer(schema: Any) -> bool:
    # A schema is a finite tree: classes that hold themselves are named in it.
    parts = [schema]
    while parts:
        part = parts.pop()
        if isinstance(part, Mapping):
            if "serialization" in part:
                return True
            parts += part.values()
        elif isinstance(part, list | tuple):
            parts += part
    return False
