"""`is_model`, `model_value`, `url_text` and `schema_of`: what pydantic knows of values and types, as plain values."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary

from langchain_label_studio.support.forks import no_fork

_schemas: WeakKeyDictionary[Any, dict[str, Any] | None] = WeakKeyDictionary()
_written_by_itself: WeakKeyDictionary[type, frozenset[str]] = WeakKeyDictionary()
_WHOLE = frozenset({"*"})


def is_model(value: Any) -> bool:
    """Return whether a value is a model of pydantic, of its version 1 or 2."""
    return isinstance(value, _model_classes())


def model_value(value: Any) -> Any:
    """Return the fields of a model of pydantic, or the value of a model that is only one value.

    Only the fields themselves are read, not what is in them. So a huge model costs no more than what is kept of it, and
    models may name each other. A field or a model that has a function that writes it is asked for that, because it may
    hide secrets.

    Args:
        value: A model, see `is_model`.

    Raises:
        Exception: Whatever a function of the class raises.
    """
    kind: Any = type(value)
    if not hasattr(kind, "__pydantic_decorators__"):
        return _value_of_version_1(value)
    if kind not in _written_by_itself:
        _written_by_itself[kind] = _fields_written_by_a_function(kind)
    written = _written_by_itself[kind]
    if written == _WHOLE:
        return value.model_dump()
    held = vars(value)
    fields = {
        name: _written(value, name) if name in written else held[name]
        for name, field in kind.model_fields.items()
        if name in held and not field.exclude
    }
    if kind.__pydantic_root_model__:
        return fields.get("root")
    computed = {name: _computed(value, name) for name in kind.__pydantic_decorators__.computed_fields}
    return fields | (value.model_extra or {}) | computed


def url_text(value: Any) -> str | None:
    """Return the text of a URL of pydantic. None for anything else, and for a URL that holds a password."""
    networks = sys.modules.get("pydantic.networks")
    core = sys.modules.get("pydantic_core")
    kinds = (getattr(networks, "AnyUrl", None), getattr(core, "Url", None))  # the first is a class since 2.10
    is_url = isinstance(value, tuple([kind for kind in kinds if isinstance(kind, type)]))
    return str(value) if is_url and value.password is None else None


def schema_of(kind: Any) -> dict[str, Any] | None:
    """Return the JSON schema of a class with fields (a model of pydantic, a dataclass, a `TypedDict`) or an enum.

    Args:
        kind: Any class, or a type such as `list[int]`.

    Returns:
        The schema. None if there is none.
    """
    with suppress(KeyError, TypeError):  # not known yet, or none that can be remembered, such as `int | str`
        return _schemas[kind]
    try:
        schema = _make_schema(kind)
    except Exception:  # noqa: BLE001 (a field may have a type that no schema describes)
        schema = None
    with suppress(TypeError):
        _schemas[kind] = schema
    return schema


def _make_schema(kind: Any) -> dict[str, Any] | None:
    is_class = isinstance(kind, type)
    is_typed_dict = is_class and issubclass(kind, dict) and hasattr(kind, "__total__")
    if is_class and not (is_typed_dict or _has_schema(kind)):
        return None
    schema: dict[str, Any]
    with no_fork():
        from pydantic import TypeAdapter  # noqa: PLC0415 (10 ms, for a program that has not loaded it)

        if is_typed_dict:
            # LangChain takes each kind of `TypedDict`. Before Python 3.12, pydantic takes only one of them.
            from langchain_core.utils.function_calling import convert_to_json_schema  # noqa: PLC0415 (30 ms)

            schema = convert_to_json_schema(kind)
        elif is_class and issubclass(kind, _model_classes()) and not hasattr(kind, "model_json_schema"):
            schema = kind.schema()  # of pydantic's version 1
        else:
            schema = TypeAdapter(kind).json_schema()
    return schema


def _has_schema(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or issubclass(kind, (Enum, *_model_classes()))


def _model_classes() -> tuple[type, ...]:
    # A program with a model has loaded it.
    found = [getattr(sys.modules.get(name), "BaseModel", None) for name in ("pydantic", "pydantic.v1")]
    return tuple([kind for kind in found if kind])


def _value_of_version_1(value: Any) -> Any:
    shown = {
        name: item
        for name, item in vars(value).items()
        if not ((field := value.__fields__.get(name)) and field.field_info.exclude)
    }
    return shown["__root__"] if "__root__" in value.__fields__ else shown


def _computed(value: Any, name: str) -> Any:
    try:
        return getattr(value, name)
    except Exception as error:  # noqa: BLE001 (the model's other fields can be read)
        return _note(error)


def _written(value: Any, name: str) -> Any:
    """Return a field as its function writes it."""
    try:
        return value.model_dump(include={name}).get(name)
    except Exception as error:  # noqa: BLE001 (the model's other fields can be read)
        return _note(error)


def _note(error: Exception) -> str:
    return f"[could not be read: {type(error).__name__}]"


def _fields_written_by_a_function(kind: Any) -> frozenset[str]:
    """Return the names of the fields that a function writes. `_WHOLE` if a function writes the model."""
    decorators = kind.__pydantic_decorators__
    if decorators.model_serializers:
        return _WHOLE
    names = {name for found in decorators.field_serializers.values() for name in found.info.fields}
    if "*" in names:
        names = set(kind.model_fields)
    is_root = kind.__pydantic_root_model__
    schema = kind.__pydantic_core_schema__
    known = {part["ref"]: part for part in _parts(schema) if "ref" in part}
    for part in _parts(schema):
        if part.get("cls") is not kind:
            continue
        if is_root:
            return _WHOLE if _has_function(part["schema"], known) else frozenset()
        if part.get("type") == "model":
            fields = next(each for each in _parts(part["schema"]) if each.get("type") == "model-fields")
            names |= {
                name for name, field in fields["fields"].items() if _has_function(field["schema"], known)
            }
    return frozenset(names)


def _has_function(schema: Any, known: Mapping[str, Any]) -> bool:
    return any("serialization" in part for part in _parts(schema, known))


def _parts(schema: Any, known: Mapping[str, Any] | None = None) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of a schema of pydantic.

    Args:
        schema: The schema.
        known: The parts that others name. If it is given, the parts within models are left out: each model is read by
            itself.
    """
    seen: set[str] = set()
    left = [schema]
    while left:
        part = left.pop()
        if isinstance(part, list | tuple):
            left += part
        if not isinstance(part, Mapping) or (known is not None and part.get("type") == "model"):
            continue
        yield part
        left += part.values()
        name = part.get("schema_ref", "")
        if known and name in known and name not in seen:
            seen.add(name)
            left.append(known[name])
