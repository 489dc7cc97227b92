"""What libvirt's schema lets a kvm or qemu domain say, and what the templates can write: two sets of paths.

``python tests/vocabulary.py [PATH]`` lists what is in the first and not in the second.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from jinja2 import nodes

from kvmrender.libvirt.rng import Grammar, installed_schema
from kvmrender.shipped import shipped_templates
from kvmrender.templating.environment import Environment

PREFIXES = {"http://libvirt.org/schemas/domain/qemu/1.0": "qemu", "http://libvirt.org/schemas/domain/lxc/1.0": "lxc"}


def allowed(grammar: Grammar) -> set[str]:
    """Every element (``domain/devices/disk``) and attribute (``domain/devices/disk/@type``) of the schema."""
    found: set[str] = set()

    def walk(path: str, patterns: list[Any], above: tuple[Any, ...]) -> None:
        for name in grammar.attributes(patterns):
            found.add(f"{path}/@{name}")
        for name, inner in grammar.children(patterns).items():
            if name == "*" or all(pattern in above for pattern in inner):
                continue
            below = f"{path}/{_prefixed(name)}"
            found.add(below)
            walk(below, inner, (*above, *inner))

    found.add("domain")
    walk("domain", [pattern for pattern in grammar.start if pattern.get("name") == "domain"], ())
    return found


def _prefixed(name: str) -> str:
    namespace, _, local = name.rpartition("}")
    return f"{PREFIXES.get(namespace[1:], 'other')}:{local}" if namespace else name


def writable(environment: Environment, name: str = "domain.xml.j2") -> set[str]:
    """Every element and attribute that a template can write, whatever the guest."""
    text = "".join(_written(environment, environment.parse(_source(environment, name)), ()))
    text = re.sub(r"{{\w+}}", "", text)
    found: set[str] = set()
    path: list[str] = []
    for closing, tag, inside, empty in re.findall(r"<(/?)([A-Za-z_][\w:.-]*)([^<>]*?)(/?)>", text):
        if closing:
            assert path[-1] == tag, f"</{tag}> closes <{path[-1]}> in {'/'.join(path)}"
            path.pop()
            continue
        path.append(tag)
        found.add("/".join(path))
        found |= {f"{'/'.join(path)}/@{attribute}" for attribute in re.findall(r'([\w:.-]+)="', inside)}
        if empty:
            path.pop()
    assert not path, f"{path} are not closed"
    return found


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _written(environment: Environment, node: nodes.Node, above: tuple[str, ...]) -> Iterator[str]:
    """Yield all that a template could write, every branch once; expressions are left out."""
    if isinstance(node, nodes.TemplateData):
        yield node.data.replace("\0", "")
    elif isinstance(node, nodes.Filter) and node.name == "attributes":
        yield "".join(f' {name.value}=""' for name in node.args if isinstance(name, nodes.Const))
    elif isinstance(node, nodes.Include) and isinstance(node.template, nodes.Const):
        name = node.template.value
        if above.count(name) < 2:  # a partial may include itself
            yield from _written(environment, environment.parse(_source(environment, name)), (*above, name))
    elif isinstance(node, nodes.For) and isinstance(node.iter, nodes.Tuple) and isinstance(node.target, nodes.Name):
        for item in node.iter.items:  # a loop over names writes an element of each
            text = "".join(part for child in node.body for part in _written(environment, child, above))
            yield text.replace(f"{{{{{node.target.name}}}}}", item.as_const())
    elif isinstance(node, nodes.Name):
        yield f"{{{{{node.name}}}}}"
    else:
        for child in node.iter_child_nodes():
            yield from _written(environment, child, above)


def schema_and_templates() -> tuple[set[str], set[str]]:
    """Return both sets for the installed libvirt and the shipped templates."""
    from jinja2 import FileSystemLoader

    return allowed(Grammar(installed_schema())), writable(Environment(FileSystemLoader(shipped_templates())))


if __name__ == "__main__":
    schema, templates = schema_and_templates()
    for path in sorted(path for path in schema - templates if path.startswith(sys.argv[1] if sys.argv[1:] else "")):
        print(path)
    print(f"{len(schema & templates)} of {len(schema)}", file=sys.stderr)
