"""Guests just inside and just outside of each check of TPMs."""

from __future__ import annotations

from check_cases import Case

CASES: list[Case] = [
    ("one_tpm", {"tpms": [{}]}, {"tpms": [{}, {}]}, "tpms[1]: a guest has at most one TPM, and tpms[0] is one"),
    (
        "one_tpm",
        {"arch": "ppc64le", "tpms": [{"model": "spapr-tpm-proxy", "backend": "passthrough"}, {}]},
        {
            "arch": "ppc64le",
            "tpms": [
                {"model": "spapr-tpm-proxy", "backend": "passthrough"},
                {"model": "spapr-tpm-proxy", "backend": "passthrough"},
            ],
        },
        "tpms[1]: a guest has at most one TPM proxy, and tpms[0] is one",
    ),
    (
        "tpm_models",
        {"tpms": [{"model": "tpm-tis"}]},
        {"tpms": [{"model": "tpm-spapr"}]},
        "tpms[0].model: tpm-spapr is not for amd64",
    ),
    (
        "tpm_models",
        {"arch": "ppc64le", "tpms": [{"model": "tpm-spapr"}]},
        {"arch": "ppc64le", "tpms": [{"model": "tpm-tis"}]},
        "tpms[0].model: tpm-tis is not for ppc64le",
    ),
    ("tpm_models", {"arch": "riscv64", "tpms": [{}]}, {"arch": "s390x", "tpms": [{}]}, "tpms[0]: s390x has no TPM"),
    (
        "tpm_models",
        {"arch": "ppc64le", "tpms": [{"model": "spapr-tpm-proxy", "backend": "passthrough"}]},
        {"arch": "ppc64le", "tpms": [{"model": "spapr-tpm-proxy"}]},
        "tpms[0].backend.type: emulator is not for a TPM proxy: only passthrough is",
    ),
    (
        "tpm_versions",
        {"tpms": [{"model": "tpm-tis", "backend": {"version": "1.2"}}]},
        {"tpms": [{"model": "tpm-crb", "backend": {"version": "1.2"}}]},
        "tpms[0].backend.version: 1.2 is not for model tpm-crb: only 2.0 is",
    ),
    (
        "tpm_versions",
        {"arch": "arm64", "tpms": [{"backend": {"version": "2.0"}}]},
        {"arch": "arm64", "tpms": [{"backend": {"version": "1.2"}}]},
        "tpms[0].backend.version: 1.2 is not for arm64: only 2.0 is",
    ),
    (
        "tpm_architectures",
        {"arch": "riscv64", "tpms": [{"backend": {"version": "2.0"}}]},
        {"arch": "riscv64", "tpms": [{"backend": {"version": "1.2"}}]},
        "tpms[0].backend.version: 1.2 is not for riscv64: only 2.0 is",
    ),
    (
        "tpm_architectures",
        {"libvirt": "11.0", "arch": "loongarch64", "tpms": [{"backend": {"version": "1.2"}}]},
        {"arch": "loongarch64", "tpms": [{"backend": {"version": "1.2"}}]},
        "tpms[0].backend.version: 1.2 is not for loongarch64: only 2.0 is",
    ),
]
