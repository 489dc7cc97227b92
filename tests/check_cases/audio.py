"""Guests just inside and just outside of each check of kvmrender.checks.audio."""

from __future__ import annotations

from check_cases import Case, example

CASES: list[Case] = [
    (
        "audio_ids",
        {"audios": [{"type": "none"}, {"id": 2, "type": "none"}]},
        {"audios": [{"type": "none"}, {"id": 1, "type": "none"}]},
        "audios[1].id: 1 is taken by audios[0]",
    ),
    (
        "audio_ids",
        {"audios": "none", "sounds": {"model": "ich9", "audio": 1}},
        {"audios": "none", "sounds": {"model": "ich9", "audio": 2}},
        "sounds[0].audio.id: 2 is not the id of one of audios",
    ),
    (
        "dbus_audio",
        *example("dbus-audio"),
        "graphics[0].audio.id: 1 is an audio of type none, not dbus",
    ),
]
