"""Putting values into text: Tekton's way, and Kubernetes'."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tekton.substitution import Replacements, expand, expressions, references, replace, replace_value

NAMES = st.text(alphabet=string.ascii_letters + string.digits + "-_.", min_size=1, max_size=8)
TEXTS = st.text(alphabet="ab$()[]*.\"' \\xé{}", max_size=30)


@pytest.mark.slow
@given(name=NAMES, value=TEXTS, before=TEXTS.filter(lambda text: "$" not in text), after=TEXTS)
def test_a_value_is_put_in_once_and_not_looked_at_again(name, value, before, after):
    strings = {f"params.{name}": value}
    rest = replace(after, strings)
    assert replace(f"{before}$(params.{name}){after}", strings) == before + value + rest


@given(text=TEXTS)
def test_text_without_known_variables_stays(text):
    assert replace(text, {"params.known": "x"}) == text
    replace_value(text, Replacements({"params.known": "x"}))
    references(text, "params")
    expressions([text])


@pytest.mark.slow
@given(items=st.lists(TEXTS, max_size=5), name=NAMES)
def test_a_whole_array_is_put_in_as_it_is(items, name):
    replacements = Replacements()
    replacements.add_param(name, items)
    assert replace_value([f"$(params.{name}[*])"], replacements) == items
    assert replace_value(["a", f"$(params.{name})", "b"], replacements) == ["a", *items, "b"]


@given(values=st.dictionaries(NAMES, TEXTS, max_size=4), text=TEXTS)
def test_expansion_never_fails_and_keeps_what_it_does_not_know(values, text):
    expand(text, values.get)
    assert expand(text.replace("$", ""), values.get) == text.replace("$", "")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(B)", "$(B)"),
        ("$A $", "$A $"),
        ("$(A", "$(A"),
        ("$((A))", "$((A))"),
    ],
)
def test_kubernetes_expansion(text, expanded):
    assert expand(text, {"A": "1"}.get) == expanded


def test_a_text_that_is_one_reference_takes_the_type_of_its_value():
    replacements = Replacements()
    replacements.add_param("list", ["a"])
    replacements.add_param("map", {"k": "v"})
    assert replace_value("$(params.list[*])", replacements) == ["a"]
    assert replace_value("$(params.map[*])", replacements) == {"k": "v"}
    assert replace_value("$(params.map.k)", replacements) == "v"
    assert replace_value("x$(params.list[*])", replacements) == "x$(params.list[*])"


def test_nested_references_are_resolved_from_the_inside():
    assert replace("$(params.$(params.a))", {"params.a": "b", "params.b": "no"}) == "$(params.b)"
