"""The Go program: how it is built, and what it is given."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

Values = dict[str, Any]

SOURCE = Path(__file__).with_name("domain.go")


def build(folder: Path) -> Path:
    """Compile the program into the folder, with what Go keeps between builds. Raises CalledProcessError."""
    program = folder / "domain"
    go = shutil.which("go") or "go"
    # No go.mod, no other settings of the user's, no network.
    alone = {"GOCACHE": str(folder / "cache"), "GOENV": "off", "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
    command = [go, "build", "-o", str(program), str(SOURCE)]
    subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **alone})
    return program


def params(values: Values) -> Values:
    """The values by the names of the program's fields: flat, as a Go program has them."""
    return {
        "Name": values["name"],
        "UUID": values["uuid"],
        "Unit": values["memory"]["unit"],
        "Memory": values["memory"]["text"],
        "CurrentMemory": values["currentMemory"]["text"],
        "VCPUs": values["vcpu"]["text"],
        "Loader": values["os"]["loader"]["text"],
        "Disks": [
            {
                "File": disk["source"]["file"],
                "Format": disk["driver"]["type"],
                "Cache": disk["driver"].get("cache", ""),
                "IO": disk["driver"].get("io", ""),
                "Discard": disk["driver"].get("discard", ""),
                "Dev": disk["target"]["dev"],
                "Serial": disk.get("serial", {}).get("text", ""),
            }
            for disk in values["disks"]
        ],
        "Controllers": [
            {"Index": controller["index"], "Model": controller["model"]} for controller in values["controllers"]
        ],
        "Filesystems": [
            {"AccessMode": share["accessmode"], "Source": share["source"]["dir"], "Target": share["target"]["dir"]}
            for share in values["filesystems"]
        ],
        "Interfaces": [
            {
                "MAC": nic["mac"]["address"],
                "Bridge": nic["source"]["bridge"],
                "VirtualPort": nic.get("virtualport", {}).get("type", ""),
                "Guest": nic.get("guest", {}).get("dev", ""),
                "MTU": nic.get("mtu", {}).get("size", 0),
                "Boot": nic.get("boot", {}).get("order", 0),
            }
            for nic in values["interfaces"]
        ],
        "Serials": [_char(device) for device in values["serials"]],
        "Consoles": [_char(device) for device in values["consoles"]],
        "Channels": [channel["target"]["name"] for channel in values["channels"]],
        "Inputs": [{"Type": device["type"], "Bus": device["bus"]} for device in values["inputs"]],
        "Graphics": [
            {"Autoport": screen["autoport"], "Address": screen["listen"][0]["address"]} for screen in values["graphics"]
        ],
        "Videos": [{"Model": video["model"]["type"], "Heads": video["model"]["heads"]} for video in values["videos"]],
        "Hostdevs": [
            {name.capitalize(): part for name, part in hostdev["source"]["address"].items()}
            for hostdev in values["hostdevs"]
        ],
        "BalloonPeriod": values.get("memballoon", {}).get("stats", {}).get("period", 0),
        "RNGs": [rng["backend"]["text"] for rng in values["rngs"]],
    }


def _char(device: Values) -> Values:
    return {
        "Path": device["source"][0]["path"] if "source" in device else "",
        "TTY": device.get("tty", ""),
        "Type": device["target"].get("type", ""),
        "Port": device["target"]["port"],
    }
