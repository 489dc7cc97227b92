"""The commands of those who look at fields, guests and fleets. What only these need is imported when they are run."""

from __future__ import annotations

import click

from kvmrender.cli_common import TEMPLATES, options, renderer_of, trouble, write


@click.command()
@options(TEMPLATES, click.argument("path", default=""))
@click.option("-r", "--recursive", is_flag=True, help="Show the fields below those in the field, too.")
@click.option("--markdown", is_flag=True, help="Write a page of all fields.")
def explain(templates: tuple[str, ...], path: str, recursive: bool, markdown: bool) -> None:
    """Say what the field at PATH is: its values, default and short form, and which template writes it.

    Without a PATH, show the tree of all fields.

    Example: kvmrender explain disks.driver.cache
    """
    from kvmrender.explain import explain
    from kvmrender.fields_page import fields_page

    if markdown and path:
        raise click.UsageError("--markdown is a page of all fields: leave PATH out.")
    with trouble():
        renderer = renderer_of(templates)
        write(fields_page(renderer) if markdown else explain(renderer, path, recursive))
