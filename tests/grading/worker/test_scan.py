"""What a reading of a notebook reports, and what it leaves alone."""

from __future__ import annotations

import inspect
import sys
import textwrap

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from rnncourse.checks.plan import plan_of
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls
from rnncourse.grading.worker.scan import MAX_FLAGS, read_cells
from tests.grading.sandboxes import needs_sandbox
from tools import answers
from tools.answers import known, right
from tools.demonstration.learners import solutions

ANSWERS = answers.solutions("lstm").sources
READY_MADE = {name: plan_of(name).forbidden_calls for name in ANSWERS}
START = "import torch\nfrom torch import nn\nfrom rnncourse import check, fill"
HONEST = "@fill\ndef lstm_cell(x, h, c, *weights):\n    return torch.sigmoid(x), c"


def flags(*cells: str) -> list[str]:
    """What is reported of lstm_cell."""
    return read_cells(cells, READY_MADE, TransformerManager().transform_cell).flags.get(
        "lstm_cell", []
    )


def answer(body: str, name: str = "lstm_cell", parameters: str = "x, h, c, *weights") -> str:
    return f"@fill\ndef {name}({parameters}):\n" + textwrap.indent(body, "    ")


def uses(name: str) -> str:
    return f"it uses {name}, the ready-made answer"


# ------------------------------------------------------------------ nothing to report


def test_honest_answers_are_left_alone() -> None:
    cells = [START, *solutions().values()]
    assert read_cells(cells, READY_MADE, str).flags == {}


@pytest.mark.parametrize("exercise", READY_MADE)
def test_other_styles_and_mistakes_are_left_alone(exercise: str) -> None:
    found = [right("lstm", exercise), known("lstm", exercise)]
    for function in (entry.function for entries in found for entry in entries):
        source = textwrap.dedent(inspect.getsource(function))
        lines = [line for line in source.splitlines() if not line.startswith("@")]
        cell = "@fill\n" + "\n".join(lines).replace(function.__name__, exercise, 1)
        assert read_cells([START, cell], {exercise: READY_MADE[exercise]}, str).flags == {}


@pytest.mark.parametrize(
    "cell",
    [
        "theirs = nn.LSTMCell(3, 4)\nh, c = theirs(torch.ones(2, 3))\nlstm_cell(h, h, c) - h",
        "torch.testing.assert_close(lstm_cell(1, 2, 3), nn.LSTM(3, 4)(x)[0])",
        "def compare():\n    check(lstm_cell)\n    return nn.LSTMCell(3, 4)\ncompare()",
        "x = nn.LSTM\nh = torch.lstm_cell\nweights = [nn.LSTM]",
        "for f in (lstm_cell, nn.LSTM): print(f)",
        "fill(lstm_cell)\ncheck(lstm_cell)\n%time check(lstm_cell)",
        "import sys\nif 'google.colab' in sys.modules:\n    %pip install rnncourse",
        "%matplotlib inline\n!nvidia-smi\nlen?\nfiles = !ls\n%timeit lstm_cell(1, 2, 3)",
        "import gc, os\ngc.collect()\nos.getcwd()\nopen('notes.txt', 'w')",
        "torch.backends.cudnn.deterministic = True\ntorch.set_default_dtype(torch.float32)",
        "x = (",
        "\0",
        "(" * 5000,
        "class A:\n    def lstm(self):\n        return getattr(self, 'a' + 'b')",
        "raise NotImplementedError",
        "'torch.nn.LSTM'\n# torch.lstm_cell",
    ],
    ids=lambda cell: cell[:30].replace("\0", "0"),
)
def test_scratch_cells_are_left_alone(cell: str) -> None:
    assert flags(START, HONEST, cell) == []


@pytest.mark.parametrize(
    "body",
    [
        '"""Like torch.nn.LSTM."""\nreturn x',
        "nn = x\nreturn nn.LSTM",
        "return [torch.cat for torch in x]",
        "def lstm(y):\n    return y\nreturn lstm(x)",
        "lstm_cell = x\nreturn lstm_cell.LSTMCell",
        "return self.lstm(x)",
        "return torch.nn.functional.linear(x, h), torch.nn.utils.rnn.pad_sequence(x)",
        "return getattr(x, 'ta' + 'nh')()",
    ],
)
def test_names_that_only_look_like_it_are_left_alone(body: str) -> None:
    assert flags(START, answer(body)) == []


