"""Checks of sound."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Context, check, dig
from kvmrender.errors import Problem


@check("audios")
def dbus_audio(context: Context, architecture: Context) -> Iterator[Problem]:
    """The audio of a dbus display is of type dbus."""
    types = {audio.get("id", 1): (number, audio["type"]) for number, audio in enumerate(context["audios"])}
    for number, display in enumerate(context["graphics"]):
        named = dig(display, "audio", "id")
        if display["type"] == "dbus" and named in types and types[named][1] != "dbus":
            place, kind = types[named]
            said = f"{named} is an audio of type {kind}, not dbus"
            yield Problem(("graphics", number, "audio", "id"), said, related=(("audios", place, "type"),))
