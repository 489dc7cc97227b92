"""Checks of sound."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig, once
from kvmrender.errors import Problem


def audio_ids(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two audios have one number, and those that sound cards and displays name are there."""
    ids = [audio.get("id", 1) for audio in context["audios"]]
    yield from once((("audios", number, "id"), found, str(found)) for number, found in enumerate(ids))
    for key in ("sounds", "graphics"):
        for number, device in enumerate(context[key]):
            if (named := dig(device, "audio", "id")) is not None and named not in ids:
                path = (key, number, "audio", "id")
                yield Problem(path, f"{named} is not the number of an audio", related=(("audios",),))


def dbus_audio(context: Context, architecture: Context) -> Iterator[Problem]:
    """The audio of a dbus display is of type dbus."""
    types = {audio.get("id", 1): (number, audio["type"]) for number, audio in enumerate(context["audios"])}
    for number, display in enumerate(context["graphics"]):
        named = dig(display, "audio", "id")
        if display["type"] == "dbus" and named in types and types[named][1] != "dbus":
            place, kind = types[named]
            said = f"{named} is an audio of type {kind}, not dbus"
            yield Problem(("graphics", number, "audio", "id"), said, related=(("audios", place, "type"),))


CHECKS: Checks = {
    audio_ids: ("audios", "audio"),
    dbus_audio: ("audios",),
}
