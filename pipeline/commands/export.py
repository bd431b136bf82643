"""`humans4d export`: people's motion as files that other tools open."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline import backends
from pipeline.console import OUT, configure_logging
from pipeline.errors import SettingsError
from pipeline.imports import without_gc
from pipeline.result import ResultFolder

STAGE = "export"
EVERY = "all"
_ELSEWHERE = {
    "fbx": (
        "fbx: no free library writes FBX, but Blender does, from the GLB (docs/formats.md has "
        "the line to run). Export --to glb first"
    ),
    "mot": "mot is two formats: write motchallenge (boxes of a tracker) or opensim (joint angles)",
    "npz": "npz: people/person_NNN.npz in the result is one already; amass is the one with z up",
    "gltf": "gltf: write glb, which is glTF in one file",
}

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="RESULT [FORMAT|KEY=VALUE]...",
        help="The result folder; more formats; settings of formats, such as bvh.unit=m.",
        show_default=False,
    ),
]
To = Annotated[
    list[str],
    typer.Option(
        help=f"Format, or several: --to bvh glb. One of {', '.join(backends.names(STAGE))}, all.",
        show_default=False,
    ),
]
People = Annotated[str | None, typer.Option(help="Ids, such as 1,3.  [default: everybody]")]
Start = Annotated[float | None, typer.Option(help="Leave out what is before, in seconds.")]
End = Annotated[float | None, typer.Option(help="Leave out what is from here on, in seconds.")]
UpAxis = Annotated[
    Literal["y", "z"] | None, typer.Option(help="Axis that points up.  [default: the format's own]")
]
Floor = Annotated[
    bool,
    typer.Option("--floor", help="Level, on the floor; first person above the origin."),
]
Body = Annotated[
    str | None, typer.Option(help="SMPL file, if the one that the result was made with has moved.")
]
Out = Annotated[
    Path | None, typer.Option("-o", "--output", help="Folder.  [default: export/ in the result]")
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the log.")]


@dataclass(frozen=True)
class _Asked:
    """What the words on the command line mean."""

    result: Path
    formats: tuple[str, ...]
    options: dict[str, dict[str, Any]]


def export_command(
    words: Words,
    to: To,
    people: People = None,
    start: Start = None,
    end: End = None,
    up: UpAxis = None,
    floor: Floor = False,
    body: Body = None,
    output: Out = None,
    verbose: Verbose = False,
) -> int:
    """Write people's motion for Blender, game engines, OpenSim, and other programs."""
    configure_logging(verbose=verbose)
    asked = _sorted_out(words, to)
    ids = _ids(people)
    folder = ResultFolder(asked.result)
    report = folder.read_report()
    with without_gc():
        from pipeline.commands.view import tell_events
        from pipeline.context import Context
        from pipeline.exporting import Part, export, read_take
        from pipeline.levelling import floor_of

    context = Context(body_model=body or report["settings"]["body"]["model"])
    take = read_take(folder, Part(ids, start, end), context)
    out = output or folder.path / STAGE
    how: dict[str, Any] = {"up": up, "options": asked.options}
    if floor:  # that of the whole result, whatever part of it is exported
        how["floor"] = floor_of(read_take(folder, Part(), Context(body_model=context.body_model)))
    written = export(take, asked.formats, out, context, **how)
    for name, paths in written.items():
        OUT.print(_line(name, paths), highlight=False, markup=False, soft_wrap=True)
    tell_events(context)
    return 0


def _line(name: str, paths: list[Path]) -> str:
    size_mb = sum(path.stat().st_size for path in paths) / 1e6
    if len(paths) == 1:
        return f"{name}: {paths[0]} ({size_mb:.2f} MB)"
    return f"{name}: {len(paths)} files in {_shared(paths)} ({size_mb:.2f} MB)"


def _shared(paths: list[Path]) -> Path:
    """The folder that holds them all."""
    folders = {path.parent for path in paths}
    return folders.pop() if len(folders) == 1 else next(iter(folders)).parent


def _sorted_out(words: Iterable[str], to: Iterable[str]) -> _Asked:
    """Tell formats, settings and the result folder apart (`--to a b` leaves b among the words)."""
    known = backends.names(STAGE)
    formats = [part for text in to for part in text.split(",") if part]
    settings, folders = [], []
    for word in words:
        if word in (*known, *_ELSEWHERE, EVERY) and not (Path(word) / "run.json").exists():
            formats.append(word)
        elif "=" in word:
            settings.append(word)
        else:
            folders.append(word)
    if not folders:
        raise SettingsError("no result folder given, such as outputs/dance")
    if len(folders) > 1:
        raise SettingsError(
            f"'{folders[1]}' is neither a format nor a setting. Formats: {', '.join(known)}"
        )
    if EVERY in formats:
        formats = known
    for name in formats:
        if name in _ELSEWHERE:
            raise SettingsError(_ELSEWHERE[name])
        if name not in known:
            raise SettingsError(f"--to {name}: unknown format. Known: {', '.join(known)}")
    return _Asked(Path(folders[0]), tuple(dict.fromkeys(formats)), _options(settings, formats))


def _options(settings: Iterable[str], formats: Iterable[str]) -> dict[str, dict[str, Any]]:
    from pipeline.text_files import TextError, parse_yaml

    options: dict[str, dict[str, Any]] = {}
    for text in settings:
        key, _, value = text.partition("=")
        name, dot, setting = key.partition(".")
        if not dot or name not in formats:
            raise SettingsError(
                f"'{text}': write FORMAT.SETTING=VALUE for a format that is exported, "
                "such as bvh.unit=m"
            )
        try:
            options.setdefault(name, {})[setting] = parse_yaml(value)
        except TextError as error:
            raise SettingsError(f"'{text}': the value is not valid YAML") from error
    return options


def _ids(people: str | None) -> tuple[int, ...] | None:
    if people is None:
        return None
    try:
        return tuple(int(part) for part in people.split(","))
    except ValueError as error:
        text = f"--people {people}: write ids with commas between them, such as 1,3"
        raise SettingsError(text) from error