def test_the_courses_own_nn_is_not_torchs() -> None:
    start = "import torch\nfrom rnncourse import fill, nn"
    assert flags(start, answer("return nn.LSTM(3, 4)(x)")) == []


def test_what_is_ready_made_for_one_exercise_may_serve_another() -> None:
    cells = [START, answer("return torch.nn.LSTM", "pack_gates")]
    assert read_cells(cells, READY_MADE, str).flags.keys() == {
        "lstm_cell",  # nobody defines them here, so all code counts
        "lstm_layer",
    }
    assert flags(HONEST, *cells) == []


# ------------------------------------------------------------------ ready-made answers


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ([answer("return torch.lstm_cell(x, (h, c), *weights)")], "torch.lstm_cell"),
        ([answer("return torch.nn.LSTMCell(3, 4)(x)")], "torch.nn.LSTMCell"),
        ([answer("return nn.LSTM(3, 4)(x)")], "torch.nn.LSTM"),
        ([answer("return nn.modules.rnn.LSTM(3, 4)(x)")], "torch.nn.modules.rnn.LSTM"),
        (["import torch as t", answer("return t._VF.lstm(x)")], "torch._VF.lstm"),
        (["from torch import lstm_cell as f", answer("return f(x)")], "torch.lstm_cell"),
        (["from torch.nn import *", answer("return LSTMCell(3, 4)")], "torch.nn.LSTMCell"),
        ([answer("import torch.nn as n\nreturn n.LSTM(3, 4)")], "torch.nn.LSTM"),
        ([answer("from torch import lstm\nreturn lstm(x)")], "torch.lstm"),
        (["t = torch\nn = t.nn", answer("return n.LSTM(3, 4)")], "torch.nn.LSTM"),
        (
            [answer("return torch.ops.aten.lstm_cell.default(x)")],
            "torch.ops.aten.lstm_cell.default",
        ),
        (
            [answer("return torch._C._VariableFunctions.lstm_cell(x)")],
            "torch._C._VariableFunctions.lstm_cell",
        ),
        ([answer("return torch._thnn_fused_lstm_cell(x)")], "torch._thnn_fused_lstm_cell"),
        ([answer("return getattr(torch, 'lstm_cell')(x)")], "torch.lstm_cell"),
        ([answer("return getattr(torch, 'nn').LSTM(3, 4)")], "torch.nn.LSTM"),
        ([answer("return op(x)", parameters="x, op=torch.lstm_cell")], "torch.lstm_cell"),
        ([answer("return (lambda y: torch.lstm(y))(x)")], "torch.lstm"),
        ([answer("return [torch.lstm(y) for y in x]")], "torch.lstm"),
        ([answer("def inner(): return torch.lstm(x)\nreturn inner()")], "torch.lstm"),
        ([answer("return torch.ｌｓｔｍ(x)")], "torch.lstm"),
        ([answer("return getattr(torch, 'lst' + 'm')(x)")], "torch.lstm"),
        (["import sys", answer("return sys.modules['torch'].lstm(x)")], "torch.lstm"),
        (["import sys\nt = sys.modules.get('torch')", answer("return t.lstm(x)")], "torch.lstm"),
        ([answer("return eval('torch.lstm')(x)")], "torch.lstm"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_ready_made_answers_are_reported_however_they_are_written(
    cells: list[str], name: str
) -> None:
    assert flags(START, *cells) == [uses(name)]


@pytest.mark.parametrize(
    "helper",
    [
        "def go(*a): return torch.lstm_cell(*a)",
        "def deeper(*a): return torch.lstm_cell(*a)\ndef go(*a): return deeper(*a)",
        "go = lambda *a: torch.lstm_cell(*a)",
        "go = torch.lstm_cell",
        "go, other = torch.lstm_cell, 3",
        "for go in (torch.lstm_cell,): pass",
        "with open('a') as f: go = torch.lstm_cell",
        "if True:\n    def go(*a): return torch.lstm_cell(*a)",
        "try: go = torch.lstm_cell\nexcept Exception: pass",
        "print(go := torch.lstm_cell)",
        "class C:\n    def __call__(self, *a): return torch.lstm_cell(*a)\ngo = C()",
        "class go:\n    from torch import lstm_cell",
        "class C: pass\ngo = C()\ngo.f = torch.lstm_cell",
        "go = []\ngo.append(torch.lstm_cell)",
        "go = {}\ngo['f'] = torch.lstm_cell",
        "class C: pass\ngo = C()\nsetattr(go, 'f', torch.lstm_cell)",
        "def prepare():\n    global go\n    go = torch.lstm_cell\nprepare()",
        "def wrap(f): return lambda *a: f(*a)\ngo = wrap(torch.lstm_cell)",
        "%time go = torch.lstm_cell",
        "%%time\ndef go(*a):\n    return torch.lstm_cell(*a)",
        "%%capture\n%time go = torch.lstm_cell",
        "match 3:\n    case 3: go = torch.lstm_cell",
    ],
)
def test_what_an_answer_reaches_by_name_counts(helper: str) -> None:
    assert flags(START, helper, answer("return go(x)")) == [uses("torch.lstm_cell")]
    assert flags(START, answer("return go(x)"), helper) == [uses("torch.lstm_cell")]
    assert flags(START, helper, HONEST) == []


@pytest.mark.parametrize(
    "cell",
    [
        "def other(*a): return torch.lstm_cell(*a)\nother.__name__ = 'lstm_cell'\nfill(other)",
        "def other(*a): return torch.lstm_cell(*a)\nf = fill\nf(other)",
        "import rnncourse\ndef other(*a): return torch.lstm_cell(*a)\nrnncourse.fill(other)",
        "def other(*a): return torch.lstm_cell(*a)\nlist(map(fill, [other]))",
        "def make(op):\n    @fill\n    def lstm_cell(x): return op(x)\nmake(torch.lstm_cell)",
        "class C:\n    @fill\n    def lstm_cell(x): return torch.lstm_cell(x)",
        "lstm_cell = fill(torch.lstm_cell)",
    ],
)
def test_answers_that_are_filled_in_by_other_ways_are_found(cell: str) -> None:
    assert uses("torch.lstm_cell") in flags(START, cell)
    assert uses("torch.lstm_cell") in flags(START, HONEST, cell)


def test_a_changed_function_is_followed() -> None:
    change = "def other(*a): return torch.lstm_cell(*a)\nlstm_cell.__code__ = other.__code__"
    assert uses("torch.lstm_cell") in flags(START, HONEST, change)
    replaced = flags(START, HONEST, "torch.sigmoid = lambda x: torch.lstm_cell(x)")
    assert replaced[0] == uses("torch.lstm_cell")
    assert replaced[1] == "a cell replaces torch.sigmoid, which can change what is graded"


def test_one_use_is_reported_once() -> None:
    layer = answer("return lstm_cell(x, h0, c0)", "lstm_layer", "x, h0, c0, *weights")
    cells = [START, answer("return torch.lstm_cell(x)"), layer]
    assert read_cells(cells, READY_MADE, str).flags.keys() == {"lstm_cell"}
    detour = [START, HONEST, answer("return torch.lstm(x)", "pack_gates")]
    detour += [layer.replace("lstm_cell", "pack_gates")]
    assert read_cells(detour, READY_MADE, str).flags == {"lstm_layer": [uses("torch.lstm")]}


# ------------------------------------------------------------------ means that hide or tamper


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("import keras\nreturn keras.ops.tanh(x)", "keras.ops.tanh"),
        ("return torch.jit.load('own.pt')(x)", "torch.jit.load"),
        ("return torch.load('own.pt')(x)", "torch.load"),
    ],
)
def test_what_an_answer_brings_in_is_reported(body: str, name: str) -> None:
    assert f"it uses {name}, which is not looked into" in flags(START, answer(body))
    unreached = answer(body, "somewhere_else").replace("@fill\n", "")
    assert flags(START, HONEST, unreached) == []


