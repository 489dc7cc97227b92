"""``kvmrender graph``: what guests share is drawn, in Mermaid's words and by Graphviz, whatever things are called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import FIXTURES, LOOK_PACKAGES, Run

FLEET = """\
defaults: {memory: 1 GiB}
guests:
- name: web-1
  interfaces:
  - {source: br0, mac: 52:54:00:00:00:01}
  - {source: {network: back}, mac: 52:54:00:00:00:02, vlan: 42}
  disks:
  - {source: /images/web-1.qcow2, backingStore: {format: raw, source: /images/base.img}}
  - {source: /images/data.img, shareable: true}
  - {source: /images/tools.iso, device: cdrom}
- name: web-2
  interfaces: [{source: br0, mac: 52:54:00:00:00:03}, {type: user}]
  disks:
  - {source: /images/web-2.qcow2, backingStore: {format: raw, source: /images/base.img}}
  - {source: /images/data.img, shareable: true}
  hostdevs:
  - {type: pci, source: {address: {bus: 0x06, slot: 2}}}
  - {type: usb, source: {vendor: 0x046d, product: 0xc31c}}
- name: web-3
  interfaces: [{type: hostdev, mac: 52:54:00:00:00:04, source: {address: {type: pci, bus: 6, slot: 0x02, function: 0}}}]
  disks: [{source: /images/tools.iso, device: cdrom}]
"""
HOSTILE = [
    'a"b',
    "a]b})c",
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "&amp; &lt;",
    "a\\nb\\l",
    "名前 ü ☃ 😀",
    "1. one",
    "- dash",
    "*a* _b_ `c` ~d~",
    "#35; #quot;",
    "end",
    "<table>",
    "%% comment",
    "a|b|c --> d",
    "A --- B; C",
    "$$x^2$$",
    "www.example.org",
    " spaces  inside ",
]
LINES = """\
flowchart LR
  g0["web-1"]
  g1["web-2"]
  g2["web-3"]
  t0(["bridge br0"])
  t1(["network back"])
  t2[("disk /images/base.img")]
  t3[("disk /images/data.img")]
  t4[("disk /images/tools.iso")]
  t5{{"host device PCI 0000:06:02.0"}}
  t6{{"host device USB 046d:c31c"}}
  g0 ---|"52:54:00:00:00:01"| t0
  g0 ---|"52:54:00:00:00:02, vlan 42"| t1
  g0 ---|"base of vda"| t2
  g0 ---|"vdb"| t3
  g0 ---|"sda, read-only"| t4
  g1 ---|"52:54:00:00:00:03"| t0
  g1 ---|"base of vda"| t2
  g1 ---|"vdb"| t3
  g1 --- t5
  g1 --- t6
  g2 ---|"52:54:00:00:00:04"| t5
  g2 ---|"sda, read-only"| t4
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    return tmp_path / "fleet.yaml"


@pytest.fixture
def dot() -> None:
    if not shutil.which("dot"):
        pytest.skip(f"needs dot: apt-get install {' '.join(LOOK_PACKAGES)}")
    pytest.importorskip("graphviz", reason="needs graphviz: pip install '.[graph]'")


