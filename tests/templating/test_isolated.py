"""Templates of one's own at work in a process with limits: whatever they do, it is told, and the next guest goes on."""

from __future__ import annotations

import gc
import json
import operator
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from kvmrender import GuestError, TemplateError
from kvmrender.engine import Engine
from kvmrender.errors import LimitError
from kvmrender.templating import limited_process

GOOD = "<domain><name>good</name></domain>"
SITE = (
    f"{{% if name == 'good' %}}{GOOD}{{% else %}}<domain><name>{{% include vars.file %}}</name></domain>{{% endif %}}"
)
"""An architecture's template that includes what a guest names."""
DEEP = "{%% set ns = namespace(n=%s) %%}{%% for i in range(99999) %%}{%% set ns.n = %s %%}{%% endfor %%}"
DOUBLED = "{%% set ns = namespace(s=%s) %%}{%% for i in range(64) %%}{%% set ns.s = %s %%}{%% endfor %%}"
LONG = "{% set ns = namespace(s='x' * 6000000) %}"

WITHOUT_END = {
    "loops in loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "loops in loops that write": "{% for i in range(99999) %}{% for j in range(99999) %}{% if i < 0 %}x{% endif %}{% endfor %}{% endfor %}",
    "a list that grows in its loop": "{% set ns = namespace(s=[1] * 9999) %}{% for i in range(99999) %}{% set ns.s = ns.s + ns.s[:9] %}{{ ns.s|length }}{% endfor %}",
    "filters on a long text": LONG + "{% for i in range(9999) %}{% set ns.s = ns.s|lower|upper %}{% endfor %}",
    "title of a long text": LONG + "{% for i in range(9999) %}{% set ns.s = ns.s|title %}{% endfor %}",
    "counting words": LONG + "{% for i in range(9999) %}{% if ns.s|wordcount > 1 %}{% endif %}{% endfor %}",
    "sum with a start": "{{ (range(99999)|map('string')|map('list'))|sum(start=[])|length }}",
    "sums of sums": "{% for i in range(99999) %}{% if range(99999)|sum < 0 %}{% endif %}{% endfor %}",
    "product": "{% set ns = namespace(n=10 ** 99) %}{% for i in range(64) %}{% set ns.n = ns.n * ns.n %}{% endfor %}{{ ns.n % 7 }}",
    "macro that calls itself twice": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "recursive loop": "{% for i in [1, 1] recursive %}{% if loop.depth < 60 %}{{ loop([1, 1]) }}{% endif %}{% endfor %}",
    "include in a loop": "{% for i in range(99999) %}{% for j in range(999) %}{% include 'empty.xml.j2' %}{% endfor %}{% endfor %}",
    "imports in a loop": "{% for i in range(99999) %}{% for j in range(999) %}{% import 'empty.xml.j2' as e %}{% endfor %}{% endfor %}",
    "sorting": "{% for i in range(99999) %}{% if range(99999)|sort(reverse=true)|first < 0 %}{% endif %}{% endfor %}",
    "groups": "{% for i in range(9999) %}{% if range(99999)|map('string')|map('length')|list|unique|list|length < 0 %}{% endif %}{% endfor %}",
    "looking in lists": "{% set l = range(99999)|list %}{% for i in range(99999) %}{% if -1 in l %}{% endif %}{% endfor %}",
    "looking in a text": LONG + "{% for i in range(99999) %}{% if 'y' in ns.s %}{% endif %}{% endfor %}",
    "comparing lists": "{% set l = range(99999)|list %}{% set m = range(99999)|list %}{% for i in range(99999) %}{% if l != m %}{% endif %}{% endfor %}",
    "urlencode": LONG + "{% for i in range(999) %}{% if ns.s|urlencode|length < 0 %}{% endif %}{% endfor %}",
    "cycler": "{% set c = cycler(1, 2) %}{% for i in range(99999) %}{% for j in range(99999) %}{% if c.next() < 0 %}{% endif %}{% endfor %}{% endfor %}",
    "joiner": "{% set c = joiner('x') %}{% for i in range(99999) %}{% for j in range(99999) %}{% if c() == 'y' %}{% endif %}{% endfor %}{% endfor %}",
    "splitting": LONG + "{% for i in range(9999) %}{% if ns.s.split('x')|length < 0 %}{% endif %}{% endfor %}",
    "folding the case": LONG + "{% for i in range(9999) %}{% if (ns.s ~ 'ß').casefold() == '' %}{% endif %}{% endfor %}",
    "reading XML": "{% set x = '<b/>' * 99999 %}{% for i in range(9999) %}{% if (x|xml)|length < 0 %}{% endif %}{% endfor %}",
}  # fmt: skip
TOO_LARGE = {
    "power": "{% set n = 3 ** (10 ** 8) %}{{ n % 7 }}",
    "remainders": "{% set n = 3 ** (10 ** 6) %}{% for i in range(9999) %}{% if n // 7 % 5 < 0 %}{% endif %}{% endfor %}",
    "caller that calls": "{% macro m(n) %}{% if n %}{% call m(n - 1) %}{% endcall %}{% call m(n - 1) %}{% endcall %}{% endif %}{% endmacro %}{% call m(60) %}{% endcall %}",
    "text times number": "{{ 'x' * 9000000000 }}",
    "number times text": "{{ 9000000000 * 'x' }}",
    "list times number": "{{ ([1] * 9000000000)|length }}",
    "tuple times number": "{{ ((1,) * 9000000000)|length }}",
    "doubling with ~": DOUBLED % ("'x'", "ns.s ~ ns.s"),
    "doubling with +": DOUBLED % ("'x'", "ns.s + ns.s"),
    "doubling with join": DOUBLED % ("'x'", "[ns.s, ns.s]|join"),
    "doubling with replace": DOUBLED % ("'xx'", "ns.s|replace('x', 'xx')"),
    "doubling a list with +": DOUBLED % ("[1]", "ns.s + ns.s"),
    "doubling in a block": "{% set ns = namespace(s='xx') %}{% for i in range(64) %}{% set b %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = b %}{% endfor %}",
    "doubling with a filter block": "{% set ns = namespace(s='xx') %}{% for i in range(64) %}{% set b %}{% filter upper %}{{ ns.s }}{{ ns.s }}{% endfilter %}{% endset %}{% set ns.s = b %}{% endfor %}",
    "doubling in a macro": "{% macro m(s) %}{{ s }}{{ s }}{% endmacro %}" + DOUBLED % ("'xx'", "m(ns.s)"),
    "doubling with a caller": "{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}{% set ns = namespace(s='xx') %}{% for i in range(64) %}{% set b %}{% call m() %}{{ ns.s }}{% endcall %}{% endset %}{% set ns.s = b %}{% endfor %}",
    "replace": "{{ ('x' * 99999)|replace('x', 'y' * 99999) }}",
    "join by a long text": "{{ range(999)|join('x' * 6000000) }}",
    "indent": "{{ ('x\n' * 99999)|indent(1000000) }}",
    "format": "{{ '{:>9000000000}'.format('x') }}",
    "format of a number": "{{ '{:9000000000d}'.format(1) }}",
    "percent": "{{ '%9000000000d' % 1 }}",
    "percent with a star": "{{ '%*d' % (2000000000, 1) }}",
    "much output": "{% set x = 'x' * 999999 %}{% for i in range(9999) %}{{ x }}{% endfor %}",
    "escaping": "{% set x = '<' * 9999999 %}{% for i in range(99) %}{{ x }}{% endfor %}",
    "attributes": "{% set x = '\t' * 9999999 %}{% for i in range(99) %}{{ {'a': x}|attributes('a') }}{% endfor %}",
    "ranges as lists": "{% set ns = namespace(s=[]) %}{% for i in range(9999) %}{% set ns.s = ns.s + [range(99999)|list] %}{% endfor %}",
    "lists of letters": "{% set ns = namespace(s=[]) %}{% set x = ('x' * 9999999)|list %}{% for i in range(9999) %}{% set ns.s = ns.s + [x|list] %}{% endfor %}",
    "mappings": "{% set ns = namespace(s=[]) %}{% for i in range(99999) %}{% set ns.s = (ns.s, dict(range(9999)|map('string')|map('list')|map('list')|list|unique|map('first')|map('list')|map('join')|list|length|string|list, a=range(9999)|list)) %}{% endfor %}",
    "unfolding": "{{ ('\ufdfa' * 99999999)|upper|length }}",
    "power in a text": "{{ 10 ** 9999 ** 9 }}",
    "shifting by power": "{{ 2 ** 9000000000 }}",
}  # fmt: skip
CRASHES_PYTHON = {
    "namespaces in namespaces": "{% set ns = namespace(n=none) %}{% for j in range(99) %}{% for i in range(99999) %}{% set ns.n = namespace(n=ns.n) %}{% endfor %}{% endfor %}",
    "lists in lists, written": DEEP % ("1", "[ns.n]") + "{{ ns.n|string|length }}",
    "tuples in tuples, compared": DEEP % ("(1,)", "(ns.n,)") + "{{ ns.n == (ns.n,) }}",
    "mappings in mappings, written": DEEP % ("1", "{'a': ns.n}") + "{{ ns.n|string|length }}",
    "filters on filters": DEEP % ("[1]", "ns.n|map('upper')") + "{{ ns.n|list|length }}",
    "reversed again": DEEP % ("[1]", "ns.n|select") + "{{ ns.n|list|length }}",
    "macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "file that includes itself": "{% include vars.file %}",
    "file that extends itself": "{% extends vars.file %}",
    "parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "brackets": "{{ " + "[" * 5000 + "]" * 5000 + " }}",
    "signs": "{{ " + "-" * 99999 + "1 }}",
    "negations": "{{ " + "not " * 9999 + "1 }}",
    "sums": "{{ " + "1 + " * 99999 + "1 }}",
    "ifs in ifs": "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "loops in loops in loops": "{% for i in [1] %}" * 99 + "{% endfor %}" * 99,
    "attributes of attributes": "{{ a" + ".a" * 9999 + " }}",
    "one filter after another": "{{ 'a'" + "|lower" * 9999 + " }}",
}  # fmt: skip
ATTACKS = {**WITHOUT_END, **TOO_LARGE, **CRASHES_PYTHON}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    (site / "amd64.xml.j2").write_text(SITE)
    (site / "empty.xml.j2").write_text("")
    for number, source in enumerate(ATTACKS.values()):
        (site / f"{number}.xml.j2").write_text(f"\n\n{source}")
    return site