@pytest.mark.parametrize(
    "body",
    [
        "return globals()['gates'](x)",
        "return getattr(torch, activation)(x)",
        "modules = [torch.nn.functional]\nreturn modules[0].linear(x, h)",
        "from operator import methodcaller\nreturn methodcaller('tanh')(x)",
        "return torch.sigmoid.__dict__ or vars(torch)['tanh'](x)",
        "import inspect\nreturn inspect.signature(lstm_cell)",
    ],
)
def test_what_is_called_need_not_be_named_as_it_is_seen_when_it_runs(body: str) -> None:
    assert flags(START, answer(body)) == []


@pytest.mark.parametrize(
    ("cell", "means"),
    [
        ("eval('torch.lst' + name)", "uses eval"),
        ("exec('y = 1')", "uses exec"),
        ("__import__('to' + 'rch')", "uses __import__"),
        ("import os\nos.write(3, b'')", "uses os.write"),
        ("f = open(3, 'wb')", "opens a file by its number"),
        ("f = open(1 + 2, 'wb')", "opens a file by its number"),
        ("import ctypes\nctypes.CDLL(None)", "uses ctypes"),
        ("import gc\ngc.get_objects()", "uses gc.get_objects"),
        ("import sys\nsys._getframe()", "uses sys._getframe"),
        ("import sys\nsys.modules['torch'] = 3", "uses sys.modules"),
        ("import sys\ndel sys.modules['torch']", "uses sys.modules"),
        ("import sys\nsys.modules.pop('torch')", "uses sys.modules.pop"),
        ("import sys\nmodules = sys.modules\nf(modules)", "uses sys.modules"),
        ("import sys\nsys.modules['rnncourse.grading.worker']", "uses rnncourse.grading.worker"),
        ("import sys\nsys.modules.get('rnn' + 'course')", "uses sys.modules.get"),
        ("import sys\nsys.modules['rnn' + 'course'].f", "uses sys.modules"),
        ("import sys\nsys.modules.keys().mapping['torch']", "uses sys.modules.keys"),
        ("import sys\nfor m in sys.modules.values(): f(m)", "uses sys.modules.values"),
        ("eval('x' * 3)", "uses eval"),
        ("eval('exec(x)')", "uses exec"),
        ("eval('gc.unfreeze()') if __import__('gc') else 1", "uses __import__"),
        ("eval('1 + 1', {})", "uses eval"),
        ("torch.Tensor.__add__ = lambda *a: a[0]", "replaces torch.Tensor.__add__"),
        ("torch.Tensor.detach = lambda self: self", "replaces torch.Tensor.detach"),
        ("torch.Tensor.__del__ = f", "replaces torch.Tensor.__del__"),
        (
            "import importlib.util as u\nu.module_from_spec(s)",
            "uses importlib.util.module_from_spec",
        ),
        ("import importlib.util as u\nu.find_spec('a').loader.load_module()", "uses load_module"),
        ("import inspect\ninspect.stack()", "uses inspect.stack"),
        ("torch.sigmoid.__globals__", "uses __globals__"),
        ("try: 1 / 0\nexcept Exception as e: e.__traceback__.tb_frame.f_back", "uses f_back"),
        ("lib = torch.library.Library('aten', 'IMPL')", "uses torch.library.Library"),
        ("from torch.library import get_kernel", "uses torch.library.get_kernel"),
        ("f = torch._C._dispatch_library", "uses torch._C._dispatch_library"),
        ("import gc\ngc.unfreeze()", "uses gc.unfreeze"),
        ("import gc\ngetattr(gc, 'unfr' + 'eeze')()", "uses gc.unfreeze"),
        ("import gc\nname = 'unfreeze'\ngetattr(gc, name)()", "looks up a name that it computes"),
        ("getattr(error, 'tb_' + 'frame')", "uses tb_frame"),
        ("getattr(torch, 'lib' + 'rary').Library('aten', 'IMPL')", "uses torch.library.Library"),
        ("import sys\nsys.meta_path.clear()", "uses sys.meta_path"),
        ("import marshal\nmarshal.loads(x)", "uses marshal.loads"),
        ("import types\ntypes.CodeType(1)", "uses types.CodeType"),
        ("import runpy\nrunpy.run_path('a.py')", "uses runpy.run_path"),
        ("import __main__", "uses __main__"),
        ("from rnncourse.checks import drivers", "uses rnncourse.checks.drivers"),
        ("import rnncourse.grading.worker", "uses rnncourse.grading.worker"),
        ("torch.allclose = lambda *a: True", "replaces torch.allclose"),
        ("torch.Tensor.__eq__ = lambda *a: True", "replaces torch.Tensor.__eq__"),
        ("get_ipython().ast_transformers.append(3)", "uses get_ipython().ast_transformers"),
        ("shell = get_ipython()\nshell.user_ns['a'] = 1", "uses get_ipython().user_ns"),
        ("%run other.py", "uses %run"),
        ("%%writefile torch.py\nx = 1", "uses %writefile"),
        ("def f():\n    import os\n    os.write(3, b'')\nf()", "uses os.write"),
    ],
)
def test_means_that_tamper_are_reported_from_any_cell(cell: str, means: str) -> None:
    found = flags(START, HONEST, cell)
    assert any(means in flag and flag.endswith("can change what is graded") for flag in found)


