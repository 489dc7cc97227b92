"""f-strings, each value escaped: about as fast as Python can write a document."""

from __future__ import annotations

from typing import Any

from markupsafe import escape

Values = dict[str, Any]


def _disk(disk: Values) -> str:
    driver, more, serial = disk["driver"], "", ""
    if "cache" in driver:
        more = f' cache="{escape(driver["cache"])}" io="{escape(driver["io"])}" discard="{escape(driver["discard"])}"'
    if "serial" in disk:
        serial = f"      <serial>{escape(disk['serial']['text'])}</serial>\n"
    return f"""\
    <disk type="file" device="disk">
      <driver name="qemu" type="{escape(driver["type"])}"{more}/>
      <source file="{escape(disk["source"]["file"])}"/>
      <target dev="{escape(disk["target"]["dev"])}" bus="virtio"/>
{serial}    </disk>
"""


def _controller(controller: Values) -> str:
    index, model = controller["index"], controller["model"]
    return f'    <controller type="scsi" index="{escape(index)}" model="{escape(model)}"/>\n'


def _filesystem(filesystem: Values) -> str:
    return f"""\
    <filesystem type="mount" accessmode="{escape(filesystem["accessmode"])}">
      <source dir="{escape(filesystem["source"]["dir"])}"/>
      <target dir="{escape(filesystem["target"]["dir"])}"/>
    </filesystem>
"""


def _interface(nic: Values) -> str:
    port = guest = more = ""
    if "virtualport" in nic:
        port = f'      <virtualport type="{escape(nic["virtualport"]["type"])}"/>\n'
    if "guest" in nic:
        guest = f'      <guest dev="{escape(nic["guest"]["dev"])}"/>\n'
    if "mtu" in nic:
        more = f"""\
      <mtu size="{escape(nic["mtu"]["size"])}"/>
      <boot order="{escape(nic["boot"]["order"])}"/>
"""
    return f"""\
    <interface type="bridge">
      <mac address="{escape(nic["mac"]["address"])}"/>
      <source bridge="{escape(nic["source"]["bridge"])}"/>
{port}{guest}      <model type="virtio"/>
{more}    </interface>
"""


def _serial(serial: Values) -> str:
    source = f'      <source path="{escape(serial["source"][0]["path"])}"/>\n' if "source" in serial else ""
    return f"""\
    <serial type="pty">
{source}      <target port="{escape(serial["target"]["port"])}"/>
    </serial>
"""


def _console(console: Values) -> str:
    target = console["target"]
    tty = f' tty="{escape(console["tty"])}"' if "tty" in console else ""
    source = f'      <source path="{escape(console["source"][0]["path"])}"/>\n' if "source" in console else ""
    kind = f' type="{escape(target["type"])}"' if "type" in target else ""
    return f"""\
    <console type="pty"{tty}>
{source}      <target{kind} port="{escape(target["port"])}"/>
    </console>
"""


def _channel(channel: Values) -> str:
    return f"""\
    <channel type="unix">
      <target type="virtio" name="{escape(channel["target"]["name"])}"/>
    </channel>
"""


def _input(device: Values) -> str:
    return f'    <input type="{escape(device["type"])}" bus="{escape(device["bus"])}"/>\n'


def _graphics(screen: Values) -> str:
    return f"""\
    <graphics type="vnc" autoport="{escape(screen["autoport"])}">
      <listen type="address" address="{escape(screen["listen"][0]["address"])}"/>
    </graphics>
"""


def _video(video: Values) -> str:
    model = video["model"]
    return f"""\
    <video>
      <model type="{escape(model["type"])}" heads="{escape(model["heads"])}"/>
    </video>
"""


def _hostdev(hostdev: Values) -> str:
    at = hostdev["source"]["address"]
    return f"""\
    <hostdev mode="subsystem" type="pci" managed="{escape(hostdev["managed"])}">
      <source>
        <address domain="{escape(at["domain"])}" bus="{escape(at["bus"])}" slot="{escape(at["slot"])}" \
function="{escape(at["function"])}"/>
      </source>
    </hostdev>
"""


def _memballoon(balloon: Values) -> str:
    return f"""\
    <memballoon model="virtio">
      <stats period="{escape(balloon["stats"]["period"])}"/>
    </memballoon>
"""


def _rng(rng: Values) -> str:
    return f"""\
    <rng model="virtio">
      <backend model="random">{escape(rng["backend"]["text"])}</backend>
    </rng>
"""


def domain(values: Values) -> str:
    memory, current = values["memory"], values["currentMemory"]
    devices = [
        *map(_disk, values["disks"]),
        *map(_controller, values["controllers"]),
        *map(_filesystem, values["filesystems"]),
        *map(_interface, values["interfaces"]),
        *map(_serial, values["serials"]),
        *map(_console, values["consoles"]),
        *map(_channel, values["channels"]),
        *map(_input, values["inputs"]),
        *map(_graphics, values["graphics"]),
        *map(_video, values["videos"]),
        *map(_hostdev, values["hostdevs"]),
        _memballoon(values["memballoon"]) if "memballoon" in values else "",
        *map(_rng, values["rngs"]),
    ]
    return f"""\
<domain type="kvm">
  <name>{escape(values["name"])}</name>
  <uuid>{escape(values["uuid"])}</uuid>
  <memory unit="{escape(memory["unit"])}">{escape(memory["text"])}</memory>
  <currentMemory unit="{escape(current["unit"])}">{escape(current["text"])}</currentMemory>
  <vcpu>{escape(values["vcpu"]["text"])}</vcpu>
  <os>
    <type arch="aarch64" machine="virt">hvm</type>
    <loader readonly="yes" type="pflash">{escape(values["os"]["loader"]["text"])}</loader>
  </os>
  <features>
    <acpi/>
    <gic version="host"/>
  </features>
  <cpu mode="host-passthrough" check="none"/>
  <devices>
{"".join(devices)}  </devices>
</domain>
"""