@pytest.fixture(scope="module")
def renderer(attacked: Path) -> Engine:
    return Engine([attacked], isolated=True)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_told_and_the_next_guest_goes_on(
    attack: str, attacked: Path, renderer: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited_process, "MOST_SECONDS", 1)
    monkeypatch.setattr(limited_process, "MOST_MEMORY", 256 << 20)
    file = f"{list(ATTACKS).index(attack)}.xml.j2"
    with pytest.raises(TemplateError) as raised:
        renderer.render({"name": "evil", "vars": {"file": file}})
    assert raised.value.guest == "evil"
    assert raised.value.template in (f"{attacked}/{name}" for name in (file, "amd64.xml.j2", "empty.xml.j2"))
    assert "Traceback" not in str(raised.value)
    assert len(raised.value.message) < 200
    if attack in WITHOUT_END:
        assert isinstance(raised.value, LimitError)
        assert raised.value.line in (3, None)
    assert renderer.render({"name": "good"}) == GOOD


# What is told


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/amd64.xml.j2").write_text(SITE)
    (tmp_path / "site/long.xml.j2").write_text("<b/>\n" + WITHOUT_END["loops in loops"])
    (tmp_path / "site/large.xml.j2").write_text(TOO_LARGE["text times number"])
    return tmp_path / "site"


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch, unmeasured: None) -> None:
    """A few: enough for reading the templates, which has the same limit, on any machine."""
    monkeypatch.setattr(limited_process, "MOST_SECONDS", 3)


