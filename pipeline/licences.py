"""The licence bill of a run: which code, weights and body it used, and what they allow."""

from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline import weights
from pipeline.backends import BackendConfig
from pipeline.chosen import Chosen
from pipeline.context import Context
from pipeline.obtain import optional_weights
from pipeline.weights_kinds import Fetched


@dataclass(frozen=True)
class Licence:
    """One thing a run used."""

    what: str
    licence: str
    commercial: bool
    """False: research or non-commercial use only."""
    copyleft: bool = False
    """True: what you distribute with it falls under the same licence (GPL, AGPL)."""


OWN = Licence("humans4d", "Apache-2.0", commercial=True)
LOOK_ENCODER = Licence(
    "weights phalp-appearance", weights.row("phalp-appearance").licence, commercial=False
)
EMBEDDED_BODY = Licence("embedded body (MakeHuman assets)", "CC0-1.0", commercial=True)


def licence_bill(do: Chosen, context: Context) -> dict[str, Any]:
    """All that this run uses, and one sentence on what that allows.

    A backend that brings weights or packages under other terms says so in its module's `LICENCES`,
    or in `licences(config)` where that depends on its settings.
    """
    used = [OWN, _body_licence(context.body_model)]
    for stage, module in do.modules().items():
        config = do.config(stage)
        found = (*_of(module, config), *_fetched(stage, do.names[stage], module, config))
        used += [licence for licence in found if licence not in used]
    if do.look_source is not None and do.look_source.name == "encoder":
        used.append(LOOK_ENCODER)
    return {"verdict": _verdict(used), "used": [asdict(licence) for licence in used]}


def _of(module: ModuleType, config: BackendConfig) -> tuple[Licence, ...]:
    by_settings = module.licences(config) if hasattr(module, "licences") else ()
    return (*getattr(module, "LICENCES", ()), *by_settings)


def _fetched(stage: str, backend: str, module: ModuleType, config: BackendConfig) -> list[Licence]:
    """Weights that the project fetches itself; it fetches only what is free for any use.

    Optional ones are used where they are here and the backend wants them as configured.
    """
    wanted = optional_weights(module, config)
    return [
        Licence(f"weights {row.name}", row.licence, commercial=True)
        for row in weights.used_by(stage, backend)
        if isinstance(row.source, Fetched)
        and (not row.optional or (row.name in wanted and weights.is_present(row)))
    ]


def _body_licence(body_model: str) -> Licence:
    if body_model == "embedded":
        return EMBEDDED_BODY
    name = f"body model {Path(body_model).name}"
    return Licence(name, "as its owner says; SMPL's is non-commercial", commercial=False)


def _verdict(used: list[Licence]) -> str:
    closed = [licence.what for licence in used if not licence.commercial]
    if closed:
        return f"not for commercial use: {', '.join(closed)}"
    copyleft = [licence.what for licence in used if licence.copyleft]
    if copyleft:
        return f"commercial use allowed under copyleft terms: {', '.join(copyleft)}"
    return "free for any use, commercial too"
