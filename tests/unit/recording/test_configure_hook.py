"""LangChain decides by a context variable and a class; ours stands in for both."""

from __future__ import annotations

import inspect

import pytest
from langchain_core.callbacks import CallbackManager
from langchain_core.tracers import context

from langchain_label_studio.recording.configure_hook import ConfigureHook
from tests.support.listeners import Listener
from tests.support.private_parts import langchain_hooks_restored

_forget_hooks = pytest.fixture(autouse=True)(langchain_hooks_restored)


def test_the_handler_is_added_where_none_is_enough() -> None:
    added = Listener()
    ConfigureHook(lambda: added, lambda handler: False).register(context, inheritable=True)

    manager = CallbackManager.configure([Listener()])

    assert added in manager.handlers
    assert added in manager.inheritable_handlers


def test_a_handler_that_is_enough_stays_alone() -> None:
    added, own = Listener(), Listener()
    ConfigureHook(lambda: added, lambda handler: handler is own).register(context, inheritable=False)

    assert CallbackManager.configure([own]).handlers == [own]


def test_a_switch_that_is_turned_off_in_between_adds_a_handler_that_hears_nothing() -> None:
    answers = iter([Listener(), None])
    ConfigureHook(lambda: next(answers), lambda handler: False).register(context, inheritable=False)

    [handler] = CallbackManager.configure([]).handlers

    assert not isinstance(handler, Listener)


def test_langchain_still_takes_a_variable_and_a_class_and_no_function() -> None:
    """Where this fails, see whether LangChain can be given a function now: then `ConfigureHook` can go."""
    assert list(inspect.signature(context.register_configure_hook).parameters) == [
        "context_var",
        "inheritable",
        "handle_class",
        "env_var",
    ]
    context.register_configure_hook(Listener, inheritable=False)
    with pytest.raises(AttributeError, match="get"):
        CallbackManager.configure([])
