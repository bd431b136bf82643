"""Pages that hold all they need: data, arrays and scripts in one file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.viewer.blob import Blob


def filled_page(
    template: str,
    scripts: Sequence[str],
    facts: Mapping[str, Any],
    blob: Blob,
    **words: str | Markup,
) -> str:
    """A page of this folder's template.

    Args:
        template: its file name.
        scripts: file names of the JavaScript, in order.
        facts: plain values for the scripts.
        blob: arrays for the scripts.
        words: what else the template shows; text is escaped, `Markup` is not.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.viewer", "."), autoescape=True, undefined=StrictUndefined
    )
    folder = Path(__file__).parent
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in scripts)
    return environment.get_template(template).render(
        facts_json=Markup(json.dumps(facts, allow_nan=False).replace("<", "\\u003c")),
        arrays=Markup(blob.base64),
        script=Markup(script),
        **words,
    )
