"""Checks of trusted platform modules."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Problem

PROXY = "spapr-tpm-proxy"
SPAPR = ("tpm-spapr", PROXY)
NOT_OF_1_2 = ("tpm-crb", "tpm-spapr")


def one_tpm(context: Context, architecture: Context) -> Iterator[Problem]:
    """There is one TPM, and one proxy at most beside it."""
    for what, proxy in (("TPM", False), ("TPM proxy", True)):
        found = [number for number, tpm in enumerate(context["tpms"]) if (tpm.get("model") == PROXY) is proxy]
        for number in found[1:]:
            said = f"a guest has one {what}, and that is tpms[{found[0]}]"
            yield Problem(("tpms", number), said, related=(("tpms", found[0]),))


def tpm_models(context: Context, architecture: Context) -> Iterator[Problem]:
    """The TPM is one that the architecture can have, and a proxy leads to the host's module."""
    for number, tpm in enumerate(context["tpms"]):
        model, kind = tpm.get("model"), dig(tpm, "backend", "type")
        if context["arch"] == "s390x":
            yield Problem(("tpms", number), "s390x has no TPM", related=(("arch",),))
        elif model and (model in SPAPR) is not (context["arch"] == "ppc64le"):
            said = f"{model} is not for {context['arch']}"
            yield Problem(("tpms", number, "model"), said, related=(("arch",),))
        if model == PROXY and kind and kind != "passthrough":
            yield Problem(("tpms", number, "backend", "type"), f"{kind} is not for a TPM proxy: only passthrough is")


def tpm_versions(context: Context, architecture: Context) -> Iterator[Problem]:
    """An emulator has version 1.2 only for model tpm-tis, and not on arm64."""
    for number, tpm in enumerate(context["tpms"]):
        model, backend = tpm.get("model"), tpm.get("backend") or {}
        if backend.get("type") != "emulator" or dig(backend, "version") != "1.2":
            continue
        wrong = f"model {model}" if model in NOT_OF_1_2 else ""
        wrong = wrong or (context["arch"] if context["arch"] in ("arm64", "ppc64le") else "")
        if wrong:
            yield Problem(("tpms", number, "backend", "version"), f"1.2 is not for {wrong}: only 2.0 is")


CHECKS: Checks = {one_tpm: ("tpms",), tpm_models: ("tpms",), tpm_versions: ("tpms",)}
