"""Hostile workspaces of the VOT toolkit: every file that a stranger may have written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

from documents import ANY, RUNS
from judge import Case, command

CONFIG = "registry: [./trackers.ini]\nstack: ./stack.yaml\nsequences: ./sequences\n"
STACK = "title: x\nexperiments:\n  baseline:\n    type: rgbt_tracker.vot.experiment.ResetExperiment\n"
COMMAND = "from rgbt_tracker.vot.adapter import main; main(config='nestfuse_nanotrack', threads=1)"
ROW = f"[T]\nlabel = T\nprotocol = traxpython\ncommand = {COMMAND}\n"

CONFIGS = {
    "no stack": "registry: [./trackers.ini]\nsequences: ./sequences\n",
    "a number as stack": CONFIG.replace("./stack.yaml", "3"),
    "no such stack": CONFIG.replace("./stack.yaml", "absent.yaml"),
    "a list as sequences": CONFIG.replace("./sequences", "[a]"),
    "no such sequences": CONFIG.replace("./sequences", "./absent"),
    "a text as registry": CONFIG.replace("[./trackers.ini]", "x"),
    "an unknown key": CONFIG + "surprise: 1\n",
}
STACKS = {
    "no experiments": "title: x\n",
    "a list of experiments": "experiments: [a]\n",
    "a text as experiment": "experiments: {baseline: x}\n",
    "no type": "experiments: {baseline: {repetitions: 3}}\n",
    "a module as type": STACK.replace("rgbt_tracker.vot.experiment.ResetExperiment", "stranger.Runs"),
    "os.system as type": STACK.replace("rgbt_tracker.vot.experiment.ResetExperiment", "os.system"),
    "no such class": STACK.replace("ResetExperiment", "Absent"),
    "a module as analysis": STACK + "    analyses: [{type: stranger.Runs}]\n",
    "a module as transformer": STACK + "    transformers: [{type: stranger.Runs}]\n",
    "an experiment that leads out": STACK.replace("baseline", "../../x"),
    "minus one repetition": STACK + "    repetitions: -1\n",
    "a word as repetitions": STACK + "    repetitions: many\n",
    "an unknown key": STACK + "    surprise: 1\n",
    "code as repetitions": STACK + f"    repetitions: {RUNS}\n",
}
TRACKERS = {
    "empty": "",
    "no section": "label = T\n",
    "doubled sections": ROW + ROW,
    "doubled keys": ROW + "label = U\n",
    "a percent sign": ROW + "note = 100%\n",
    "no command": "[T]\nlabel = T\nprotocol = traxpython\n",
    "an empty command": ROW.replace(COMMAND, ""),
    "another command": ROW.replace(COMMAND, "import os; os.system('touch MARK')"),
    "code beside the call": ROW.replace("main(config", "open('MARK', 'w'); main(config"),
    "code as argument": ROW.replace("threads=1", "threads=exec(\"open('MARK', 'w')\")"),
    "nested brackets": ROW.replace("threads=1", "threads=" + "(" * 300 + "1" + ")" * 300),
    "a million threads": ROW.replace("threads=1", "threads=1000000"),
    "minus one thread": ROW.replace("threads=1", "threads=-1"),
    "a word as threads": ROW.replace("threads=1", "threads='many'"),
    "a list as config": ROW.replace("'nestfuse_nanotrack'", "[1]"),
    "an unknown argument": ROW.replace("threads", "treads"),
}
LISTS = {
    "an empty list": "\n",
    "a name that leads out": "../../x\n",
    "a path": "/etc\n",
    "no such sequence": "b\n",
    "a name of control letters": "a\x07\n",
}


@cache
def drawn(place: Path) -> Path:
    """A small sequence in the VOT layout, written once."""
    from rgbt_tracker.sequences.vot_folder import write_vot
    from rgbt_tracker.synthetic import draw_sequence

    sequence = draw_sequence("street", length=4, size=(96, 72))
    sequence.info.name = "a"
    return write_vot(sequence, place)


def write(folder: Path, **files: str) -> None:
    """A sound workspace with some of its files as given."""
    for name, text in {"config.yaml": CONFIG, "stack.yaml": STACK, "trackers.ini": ROW, **files}.items():
        (folder / name).write_bytes(text.encode("latin-1"))
    (folder / "stranger.py").write_text("open('MARK', 'w').close()\nclass Runs: pass\n")


def _case(file: str, name: str, text: str, place: Path) -> Case:
    def make(folder: Path) -> Callable[[], None]:
        shutil.copytree(drawn(place), folder / "sequences" / "a")
        (folder / "sequences" / "list.txt").write_bytes(text.encode() if file == "list.txt" else b"a\n")
        write(folder, **({} if file == "list.txt" else {file: text}))
        return command("vot", "evaluate", "T", "--workspace", folder)

    return Case(f"{file}: {name}", make)


def cases(place: Path) -> list[Case]:
    """Every one is refused; ``place`` holds the drawn sequence meanwhile."""
    any_yaml = {name: text for name, text in ANY.items() if name not in ("zero bytes",)}
    kinds = {"config.yaml": {**any_yaml, **CONFIGS}, "stack.yaml": {**ANY, **STACKS}}
    kinds |= {"trackers.ini": TRACKERS, "list.txt": LISTS}
    return [_case(file, name, text, place) for file, texts in kinds.items() for name, text in texts.items()]