def guest(file: str) -> dict[str, Any]:
    return {"name": "evil", "vars": {"file": f"{file}.xml.j2"}}


@pytest.mark.usefixtures("seconds")
def test_each_limit_is_told_with_template_line_and_guest(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Engine([site], isolated=True)
    with pytest.raises(LimitError) as raised:
        renderer.render(guest("long"))
    assert str(raised.value) == f"{site}/long.xml.j2:2: takes more than 3 seconds for one guest (guest 'evil')"
    with pytest.raises(LimitError, match=r"large.xml.j2:1: needs more memory than it may have \(guest 'evil'"):
        renderer.render(guest("large"))
    monkeypatch.setattr(limited_process, "MOST_ANSWERED", 1 << 20)
    (site / "much.xml.j2").write_text("{{ 'x' * 2000000 }}")
    renderer = Engine([site], isolated=True)
    with pytest.raises(LimitError, match=r"amd64.xml.j2: makes more than 1 MiB for one guest \(guest 'evil'\)"):
        renderer.render(guest("much"))


@pytest.mark.usefixtures("seconds")
def test_each_guest_has_that_time(site: Path) -> None:
    (site / "busy.xml.j2").write_text("{% for i in range(99999) %}{% if i < 0 %}{{ i }}{% endif %}{% endfor %}busy")
    renderer = Engine([site], isolated=True)
    renderer.render({"name": "good"})
    first = process(renderer)
    while processor_seconds(first) < 2 * limited_process.MOST_SECONDS:
        renderer.render(guest("busy"))
    assert process(renderer) == first


def processor_seconds(number: int) -> float:
    """Return the processor time that a process has used."""
    used = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def test_time_by_the_clock_is_limited(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Engine([site], isolated=True)
    renderer.render({"name": "good"})  # Jinja is there now
    monkeypatch.setattr(limited_process, "MOST_SECONDS_IN_ALL", 2)
    with pytest.raises(LimitError, match=r"long.xml.j2(:2)?: takes more than 2 seconds"):
        renderer.render(guest("long"))
    monkeypatch.undo()
    assert renderer.render({"name": "good"}) == GOOD


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_crash_is_told_and_the_next_guest_goes_on(number: signal.Signals, site: Path) -> None:
    """The process is stopped, so that it dies with the request."""
    renderer = Engine([site], isolated=True)
    os.kill(process(renderer), signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(renderer.render, guest("long"))
        while not found.running():
            time.sleep(0.01)
        os.kill(process(renderer), number)
        os.kill(process(renderer), signal.SIGCONT)
        said = rf"crashes the process that it runs in \({number.name}\) \(guest 'evil'\)"
        with pytest.raises(LimitError, match=said):
            found.result()
    assert renderer.render({"name": "good"}) == GOOD


@pytest.mark.parametrize("fleet", [False, True])
def test_commands_tell_it_in_one_line(fleet: bool, site: Path, run: Run) -> None:
    evil = json.dumps(guest("large"))
    lines = ['{"name": "good"}', evil]
    (site / "amd64.xml.j2").write_text(SITE.replace("== 'good'", "!= 'evil'"))
    if fleet:
        lines += [f'{{"name": "g{number}"}}' for number in range(300)] + [evil.replace("evil", "evil2")]
        (site / "amd64.xml.j2").write_text(SITE.replace("== 'good'", "not in ('evil', 'evil2')"))
    (site.parent / "g.jsonl").write_text("\n".join(lines))
    said = f"{site}/large.xml.j2:1: needs more memory than it may have [template]"
    expected = f"{site.parent}/g.jsonl:2:1: {said}\n"
    if fleet:
        expected += f"{site.parent}/g.jsonl:303:1: {said}\n"
    for command in (["render"], ["render", "-j2"], ["render", "-o", site.parent / "out"], ["context"]):
        result = run(*command, "--templates", site, site.parent / "g.jsonl")
        assert (result.exit_code, result.stdout, result.stderr) == (2, "", expected), command


def test_validate_tells_it_and_goes_on(site: Path, run: Run) -> None:
    if not Path("/usr/share/libvirt/schemas/domain.rng").exists():
        pytest.skip("libvirt's schema is missing")
    (site.parent / "a.yaml").write_text(json.dumps(guest("large")))
    (site.parent / "b.yaml").write_text("name: b\nzzz: 1\n")
    result = run("validate", "--templates", site, site.parent / "a.yaml", site.parent / "b.yaml")
    assert result.exit_code == 2
    assert f"a.yaml:1:1: {site}/large.xml.j2:1: needs more memory than it may have [template]\n" in result.stderr
    assert "b.yaml:2:1: zzz: is not a known key" in result.stderr


@pytest.mark.usefixtures("seconds")
def test_templates_check_tells_it_and_ends(site: Path, run: Run) -> None:
    (site / "amd64.xml.j2").write_text(
        "\n{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    )
    result = run("templates", "check", site)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("amd64.xml.j2:2: takes more than 3 seconds for one guest (") == 1


@pytest.mark.parametrize("command", [["schema"], ["explain", "name"], ["render", "-"], ["templates", "check"]])
@pytest.mark.parametrize(
    "part", ['{"extends": "shipped/guest.schema.yaml", "properties": ' + '{"a":' * 9999, "[" * 99999]
)
def test_schema_part_that_is_too_deep_is_told(part: str, command: list[str], site: Path, run: Run) -> None:
    (site / "guest.schema.yaml").write_text(part)
    result = run(*command, "--templates", site, input="name: a")
    assert result.exit_code == 2
    assert result.stderr.startswith(str(site))
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("seconds")
def test_pattern_of_a_schema_part_that_never_ends_is_told(site: Path, run: Run) -> None:
    thing = {"type": "string", "description": "A thing.", "pattern": "^(a+)+$"}
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"thing": thing}}
    (site / "guest.schema.yaml").write_text(json.dumps(part))
    result = run("context", "--templates", site, input=f"name: a\nthing: {'a' * 99}b\n")
    assert (result.exit_code, result.stdout) == (2, "")
    said = result.stderr
    assert said == f"<stdin>:1:1: {site}/guest.schema.yaml: takes more than 3 seconds for one guest\n" or (
        "thing: 'aaaa" in said  # an engine that does not go back
    )


def test_memory_of_the_whole_is_bounded(site: Path) -> None:
    """Measured by the kernel, in a process that has no other children."""
    program = (
        "import resource, sys; from kvmrender import TemplateError; from kvmrender.engine import Engine\n"
        "renderer = Engine([sys.argv[1]], isolated=True)\n"
        "try: renderer.render({'name': 'evil', 'vars': {'file': 'all.xml.j2'}})\n"
        "except TemplateError: print('refused')\n"
        "del renderer\n"
        "own = [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')]\n"
        "print(*own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    (site / "all.xml.j2").write_text(TOO_LARGE["doubling with ~"])
    done = subprocess.run([sys.executable, "-c", program, str(site)], capture_output=True, text=True, check=True)
    refused, own, child = done.stdout.split()
    assert refused == "refused"
    assert int(own) << 10 < 128 << 20
    assert 256 << 20 < int(child) << 10 < limited_process.MOST_MEMORY + (128 << 20)


# The process


def process(renderer: Engine) -> int:
    assert renderer._isolated is not None
    assert renderer._isolated._process is not None
    return renderer._isolated._process._id


def is_gone(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never was so")


@pytest.mark.usefixtures("unmeasured")
def test_limits_are_the_kernels(site: Path) -> None:
    renderer = Engine([site], isolated=True)
    limits = {
        line[:26].strip(): line[26:].split()[:2]
        for line in Path(f"/proc/{process(renderer)}/limits").read_text().splitlines()
    }
    assert limits["Max core file size"] == limits["Max file size"] == limits["Max processes"] == ["0", "0"]
    assert limits["Max open files"] == ["64", "64"]
    assert limited_process.MOST_MEMORY < int(limits["Max address space"][1]) < limited_process.MOST_MEMORY + (256 << 20)
    assert int(limits["Max cpu time"][0]) <= 3 * limited_process.MOST_SECONDS
    assert sorted(file.name for file in Path(f"/proc/{process(renderer)}/fd").iterdir()) == ["0", "1", "2"]


def test_process_ends_with_its_renderer(site: Path) -> None:
    renderer = Engine([site], isolated=True)
    number = process(renderer)
    del renderer
    gc.collect()
    assert not Path(f"/proc/{number}").exists()


def test_process_that_has_nothing_to_do_ends_by_itself(site: Path) -> None:
    """So that what is done at the end of a process, such as by coverage, is done."""
    idle = Engine([site], isolated=True)._isolated
    assert idle is not None
    assert idle._process is not None
    status = idle._process.end()
    assert status is not None
    assert os.waitstatus_to_exitcode(status) == 0


def test_process_that_does_not_end_by_itself_is_killed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_process, "MOST_SECONDS_TO_END", 0.1)
    renderer = Engine([site], isolated=True)
    number = process(renderer)
    os.kill(number, signal.SIGSTOP)
    del renderer
    gc.collect()
    assert not Path(f"/proc/{number}").exists()


PROGRAM = """
import sys
from threading import Thread
from kvmrender.engine import Engine
renderer = Engine([sys.argv[1]], isolated=True)
print(renderer._isolated._process._id, flush=True)
if sys.argv[2] == "busy":
    renderer.render({"name": "evil", "vars": {"file": "busy.xml.j2"}})
sys.stdin.read()
"""


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("what", ["idle", "busy"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_process_ends_with_the_one_that_it_works_for(number: signal.Signals, what: str, site: Path) -> None:
    """Also in the midst of a computation that never looks up."""
    (site / "busy.xml.j2").write_text("{% set n = 3 ** (10 ** 9) %}")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(site), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as program:
        assert program.stdout
        child = int(program.stdout.readline())
        time.sleep(0.2)
        program.send_signal(number)
        assert program.wait() != 0
        until(lambda: is_gone(child))


def test_threads_share_a_renderer(site: Path) -> None:
    renderer = Engine([site], isolated=True)
    (site / "name.xml.j2").write_text("{{ name }}")
    guests = [{"name": f"g{number}", "vars": {"file": "name.xml.j2"}} for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(renderer.render, guests)) == [
            f"<domain><name>g{number}</name></domain>" for number in range(200)
        ]


def test_fork_has_a_process_of_its_own(site: Path) -> None:
    renderer = Engine([site], isolated=True)
    if not (child := os.fork()):
        well = renderer.render({"name": "good"}) == GOOD
        del renderer
        gc.collect()
        os._exit(0 if well else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not is_gone(process(renderer))
    assert renderer.render({"name": "good"}) == GOOD


def test_pickled_it_is_isolated_too(site: Path) -> None:
    renderer = pickle.loads(pickle.dumps(Engine([site], isolated=True)))
    assert process(renderer) != os.getpid()
    assert renderer.render({"name": "good"}) == GOOD


def test_shipped_templates_alone_need_no_process() -> None:
    assert Engine(isolated=True)._isolated is None


def test_it_says_what_a_renderer_says(site: Path) -> None:
    (site / "amd64.xml.j2").write_text('{% extends "shipped/amd64.xml.j2" %}')
    here, there = Engine([site]), Engine([site], isolated=True)
    one = {
        "name": "a",
        "disks": [{"source": "/a.qcow2"}],
        "vars": {"a": [1.5, None, True, "\u20ac\U0001f600"], "b": 1},
    }
    for method in ("render", "context", "observed", "unused"):
        assert getattr(there, method)(one) == getattr(here, method)(one)
    assert there.schema.root == here.schema.root
    wrong: list[Any] = [
        {},
        {"name": "a", "vcpu": "x", "zzz": 1},
        {"name": "a", "disks": [{}]},
        1,
        None,
        {"name": "\ud800"},
    ]
    wrong += [{"name": "a", "title": value} for value in (float("nan"), 10**5000, b"a", {1}, {1: 2}, 1j, [[]])]
    for guest in wrong:
        with pytest.raises(GuestError) as expected:
            here.render(guest)
        with pytest.raises(GuestError) as found:
            there.render(guest)
        assert found.value.problems == expected.value.problems


def test_what_nobody_expected_asks_for_a_report(site: Path) -> None:
    with pytest.raises(LimitError, match=r"internal error \(TypeError.*\): please report it"):
        Engine([site], isolated=True).run(operator.neg)


def test_values_of_python(site: Path) -> None:
    class Text(str):
        __slots__ = ()

    class Mapping(dict[str, Any]):
        pass

    renderer = Engine([site], isolated=True)
    assert renderer.render(Mapping({Text("name"): Text("good"), "vcpu": True + 1, "disks": ()})) == GOOD
    with pytest.raises(GuestError, match=r"^vars.a\[0\]: object is not a value that a guest can have \[schema\]$"):
        renderer.render({"name": "good", "vars": {"a": [object()]}})
    endless: list[Any] = [Text("a")]
    endless.append(endless)
    with pytest.raises(GuestError, match=r"^vars: is nested without end \[schema\]$"):
        renderer.render({"name": "good", "vars": endless})


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'["found"]',
        b'["found", 1]',
        b'["found", [{"name": "a"}, 1]]',
        b'["found", [{"name": 1}, "<a/>"]]',
        b'["found", [{}, "<a/>"]]',
        b'["guest", [[["a", 1.5], "m", null, null, null, false, []]], 0]',
        b'["template", 1, null, null, null, [], null, []]',
        b'["other"]',
        b"[" * 99999,
        b"9" * 5000,
    ],
)
def test_answer_is_not_believed_unseen(answer: bytes, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Engine([site], isolated=True)
    monkeypatch.setattr(limited_process.LimitedProcess, "ask", lambda process, request: answer)
    with pytest.raises(LimitError, match=r"amd64.xml.j2: returns an invalid response"):
        renderer.render({"name": "good"})
    monkeypatch.undo()
    assert renderer.render({"name": "good"}) == GOOD


def test_answer_without_end_is_not_read(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Engine([site], isolated=True)
    monkeypatch.setattr(limited_process, "MOST_ANSWERED", 4)
    with pytest.raises(LimitError, match="makes more than 0 MiB for one guest"):
        renderer.render({"name": "good"})
