"""Functions of templates for mappings whose keys are known: they write what Jinja does, and ask what isn't known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader

from kvmrender.compiler import specialise
from kvmrender.compiler.functions import MISSING
from kvmrender.compiler.generator import Module
from kvmrender.compiler.specialise import Made
from kvmrender.context.full_form import without_nulls
from kvmrender.engine import Engine
from kvmrender.templating.environment import Environment, finish
from kvmrender.templating.xml import escape, escape_text, indent, special, well_formed

VALUES: dict[str, Any] = {"v": {"a": "A", "b": {"k": {"l": "L"}}, "n": [1, 2]}, "o": {"a": "O", "k": "K"}}
ASKED = "{% if v.a is defined %}a{% endif %}{% if v.b is defined %}b{% endif %}{% if v.z is defined %}z{% endif %}"
TEMPLATES = {
    "keys": ("{% if v.a is defined %}a{% endif %}{% if v.z is defined %}z{% endif %}", 0),
    "in": ('{% if "a" in v %}a{% endif %}{% if "z" not in v %}b{% endif %}', 0),
    "else": ("{% if v.z is defined %}z{% else %}a{% endif %}", 0),
    "elif": ("{% if v.z is defined %}z{% elif v.a == 'A' %}n{% endif %}", 1),
    "elif always": ("{% if v.a == 'B' %}n{% elif v.a is defined %}a{% else %}z{% endif %}", 1),
    "nothing in it": ("{% if v.n %}{% if v.z is defined %}z{% endif %}{% endif %}", 1),
    "not": ("{% if not v.z is defined %}a{% endif %}{% if v.a is not defined %}z{% endif %}", 0),
    "and": ("{% if v.a is defined and v.n %}n{% endif %}", 1),
    "and never": ("{% if v.z is defined and v.z %}z{% endif %}", 0),
    "and after": ("{% if v.n and v.z is defined %}z{% endif %}", 1),
    "or": ("{% if v.z is defined or v.n %}n{% endif %}", 1),
    "or always": ("{% if v.a is defined or v.n %}a{% endif %}", 0),
    "default": ("{{ v.a | default('d') }}{{ v.z | default('d') }}", 0),
    "loop over nothing": ("{% for x in v.z | default([]) %}{{ x }}{% endfor %}", 0),
    "attributes": ('<a{{ v | attributes("z", "a") }}/>', 0),
    "attributes of another": ('<a{{ o | attributes("z", "k") }}/>', 3),
    "attributes inside": ('<a{{ v.b.k | attributes("l", "z") }}/>', 3),
    "another": ("{% if o.a is defined %}a{% endif %}", 1),
    "a name": ("{% with x = v.a %}{% if x is defined %}{{ x }}{% endif %}{% endwith %}", 0),
    "inside": ("{% if v.b.k is defined %}k{% endif %}{% if v.b.z is defined %}z{% endif %}", 0),
    "inside, by a name": ("{% with e = v.b %}<x a='{{ e.k.l }}'/>{% if e.z is defined %}z{% endif %}{% endwith %}", 0),
    "two deep": ("{% if v.b.k.l is defined %}k{% endif %}", 1),
    "included": ('{% include "asked" %}', 0),
    "included for another": ('{% with v = o %}{% include "asked" %}{% endwith %}', 0),
    "names that nothing gives": ("{% if w is defined %}w{% endif %}", 1),
    "empty": ("<x>\n{% if v.z is defined %}<z/>{% endif %}</x>.", 0),
    "empty inside": ("<x>\n{% if v.a is defined %}<a>{% if v.z is defined %}z{% endif %}</a>\n{% endif %}</x>\n", 0),
    "maybe empty": ("<x>\n{% if v.n %}<a/>\n{% endif %}</x>", 2),
    "loop": ("<x>\n{% for i in v.n %}<i>{{ i }}</i>\n{% endfor %}</x>", 2),
}
"""Templates, and how many questions are left where the mapping v has the keys a, b and n, and v.b has k."""


def lines_of(environment: Environment, known: dict[str, tuple[str, ...]]) -> tuple[str, list[str]]:
    """The function of the template ``t`` where these keys are known, and of what else it asks keys."""
    made = Made({}, {}, {}, {}, {})
    Module(environment, lambda _: True, made).make("root")
    made.subjects.update(t="v_v", asked="v_v")
    write = Module(environment, lambda _: True, made).specialised()
    lines, asked = write("t", known["v"], {key: keys for key, keys in known.items() if key != "v"})
    return "\n".join(lines), asked


def environment_of(template: str) -> Environment:
    root = '{% include "t" %}'
    return Environment(DictLoader({"root": root, "t": template, "asked": ASKED}))


@pytest.mark.parametrize(("template", "questions"), TEMPLATES.values(), ids=TEMPLATES)
def test_what_is_known_is_not_asked(template: str, questions: int) -> None:
    environment = environment_of(template)
    source, _ = lines_of(environment, {"v": ("a", "b", "n"), "b": ("k",)})
    asked = source.replace("(x if (x :=", "").count("if ")
    assert asked == questions, source

    tables = {"S_t_asked": {("a", "k"): lambda found, c, v: found.append("a")}}
    names = {"E": escape, "S": special, "T": escape_text, "X": well_formed, "I": indent, "M": MISSING}
    space: dict[str, Any] = {**names, **tables, "G": ">\n", "B": ">"}
    exec(source, space)
    found: list[str] = []
    arguments = [VALUES.get(name[2:], MISSING) for name in source.partition("(")[2].partition(")")[0].split(", ")[2:]]
    space["t_t"](found, VALUES, *arguments)
    assert "".join(found) == finish(environment.get_template("t").render(VALUES))


def test_mappings_inside_are_asked_for_their_keys_where_they_are_there() -> None:
    template = "".join(f"{{% if v.{key}.x is defined %}}x{{% endif %}}" for key in ("n", "b", "z"))
    assert lines_of(environment_of(template), {"v": ("a", "b", "n"), "b": ("k",)})[1] == ["n"]


def test_templates_that_have_changed_meanwhile_make_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is rendered is what the templates were when the Renderer was made, however often keys come up."""
    own = tmp_path / "devices/disk.xml.j2"
    own.parent.mkdir()
    monkeypatch.setattr("kvmrender.templating.stack.Stack.is_shipped", lambda *_: True)
    own.write_text("    <disk/>\n")
    renderer = Engine([tmp_path])
    guest = {"name": "a", "disks": [{"source": "/a.img"}]}
    expected = renderer.render(guest)
    assert "<disk/>" in expected
    own.write_text("    <changed/>\n")
    monkeypatch.setattr(specialise, "SEEN", 0)
    functions = renderer._functions
    values = without_nulls(renderer.context(guest))
    assert functions["amd64.xml.j2"](values) == expected
