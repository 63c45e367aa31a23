"""Hostile YAML: configurations, PySOT files, recipes and rigs of any wrong shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from judge import Case, command

OWN = "model: {backbone: {type: alexnet}}\n"
NARROW = (
    "model: {backbone: {type: mobilenetv2, levels: %s, width: 0.25}, neck: {channels: [8, 8], crop: true}, "
    "head: {type: rpn, channels: 8}}\n"
)
PYSOT = "BACKBONE: {TYPE: resnet50, KWARGS: {used_layers: [2, 3, 4]}}\n"
RUNS = "!!python/object/apply:os.system ['touch MARK']"

# What any file of YAML may be; each is tried as a configuration, and some as a recipe and as a rig.
ANY = {
    "empty": "",
    "a text": "weights",
    "a number": "3",
    "a list": "- a\n- b\n",
    "several documents": "a: 1\n---\nb: 2\n",
    "a tab": "a:\n\t- b\n",
    "code": f"name: {RUNS}\n",
    "code as a key": f"? {RUNS}\n: 1\n",
    "code in a list": f"a: [{RUNS}]\n",
    "a module": "name: !!python/module:antigravity\n",
    "an object": "name: !!python/object/new:pathlib.Path [x]\n",
    "an unknown tag": "name: !ruby/object {}\n",
    "numbers as keys": "1: 2\n",
    "nothing as a key": "~: 2\n",
    "a list as a key": "? [a]\n: 1\n",
    "no such date": "name: 2001-99-99\n",
    "a number of 5000 digits": f"name: {'9' * 5000}\n",
    "nested 20,000 deep": "a: " + "[" * 20_000 + "]" * 20_000,
    "mappings nested deep": "{a: " * 5000 + "1" + "}" * 5000,
    "a billion laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "an anchor in itself": "a: &a [*a]\n",
    "an alias of nothing": "a: *b\n",
    "latin letters": "name: caf\xe9\n",
    "zero bytes": "name: a\0b\n",
    "a key twice": "name: a\nname: b\n",
    "a key twice inside": "model: {backbone: {type: alexnet, type: resnet50}}\n",
    "a merge of numbers": "a: {<<: [1, 2]}\n",
    "a merge that grows": "a0: &a0 {x: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: [{f'*a{n - 1}, ' * 9}]}}\n" for n in range(1, 9)),
    "half of UTF-16": "\xff\xfea\0:",
    "UTF-16": "name: a\n".encode("utf-16").decode("latin-1"),
    "2 MB": f"name: {'x' * 2_000_000}\n",
    "sixty times sixty": f"name: {'1:' * 20_000}1\n",
    "sixty times a fraction": f"name: {'1:' * 20_000}1.5\n",
    "letters that are none": 'name: "\\ud800"\n',
    "a letter beyond all": 'name: "\\UFFFFFFFF"\n',
    "another version": "%YAML 9.9\n---\na: 1\n",
    "a tag by another name": "%TAG ! tag:yaml.org,2002:python/\n---\nname: !object/apply:os.system ['touch MARK']\n",
    **{
        f"{tag} that is none": f"name: !!{tag} x\n"
        for tag in ("bool", "int", "float", "timestamp", "binary", "map", "seq")
    },
    **{f"{tag} of numbers": f"name: !!{tag} [1]\n" for tag in ("set", "omap", "pairs", "str")},
    "an int without digits": "name: !!int ''\n",
    "a value of its own": "name: =\n",
}
CONFIGURATIONS = {
    "a name that is a path": f"name: /tmp/T\n{OWN}",
    "a name that leads out": f"name: ../../x\n{OWN}",
    "a name of two lines": f'name: "a\\nb"\n{OWN}',
    "a list as name": f"name: [a]\n{OWN}",
    "a text as model": "model: alexnet\n",
    "a list as backbone": "model: {backbone: []}\n",
    "an infinite width": "model: {backbone: {type: mobilenetv2, levels: [3], width: .inf}}\n",
    "a word as penalty": f"tracking: {{penalty: much}}\n{OWN}",
    "NaN as penalty": f"tracking: {{penalty: .nan}}\n{OWN}",
    "a billion as instance": f"tracking: {{instance: 1000000000}}\n{OWN}",
    "no anchors": f"anchors: {{ratios: []}}\n{OWN}",
    "two rows of a homography": f"thermal: {{homography: [[1, 0, 0], [0, 1, 0]]}}\n{OWN}",
}
# Found when the network first computes, and said of the configuration.
IMPOSSIBLE = {
    "levels of two strides": f"{NARROW % '[2, 3]'}",
    "an exemplar of one px": f"{NARROW % '[3, 5]'}tracking: {{exemplar: 1}}\n",
    "an exemplar that is too small": f"{NARROW % '[3, 5]'}tracking: {{exemplar: 31}}\n",
    "a search that is too small": f"{NARROW % '[3, 5]'}tracking: {{instance: 60}}\n",
    "a search smaller than its exemplar": f"{NARROW % '[3, 5]'}tracking: {{exemplar: 255, instance: 127}}\n",
}
SHAPES = ("text", "3", "[1, 2]", "true")
PYSOTS = {
    **{
        f"{part}: {shape}": f"{PYSOT}{part}: {shape}\n"
        for part in ("TRACK", "ANCHOR", "MASK", "RPN")
        for shape in SHAPES
    },
    "a text as BACKBONE": "BACKBONE: resnet50\n",
    "a list as TYPE": "BACKBONE: {TYPE: [resnet50]}\n",
    "a text as KWARGS": "BACKBONE: {TYPE: resnet50, KWARGS: layers}\n",
    "ADJUST without KWARGS": f"{PYSOT}ADJUST: {{ADJUST: true}}\n",
    "no in_channels": f"{PYSOT}RPN: {{KWARGS: {{in_channels: []}}}}\n",
}


def _case(kind: str, name: str, text: str, named: str = "stranger") -> Case:
    def make(folder: Path) -> Callable[[], None]:
        file = folder / "stranger.yaml"
        file.write_bytes(text.encode("latin-1"))
        return {
            "configuration": command("track", "--config", file, "--weights", "untrained", "--sequence", "drawn:street"),
            "recipe": command("train", file, "--output", folder / "run"),
            "rig": command("rig", "check", "--rig", file, "--rgb", "a.mp4", "--ir", "b.mp4"),
        }[kind]

    return Case(f"{kind}: {name}", make, named)


def cases() -> list[Case]:
    """Every one is refused with the name of its file."""
    configurations = [_case("configuration", *item) for item in {**ANY, **CONFIGURATIONS, **PYSOTS}.items()]
    configurations += [_case("configuration", *item, "configuration's network") for item in IMPOSSIBLE.items()]
    return configurations + [_case("recipe", *item) for item in ANY.items()]
