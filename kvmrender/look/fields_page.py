"""Pages of fields in Markdown: a table for each element, with the facts of ``explain``."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.engine import Engine
from kvmrender.errors import Error, Path, nearest
from kvmrender.look.explain import LEFT_OUT, default, homes, link, template_name, unwritten
from kvmrender.schema.field_facts import Field, whole
from kvmrender.schema.versions import OLDEST, schema_of
from kvmrender.templating.observed import Place
from kvmrender.workbench.field_templates import writers

INTRODUCTION = f"""\
# All fields

The keys of a guest at the top level. Those that are mappings or lists of them have pages of their own. `kvmrender
explain PATH` says the same of one field, and the lines of the templates that write it. A field without a version is in
libvirt {OLDEST} or earlier. What is said of a list holds for each of its items.
"""


def fields_page(engine: Engine, name: str = "", libvirt: str | None = None) -> str:
    """Return the page of a top-level field of the engine's guests and of all fields inside, or the list of these pages.

    For the guests of a libvirt version, if given. Raises Error if the field has no page because it is not a mapping.
    """
    return "\n".join(_Pages(engine, libvirt).lines(name))


def page_name(name: str) -> str:
    """Return the file name of the page of a top-level field; some systems do not support colons."""
    return f"{name.replace(':', '-')}.md"


class _Pages:
    def __init__(self, engine: Engine, libvirt: str | None) -> None:
        self._stack, self._writers = engine.stack, writers(engine)
        self._guest = whole(schema_of(engine.schema, libvirt))
        self._homes = homes(self._guest)

    def lines(self, name: str) -> Iterator[str]:
        fields = {child.path[0]: child for child in self._guest.children() if "properties" in child.item}
        if name and name not in fields:
            raise Error(f"{name}: is no mapping or list of mappings at the top of a guest{nearest(name, fields)}")
        if not name:
            yield INTRODUCTION
        yield from self._section(fields[name] if name else self._guest, 1)

    def _section(self, field: Field, level: int) -> Iterator[str]:
        """Yield the table of a mapping's fields, followed by those of the mappings inside."""
        if field.path:
            if level > 1:
                yield f'<a id="{_id(field.name)}"></a>\n'
            yield f"{'#' * level} {field.name}\n"
            yield f"{field.description} [libvirt]({link(field)}); {self._templates(field.path)}\n"
        if field.path and field.shorthand:
            yield f"Short forms: {'; '.join(f'`{said}`' for said in field.shorthand)}\n"
        yield "| field | values | default | meaning |"
        yield "| --- | --- | --- | --- |"
        inner = []
        for child in field.children():
            if "properties" in child.item and self._home(child) == child.name:
                inner.append(child)
            yield f"| {' | '.join(self._row(field, child))} |"
        yield ""
        if field.path:
            for child in inner:
                yield from self._section(child, min(level + 1, 4))

    def _home(self, field: Field) -> str:
        return self._homes.get(field.reference or "", field.name)

    def _row(self, above: Field, field: Field) -> Iterator[str]:
        yield f"`{field.path[-1]}`"
        if "properties" in field.item:
            home = _id(self._home(field))
            page, _, inside = home.partition(".")
            file = "" if inside and above.path[:1] == (page,) else page_name(page)
            yield f"[{field.kind}]({file}{f'#{home}' if inside else ''})"
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
    """Return a text escaped for a table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
