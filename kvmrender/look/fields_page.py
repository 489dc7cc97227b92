"""The page of all fields, in Markdown: a table for each element, from what ``explain`` shows."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.engine import Engine
from kvmrender.errors import Path
from kvmrender.look.explain import LEFT_OUT, default, homes, link, template_name, unwritten
from kvmrender.schema.field_facts import Field, whole
from kvmrender.schema.versions import OLDEST, schema_of
from kvmrender.templating.observed import Place
from kvmrender.workbench.field_templates import writers

INTRODUCTION = f"""\
# All fields

This page is written by `kvmrender explain --markdown`; `kvmrender explain PATH` says the same of one field, and the
lines of the templates that write it. A field without a version is in libvirt {OLDEST} or earlier. What is said of a
list holds for each of its items.
"""


def fields_page(engine: Engine, libvirt: str | None = None) -> str:
    """Return the page of all fields of the engine's guests, or of those for a libvirt."""
    return "\n".join(_Page(engine, libvirt).lines()) + "\n"


class _Page:
    def __init__(self, engine: Engine, libvirt: str | None) -> None:
        self._stack, self._writers = engine.stack, writers(engine)
        self._guest = whole(schema_of(engine.schema, libvirt))
        self._homes = homes(self._guest)

    def lines(self) -> Iterator[str]:
        yield INTRODUCTION
        yield from self._section(self._guest, 2)

    def _section(self, field: Field, level: int) -> Iterator[str]:
        """Yield the table of a mapping's fields, and then those of the mappings in it."""
        if field.path:
            yield f'<a id="{_id(field.name)}"></a>\n'
        yield f"{'#' * level} {field.name or 'Guest'}\n"
        if field.path:
            yield f"{field.description} [libvirt]({link(field)}); {self._templates(field.path)}\n"
        if field.path and field.shorthand:
            yield f"Short forms: {'; '.join(f'`{said}`' for said in field.shorthand)}\n"
        yield "| field | values | default | meaning |"
        yield "| --- | --- | --- | --- |"
        inner = []
        for child in field.children():
            if "properties" in child.item and self._homes.get(child.reference or "", child.name) == child.name:
                inner.append(child)
            yield f"| {' | '.join(self._row(child))} |"
        yield ""
        for child in inner:
            yield from self._section(child, min(level + 1, 4))

    def _row(self, field: Field) -> Iterator[str]:
        yield f"`{field.path[-1]}`"
        if "properties" in field.item:
            yield f"[{field.kind}](#{_id(self._homes.get(field.reference or '', field.name))})"
        elif field.node.get("type") == "array":
            yield f"{field.kind}: {cell(field.values)}"
        else:
            yield cell(field.values)
        yield "" if default(field) == LEFT_OUT else cell(default(field))
        said = [field.description]
        said += [f"Only {', and '.join(field.only)}."] if field.only else []
        said += ["Secret."] if field.is_secret else []
        said += [f"{field.since[0].upper()}{field.since[1:]}."] if field.since != f"libvirt {OLDEST} or earlier" else []
        yield cell(" ".join(said))

    def _templates(self, path: Path) -> str:
        places: list[Place] = self._writers.get(path, [])
        names = dict.fromkeys(template_name(self._stack, file) for file, _ in places)
        return " and ".join(f"`{name}`" for name in names) or unwritten(path)


def _id(name: str) -> str:
    return name.replace("[]", "")


def cell(text: str) -> str:
    """Return a text as it can stand in a table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
