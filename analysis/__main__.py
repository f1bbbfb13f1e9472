"""The judge's commands: python -m analysis verify, controls, sensitivity and convert."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from analysis.controls import SeriesResult
from analysis.convert import write_history
from analysis.evidence import plural
from analysis.failures import raise_in_debug, sentence
from analysis.judging import judge_run
from analysis.library import with_options
from analysis.load import LoadedHistory, load_imported
from analysis.options import parsed
from analysis.run import Run
from analysis.sensitivity.result import Sensitivity
from analysis.stored import judge_folder, load_run
from analysis.verdict import EXIT_CODES, Judgement, worst
from history.errors import EXIT_USAGE, UserError, run_main
from history.operation import Returns
from history.run import RunFolder, find_run


class _Judged(NamedTuple):
    """What came of one PATH: `report` is a run's, `notes` are those of a history's reader."""

    judgement: Judgement
    report: Path | None = None
    notes: tuple[str, ...] = ()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give its exit code."""
    options = parsed(None if arguments is None else list(arguments))
    commands = {
        "convert": _convert,
        "verify": _verify,
        "controls": _controls,
        "sensitivity": _sensitivity,
    }
    return commands[options.command](options)


def _verify(options: argparse.Namespace) -> int:
    verdicts = []
    unreadable = False
    for path in options.paths:
        try:
            judged = _judge_path(path, options)
        except Exception as error:  # noqa: BLE001 -- told, as the exit code 2
            raise_in_debug(error)
            why = sentence(path, error)
            _say(f"gapless: {why}", to=sys.stderr)
            unreadable = True
            if options.json:
                _say(json.dumps({"run_id": path, "verdict": None, "error": why}))
            continue
        _tell(judged, as_json=options.json)
        verdicts.append(judged.judgement.verdict)
    return EXIT_USAGE if unreadable else EXIT_CODES[worst(verdicts)]


def _tell(judged: _Judged, *, as_json: bool) -> None:
    if as_json:
        notes = {"notes": list(judged.notes)} if judged.notes else {}
        _say(json.dumps(judged.judgement.to_json() | notes, ensure_ascii=False))
        return
    _say(str(judged.judgement))
    _say_notes(judged.notes)
    if judged.report:
        _say(f"  report       {judged.report}")


def _convert(options: argparse.Namespace) -> int:
    folder = _run_folder(options.source, options.reports)
    if folder is None:
        loaded = load_imported(Path(options.source), options.format)
    else:
        loaded = LoadedHistory(load_run(folder).record)
    write_history(loaded.record, options.target, force=options.force)
    _say(f"{options.target}  {plural(loaded.record.rows, 'operation')}")
    _say_notes(loaded.notes)
    return 0


def _controls(options: argparse.Namespace) -> int:
    # What draws takes longer to import than a million operations take to be judged.
    from analysis.report.lines import result_lines  # noqa: PLC0415
    from analysis.series import find_series, judge_series  # noqa: PLC0415

    def judged() -> tuple[SeriesResult, str]:
        folder = find_series(options.reports, options.folder)
        result = judge_series(folder, stored=options.stored, say=_say_progress)
        return result, f"{result_lines(result)}\n  grid  {folder.grid}"

    return _tell_series(options, judged)


def _sensitivity(options: argparse.Namespace) -> int:
    from analysis.report.sensitivity import lines  # noqa: PLC0415 -- as above
    from analysis.sensitivity.folder import find_measurement, judge_measurement  # noqa: PLC0415

    def judged() -> tuple[Sensitivity, str]:
        folder = find_measurement(options.reports, options.folder)
        result = judge_measurement(folder, say=_say_progress)
        return result, f"{lines(result)}\n\n  page  {folder.grid}"

    return _tell_series(options, judged)


def _tell_series(
    options: argparse.Namespace, judged: Callable[[], tuple[SeriesResult | Sensitivity, str]]
) -> int:
    """Judge a series of runs and tell what came of it; give the exit code."""
    try:
        result, text = judged()
    except Exception as error:  # noqa: BLE001 -- told, as the exit code 2
        raise_in_debug(error)
        why = sentence(options.folder, error)
        _say(f"gapless: {why}", to=sys.stderr)
        if options.json:
            _say(json.dumps({"series_id": options.folder, "result": None, "error": why}))
        return EXIT_USAGE
    _say(json.dumps(dataclasses.asdict(result), ensure_ascii=False) if options.json else text)
    return result.exit_code


def _say_progress(line: str) -> None:
    _say(line, to=sys.stderr)


def _say_notes(notes: Sequence[str]) -> None:
    for note in notes:
        _say(f"  note         {note}")


def _say(text: str, *, to: TextIO | None = None) -> None:
    """Print; what is not text in a file's name is printed as JSON escapes it, too."""
    print(text.encode(errors="backslashreplace").decode(), file=to)


def _judge_path(path: str, options: argparse.Namespace) -> _Judged:
    """Judge one PATH; a run's report is written, and named."""
    folder = _run_folder(path, options.reports)
    if folder is None:
        loaded = load_imported(Path(path), options.format)
        run = _as_asked(_history(Path(path), loaded, options), options)
        return _Judged(judge_run(run), notes=loaded.notes)
    own = ("initial", "final", "returns", "format")
    given = [name for name in own if getattr(options, name) is not None]
    if given:
        raise UserError(
            f"--{given[0]} is for history files: {path} is a run, which knows its own; leave it out"
        )
    run = load_run(folder, allow_unanswered=options.allow_unanswered)
    judgement = judge_folder(folder, _as_asked(run, options))
    if options.index:
        from analysis.index import write_index_around  # noqa: PLC0415 -- for its template engine

        write_index_around(folder.path)
    return _Judged(judgement, folder.report)


def _run_folder(path: str, reports: Path) -> RunFolder | None:
    """Give the run that a PATH names, by its folder or its record; None for a history file."""
    named = Path(path)
    if named.is_file():
        around = RunFolder(named.resolve().parent)
        is_its_record = named.name == around.operations.name and around.manifest.is_file()
        return around if is_its_record else None
    if not named.is_dir() and (named.exists() or named.is_symlink()):
        return None  # whatever it is, its reader says why it is no history
    is_run = any(RunFolder(folder).manifest.is_file() for folder in (named, reports / path))
    if not is_run and named.exists():
        raise UserError(
            f"{path} holds no run (no manifest.json): name a run folder or a history file"
        )
    if not is_run and named.suffix:
        raise UserError(f"{path} does not exist: name a run folder or a history file")
    return find_run(reports, path)


def _history(path: Path, loaded: LoadedHistory, options: argparse.Namespace) -> Run:
    told = loaded.returns
    if options.returns and told and options.returns != told:
        raise UserError(
            f"--returns {options.returns}: the functions named in {path} say themselves what "
            f"they answer, and its values were read as {told}; leave it out"
        )
    return Run(
        run_id=path.name,
        record=loaded.record,
        initial=options.initial or 0,
        final=options.final,
        returns=Returns(options.returns or Returns.NEW),
        allow_unanswered=options.allow_unanswered,
    )


def _as_asked(run: Run, options: argparse.Namespace) -> Run:
    return with_options(
        run,
        effect_window_ms=options.effect_window_ms,
        clock_error_ms=options.clock_error_ms,
        search_budget_s=options.search_budget_s,
    )


if __name__ == "__main__":
    run_main(main)