def test_harmless_parts_of_the_same_modules_are_not() -> None:
    cell = "from rnncourse.checks import check\nfrom rnncourse._exercise import demo, fill\nplay()"
    assert flags(START, HONEST, cell) == []


# ------------------------------------------------------------------ hostile sources


def test_reports_are_not_without_end() -> None:
    many = "\n".join(f"torch.a{k}.lstm" for k in range(50))
    assert len(flags(START, answer(many))) == MAX_FLAGS


@pytest.mark.parametrize(
    "body",
    [
        "return " + "+".join(["x"] * 3000),
        "return x" + ".a" * 3000,
        "return " + "-" * 90 + "x",
        "return " + "(" * 90 + "x" + ")" * 90,
        "x" + "\nx" * 20_000,
    ],
    ids=["sum", "attributes", "minus", "brackets", "lines"],
)
def test_strange_sources_end_in_a_report_at_worst(body: str) -> None:
    limit = sys.getrecursionlimit()
    assert flags(START, answer(body)) in ([], ["its code is nested too deeply to be read"])
    assert sys.getrecursionlimit() == limit


def test_cells_are_named_for_people() -> None:
    cells = [HONEST, "\n  import torch\n", "@fill\ndef lstm_cell(x:", "", "x" * 100, "import torch"]
    assert read_cells(cells, READY_MADE, str).names == (
        "the cell lstm_cell",
        "the cell “import torch”",
        "the cell lstm_cell (2)",
        "the cell “”",
        f"the cell “{'x' * 40}…”",
        "the cell “import torch” (2)",
    )


def test_sources_that_are_python_are_known() -> None:
    plain = read_cells(["x = 1", "!ls", "x = (", "await f()"], {}, str).plain
    assert plain == {"x = 1", "await f()"}


# ------------------------------------------------------------------ in a worker


@needs_sandbox
def test_a_worker_reports_before_it_runs_anything(worker: Worker, class_calls: ClassCalls) -> None:
    tamper = "from rnncourse.grading.worker import scan\nscan.read_cells = None\nimport os, json"
    cells = [tamper, START, answer("return torch.lstm_cell(x, (h, c), *weights)")]
    cells += ["import os\nos._exit(3)"]
    run = worker.run(cells, class_calls)
    assert uses("torch.lstm_cell") in run.flags["lstm_cell"]
    assert all("rnncourse.grading" in " ".join(found) for found in run.flags.values())
    assert run.flags.keys() == READY_MADE.keys()


@needs_sandbox
def test_nothing_is_reported_of_an_honest_notebook(worker: Worker, class_calls: ClassCalls) -> None:
    assert worker.run([START, *solutions().values()], class_calls).flags == {}
    asked = worker.run([START, answer("return torch.lstm(x)")], class_calls, only=["pack_gates"])
    assert asked.flags == {}