@pytest.fixture(scope="module")
def mermaid(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Mermaid itself, in a browser: the texts of a diagram's nodes and edges."""
    script = Path(os.environ.get("KVMRENDER_TOOLS", ""), "npm/node_modules/mermaid/dist/mermaid.min.js")
    if not os.environ.get("KVMRENDER_TOOLS") or not script.is_file():
        pytest.skip("needs Mermaid: tests/install_mermaid DIR; KVMRENDER_TOOLS=DIR")
    page = tmp_path_factory.mktemp("mermaid") / "page.html"
    page.write_text(f'<!doctype html><meta charset="utf-8"><body><script src="{script.as_uri()}"></script>')

    def texts(diagram: str) -> tuple[list[str], list[str]]:
        browser.get(page.as_uri())
        found = browser.execute_async_script(
            """
            const [diagram, done] = arguments;
            window.alerted = false;
            window.alert = () => { window.alerted = true; };
            mermaid.initialize({startOnLoad: false, maxEdges: 5000, maxTextSize: 1000000});
            mermaid.render("picture", diagram).then(({svg}) => {
                document.body.innerHTML = svg;
                const texts = (selector) => [...document.querySelectorAll(selector)].map((found) => found.textContent);
                done({nodes: texts(".nodeLabel"), edges: texts(".edgeLabel p"), alerted: window.alerted});
            }, (error) => done({error: String(error)}));
            """,
            diagram,
        )
        assert "error" not in found, found
        assert not found["alerted"]
        return found["nodes"], found["edges"]

    return texts


def svg_texts(svg: str) -> set[str]:
    root = ElementTree.fromstring(svg)
    return {"".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")}


def test_mermaid(fleet: Path, run: Run) -> None:
    assert run("graph", fleet).stdout == LINES


def test_jobs_make_no_difference(fleet: Path, run: Run) -> None:
    fleet.write_text(
        "".join(json.dumps({"name": f"g{n}", "interfaces": [{"source": f"br{n % 7}"}]}) + "\n" for n in range(300))
    )
    lines = fleet.rename(fleet.with_suffix(".jsonl"))
    one, two = (run("graph", "--jobs", jobs, lines).stdout for jobs in (1, 2))
    assert one == two
    assert one.count("bridge") == 7


def test_mermaid_reads_it(fleet: Path, run: Run, mermaid: Any) -> None:
    nodes, edges = mermaid(run("graph", fleet).stdout)
    assert sorted(nodes) == sorted(
        line.split('"')[1] for line in LINES.splitlines() if '"' in line and "---" not in line
    )
    assert sorted(edges) == sorted(line.split('"')[1] for line in LINES.splitlines() if "---|" in line)


def test_mermaid_reads_every_fixture(run: Run, mermaid: Any) -> None:
    for start in range(0, len(FIXTURES), 6):  # to open the page takes longer than to read
        nodes, _ = mermaid(run("graph", *FIXTURES[start : start + 6]).stdout)
        assert len(nodes) >= len(FIXTURES[start : start + 6])


def hostile(name: str) -> tuple[str, str]:
    """A guest and its network with such names, and the guest's, which can't have a slash."""
    guest = name.replace("/", "|")
    return json.dumps({"name": guest, "interfaces": [{"source": {"network": name}, "mac": None}]}), guest


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_mean_something_to_mermaid(name: str, run: Run, mermaid: Any) -> None:
    text, guest = hostile(name)
    nodes, _ = mermaid(run("graph", "-", input=text).stdout)
    assert [" ".join(node.split()) for node in nodes] == [
        " ".join(found.split()) for found in (guest, f"network {name}")
    ]


@pytest.mark.usefixtures("dot")
@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_mean_something_to_dot(name: str, run: Run) -> None:
    text, guest = hostile(name)
    texts = svg_texts(run("graph", "--format", "svg", "-", input=text).stdout)
    assert {found.replace("\N{NO-BREAK SPACE}", " ") for found in texts} == {guest, name, "network"}


@pytest.mark.usefixtures("dot")
def test_svg(fleet: Path, run: Run) -> None:
    svg = run("graph", "--format", "svg", fleet).stdout
    labels = {line.split('"')[1] for line in LINES.splitlines() if '"' in line}
    things = {word for label in labels for word in label.partition(" ")[::2]}
    texts = svg_texts(svg)
    assert {
        "web-1",
        "web-2",
        "web-3",
        "br0",
        "/images/base.img",
        "52:54:00:00:00:02, vlan 42",
        "PCI 0000:06:02.0",
    } <= texts
    assert texts <= labels | things | {"host device", "PCI 0000:06:02.0", "USB 046d:c31c"}
    edges = [element for element in ElementTree.fromstring(svg).iter() if element.get("class") == "edge"]
    assert len(edges) == LINES.count("---")


@pytest.mark.usefixtures("dot")
def test_svg_of_every_fixture(run: Run) -> None:
    result = run("graph", "--format", "svg", *FIXTURES)
    assert result.exit_code == 0, result.stderr
    assert "every-field" in svg_texts(result.stdout)


@pytest.mark.parametrize(
    ("device", "name"),
    [
        (
            {"source": {"adapter": {"name": "scsi_host0"}, "address": {"bus": 0, "target": 1, "unit": 2}}},
            "SCSI scsi_host0 0:1:2",
        ),
        (
            {"type": "scsi_host", "source": {"protocol": "vhost", "wwpn": "naa.50014057667280d8"}},
            "vhost naa.50014057667280d8",
        ),
        ({"type": "usb", "source": {"address": {"bus": 1, "device": 4}}}, "USB bus 1 device 4"),
        (
            {"type": "mdev", "model": "vfio-pci", "source": {"address": "c2177883-f1bb-47f0-914d-32a22e3a8804"}},
            "mediated device c2177883-f1bb-47f0-914d-32a22e3a8804",
        ),
        (
            {"type": "scsi", "source": {"protocol": "iscsi", "name": "iqn.a/1", "host": {"name": "h"}}},
            "iSCSI iqn.a/1 at h",
        ),
    ],
)
def test_host_devices(device: dict[str, Any], name: str, run: Run) -> None:
    shown = run("graph", input=json.dumps({"name": "a", "hostdevs": [device]})).stdout
    assert f'"host device {name}"'.replace("naa.50014057667280d8", "naa.50014057667280d8") in shown


def test_disks_on_devices_of_the_host(run: Run) -> None:
    address = {"domain": "0x0000", "bus": "0x01", "slot": "0x00", "function": "0x0"}
    disk = {"type": "nvme", "source": {"type": "pci", "namespace": 1, "address": address}, "driver": "raw"}
    shown = run("graph", input=json.dumps({"name": "a", "disks": [disk]})).stdout
    assert 't0{{"host device PCI 0000:01:00.0"}}\n  g0 ---|"vda"| t0\n' in shown


def test_disks_that_nobody_shares_are_not_drawn(run: Run) -> None:
    assert run("graph", input="name: a\ndisks: [/a.qcow2]\ninterfaces: [{type: user}]\n").exit_code == 2
    shown = run("graph", input="name: a\ndisks: [{source: /a.qcow2}]\ninterfaces: [{type: user}]\n").stdout
    assert shown == 'flowchart LR\n  g0["a"]\n'


def test_nothing_is_drawn_of_a_fleet_with_problems(run: Run) -> None:
    result = run("graph", input="name: a\n---\nname: b\nmemroy: 1\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "memroy: is not a known key" in result.stderr


def without(module: str, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run kvmrender where a module can't be imported."""
    program = f"import sys; sys.modules[{module!r}] = None; from kvmrender.cli.main import main; main()"
    environment = {**os.environ, **({"PATH": path} if path is not None else {})}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_svg_without_the_package(fleet: Path) -> None:
    result = without("graphviz", "graph", "--format", "svg", str(fleet))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "graph --format svg needs graphviz: pip install graphviz\n"
    assert without("graphviz", "graph", str(fleet)).stdout == LINES


def test_svg_without_dot(fleet: Path, tmp_path: Path) -> None:
    pytest.importorskip("graphviz", reason="needs graphviz: pip install '.[graph]'")
    result = without("nothing", "graph", "--format", "svg", str(fleet), path=str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "graph --format svg needs Graphviz's program dot: apt-get install graphviz\n"


def test_a_disk_that_may_be_shared_is_drawn_before_another_guest_has_it(run: Run) -> None:
    disks = [{"source": "/own.raw"}, {"source": "/all.raw", "shareable": True}]
    drawn = run("graph", input=json.dumps({"name": "a", "disks": disks})).stdout
    assert "/all.raw" in drawn
    assert "/own.raw" not in drawn


def test_without_graphviz_in_this_process(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    result = run("graph", "--format", "svg", input='{"name": "a"}')
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "graph --format svg needs graphviz: pip install graphviz\n"
