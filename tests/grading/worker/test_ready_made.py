"""Torch's ready-made answers are seen where they run, whatever they are called by."""

from __future__ import annotations

import pytest
import torch

from rnncourse._exercise import find, parameters
from rnncourse.checks.forbidden_calls import LSTM
from rnncourse.checks.plan import cases_of, plan_of
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls, Run
from rnncourse.grading.sandbox.launch import unsafe
from rnncourse.grading.sandbox.limits import Limits
from tests.grading.sandboxes import needs_sandbox

pytestmark = needs_sandbox

QUICK = Limits(cells=3, exercise=1)
START = "import torch\nfrom torch import nn\nfrom rnncourse import fill"
WEIGHTS = "w_ih, w_hh, b_ih, b_hh"
READY = f"torch.lstm_cell(x, (h, c), {WEIGHTS})"
HONEST = """
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next"""
FUNCTION = f"def own(x, h, c, {WEIGHTS}):\n    return {READY}"
LAYER = (
    f"output, h_n, c_n = torch.lstm(x[None], (h[None], c[None]), [{WEIGHTS}], True, 1, 0.0, "
    "False, False, False)\nreturn h_n[0], c_n[0]"
)
ONE_STEP = (
    "def one(x, h, c, w, v, a, b, reverse):\n"
    "    return torch.ops.aten.mkldnn_rnn_layer.default(x[None], w, v, a, b, h[None], c[None], "
    "False, [], 2, h.shape[-1], 1, True, False, False, False)\n"
)


def lstm_cell(body: str) -> str:
    lines = body.strip("\n").replace("\n", "\n    ")
    return f"@fill\ndef lstm_cell(x, h, c, {WEIGHTS}):\n    {lines}"


CALLS: dict[str, tuple[str, str]] = {
    "torch": ("", f"return {READY}"),
    "VF": ("", f"return torch._VF.lstm_cell(x, (h, c), {WEIGHTS})"),
    "variable functions": (
        "",
        f"return torch._C._VariableFunctions.lstm_cell(x, (h, c), {WEIGHTS})",
    ),
    "overload": ("", f"return torch.ops.aten.lstm_cell.default(x, [h, c], {WEIGHTS})"),
    "layer": ("", LAYER),
    "module": (
        "",
        "cell = nn.LSTMCell(x.shape[1], h.shape[1]).to(x)\n"
        "parameters = dict(zip(('weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'), "
        f"({WEIGHTS})))\nreturn torch.func.functional_call(cell, parameters, (x, (h, c)))",
    ),
    "mkldnn": (ONE_STEP, f"y, h, c, _ = one(x, h, c, {WEIGHTS}, False)\nreturn h[0], c[0]"),
    "decompose": ("", f"return torch.ops.aten.lstm_cell.default.decompose(x, [h, c], {WEIGHTS})"),
    "jit operator": (
        "",
        f"return torch._C._jit_get_operation('aten::lstm_cell')[0](x, [h, c], {WEIGHTS})",
    ),
    "script": (
        "@torch.jit.script\n"
        "def own(x, h, c, w_ih, w_hh, b_ih, b_hh):\n"
        f"    return torch.lstm_cell(x, [h, c], {WEIGHTS})",
        f"return own(x, h, c, {WEIGHTS})",
    ),
    "IR": (
        "ir = '''graph(%x : Tensor, %h : Tensor, %c : Tensor, %w : Tensor, %v : Tensor,\n"
        "      %a : Tensor, %b : Tensor):\n"
        "  %s : Tensor[] = prim::ListConstruct(%h, %c)\n"
        "  %y : Tensor, %z : Tensor = aten::lstm_cell(%x, %s, %w, %v, %a, %b)\n"
        "  %r : (Tensor, Tensor) = prim::TupleConstruct(%y, %z)\n  return (%r)'''\n"
        "own = torch._C._create_function_from_graph('own', torch._C.parse_ir(ir))",
        f"return own(x, h, c, {WEIGHTS})",
    ),
    "traced before": (
        f"{FUNCTION}\n"
        "some = [torch.ones(*s) for s in ((2, 3), (2, 4), (2, 4), (16, 3), (16, 4), (16,), (16,))]"
        "\nown = torch.jit.trace(own, some)",
        f"return own(x, h, c, {WEIGHTS})",
    ),
    "written down by a mode before": (
        "from torch.utils._python_dispatch import TorchDispatchMode\n"
        "calls = []\n"
        "class Writes(TorchDispatchMode):\n"
        "    def __torch_dispatch__(self, func, types, args=(), kwargs=None):\n"
        "        calls.append(func)\n        return func(*args, **(kwargs or {}))\n"
        f"{FUNCTION}\n"
        "with Writes():\n"
        "    own(*(torch.ones(*s) for s in ((2, 3), (2, 4), (2, 4), (16, 3), (16, 4))), None, None)"
        "\nassert len(calls) > 5",
        HONEST,
    ),
    "without overrides of functions": (
        "",
        f"with torch._C.DisableTorchFunction():\n    return {READY}",
    ),
    "a subclass without them": (
        "",
        f"with torch._C.DisableTorchFunctionSubclass():\n    return {READY}",
    ),
    "inference mode": ("", f"with torch.inference_mode():\n    y, z = {READY}\nreturn y, z"),
    "looked at later": (
        "class Late(tuple):\n"
        "    def __iter__(self):\n"
        "        return iter(torch.lstm_cell(*self.given))\n",
        f"late = Late((h, c))\nlate.given = (x, (h, c), {WEIGHTS})\nreturn late",
    ),
    "detached later": (
        "class Late(torch.Tensor):\n    def detach(self):\n        return self.work()\n",
        f"y, z = h.as_subclass(Late), c.as_subclass(Late)\n"
        f"y.work = lambda: {READY}[0].detach()\nz.work = lambda: {READY}[1].detach()\n"
        "return y, z",
    ),
    "a subclass that computes": (
        "class Late(torch.Tensor):\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, function, types, args=(), kwargs=None):\n"
        "        with torch._C.DisableTorchFunctionSubclass():\n"
        "            return torch.lstm_cell(*args[0].given)[args[0].which].detach()\n",
        "y, z = h.as_subclass(Late), c.as_subclass(Late)\n"
        f"y.given = z.given = (x, (h, c), {WEIGHTS})\ny.which, z.which = 0, 1\nreturn y, z",
    ),
    "a module of the course that is torch": (
        "from rnncourse.data.tasks import torch as t",
        f"return t.lstm_cell(x, (h, c), {WEIGHTS})",
    ),
    "half precision, quantized": (
        "",
        "pack = lambda w, b: torch.ops.quantized.linear_prepack_fp16(w, b)\n"
        "packed = torch.ops.quantized.make_quantized_cell_params_fp16("
        "pack(w_ih, b_ih), pack(w_hh, b_hh))\n"
        "y, h_n, c_n = torch.quantized_lstm(x[None], (h[None], c[None]), [packed], True, 1, 0.0, "
        "False, False, False, dtype=torch.float16, use_dynamic=True)\nreturn h_n[0], c_n[0]",
    ),
    "a hook of autograd": (
        "",
        "kept = []\nwith torch.enable_grad():\n"
        "    leaf = torch.ones(1, requires_grad=True)\n"
        f"    leaf.register_hook(lambda g: kept.append({READY}))\n    leaf.sum().backward()\n"
        "return kept[0]",
    ),
    "when something ends": (
        "import weakref\nclass Ends: pass",
        f"kept, ends = [], Ends()\nweakref.finalize(ends, lambda: kept.append({READY}))\n"
        "del ends\nreturn kept[0]",
    ),
    "functorch": ("", f"return torch.func.functionalize(lambda x: {READY})(x)"),
    "functorch, with gradients": ("", f"return torch.func.vjp(lambda x: {READY}, x)[0]"),
    "symbolic tracing": (
        f"import torch.fx\n{FUNCTION}\nown = torch.fx.symbolic_trace(own)",
        f"return own(x, h, c, {WEIGHTS})",
    ),
    "compiled": (
        f"{FUNCTION}\nown = torch.compile(own, backend='eager')",
        f"return own(x, h, c, {WEIGHTS})",
    ),
}
"""Cells before the answer, and its body."""

MASKED = {
    "a table of formulas": "return torch._decomp.decompositions.lstm_cell(x, h, c, w_hh, b_hh, "
    "None, 1)",
    "a module of formulas": "return torch.ao.nn.quantizable.LSTMCell(x.shape[1], 4)(x, (h, c))",
    "loaded anew": "import importlib, torch.ao.nn.quantizable.modules.rnn as m\n"
    "return importlib.reload(m).LSTMCell(x.shape[1], 4)(x, (h, c))",
}


@pytest.fixture(scope="module")
def cell(class_calls: ClassCalls) -> ClassCalls:
    return ClassCalls({"lstm_cell": class_calls.cases["lstm_cell"]}, {"lstm_cell": LSTM})


def ran(run: Run, exercise: str = "lstm_cell") -> list[str]:
    """What is said of what ran."""
    return [flag for flag in run.flags.get(exercise, ()) if flag.startswith("while it ran")]


def right(run: Run, exercise: str = "lstm_cell") -> bool:
    outcomes = run.exercises[exercise].outcomes.values()
    return all(o.problem is None and o.gradient_problem is None for o in outcomes)


def asked(name: str, ready_made: tuple[str, ...] = ()) -> ClassCalls:
    """An exercise's cases of the first sizes."""
    plan = plan_of(name)
    generator = torch.Generator().manual_seed(3)
    stages = plan.stages_on(plan.fixtures(plan.sizes, generator))
    cases = cases_of([stage for stage in stages if stage.aspect != "device"])
    return ClassCalls({name: cases}, {name: ready_made or plan.forbidden_calls})


@pytest.mark.parametrize("how", CALLS)
def test_an_operator_is_seen_however_it_is_called(
    worker: Worker, cell: ClassCalls, how: str
) -> None:
    before, body = CALLS[how]
    run = worker.run([START, before or "1", lstm_cell(body)], cell)
    assert [c.error for c in run.cells] == [""] * 3
    assert ran(run), [o.problem for o in run.exercises["lstm_cell"].outcomes.values()]


def test_what_is_seen_still_runs_and_gradients_flow(worker: Worker, cell: ClassCalls) -> None:
    run = worker.run([START, lstm_cell(f"return {READY}")], cell)
    assert right(run)
    assert ran(run) == ["while it ran it called torch's lstm_cell"]


def test_what_watches_cannot_be_looked_for_among_all_objects(worker: Worker) -> None:
    source = (
        "import gc\nfor name in ('unfreeze', 'get_objects', 'get_referrers', 'get_referents'):\n"
        "    try:\n        print(len(getattr(gc, name)(torch)))\n"
        "    except RuntimeError as error:\n        print(error)"
    )
    said = "Python's objects cannot be listed while grading.\n" * 4
    assert worker.run([START, source], ClassCalls()).cells[1].output == said


@pytest.mark.parametrize("end", ["import os\n    os._exit(3)", "while True: pass"])
def test_who_ends_before_the_last_call_is_seen_too(
    worker: Worker, cell: ClassCalls, end: str
) -> None:
    body = f"calls.append(1)\nif len(calls) > 4:\n    {end}\nreturn {READY}"
    run = worker.run([START, "calls = []", lstm_cell(body)], cell, QUICK)
    exercise = run.exercises["lstm_cell"]
    assert exercise.ended != "done" and exercise.outcomes
    assert ran(run) == ["while it ran it called torch's lstm_cell"]


@pytest.mark.parametrize("how", MASKED)
def test_formulas_of_torch_in_python_are_not_there(
    worker: Worker, cell: ClassCalls, how: str
) -> None:
    run = worker.run([START, lstm_cell(MASKED[how])], cell)
    problems = [o.problem for o in run.exercises["lstm_cell"].outcomes.values()]
    assert all(problem and "while grading" in problem.text for problem in problems)


def test_a_thread_that_waits_for_inputs_is_seen(cell: ClassCalls) -> None:
    waits = (
        "import queue, threading\nasked, answered = queue.Queue(), queue.Queue()\n"
        "def work():\n    while True:\n        answered.put(torch.lstm_cell(*asked.get()))\n"
        "threading.Thread(target=work, daemon=True).start()"
    )
    body = f"asked.put((x, (h, c), {WEIGHTS}))\nreturn answered.get()"
    with Worker(unsafe().warming_up(["lstm_cell"])) as worker:  # there are threads everywhere
        run = worker.run([START, waits, lstm_cell(body)], cell)
    assert right(run) and ran(run)


def test_own_cells_may_use_it_and_honest_answers_are_left_alone(
    worker: Worker, cell: ClassCalls
) -> None:
    compares = (
        "layer, single = nn.LSTM(3, 4), nn.LSTMCell(3, 4)\nx = torch.ones(5, 2, 3)\n"
        "output, _ = layer(x)\noutput.sum().backward()\nh, c = single(x[0])\n"
        "mine = lstm_cell(x[0], h, c, *single.parameters())\n"
        "torch.testing.assert_close(mine, single(x[0], (h, c)))\n"
        "torch.jit.script(single)(x[0])\nnn.Embedding(3, 4)(torch.tensor([1]))\n"
        "torch.nn.functional.one_hot(torch.tensor([1]), 3)"
    )
    run = worker.run([START, lstm_cell(HONEST), compares], cell)
    assert [c.error for c in run.cells] == [""] * 3
    assert right(run) and run.flags == {}


def test_who_calls_another_exercises_ready_made_answer_is_seen_too(
    worker: Worker, class_calls: ClassCalls
) -> None:
    layer = (
        "@fill\ndef lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):\n    steps = []\n"
        "    for x_t in x:\n"
        "        h0, c0 = {cell}(x_t, h0, c0, w_ih, w_hh, b_ih, b_hh)\n"
        "        steps.append(h0)\n    return torch.stack(steps), (h0, c0)"
    )
    ready = [START, lstm_cell(f"return {READY}"), layer.format(cell="lstm_cell")]
    run = worker.run(ready, class_calls, only=["lstm_layer"])
    assert ran(run, "lstm_layer")
    # A function of another exercise can be put to use here, and nobody asks for that one.
    detour = (
        f"@fill\ndef set_forget_bias(b_ih, b_hh, value):\n    x, h, c, {WEIGHTS} = value\n"
        f"    return {READY}"
    )
    body = (
        "from rnncourse.lstm import set_forget_bias\n"
        f"return set_forget_bias(0, 0, (x, h, c, {WEIGHTS}))"
    )
    run = worker.run([START, detour, lstm_cell(body)], class_calls, only=["lstm_cell"])
    assert ran(run)


def test_no_word_of_a_learner_is_told_as_the_name_of_a_function(worker: Worker) -> None:
    named = (
        "def tanh_SECRET(*a): return torch.sigmoid(a[0])\n"
        "def told(x): return torch.overrides.handle_torch_function(tanh_SECRET, (x,), x)"
    )
    answer = "@fill\ndef set_forget_bias(b_ih, b_hh, value):\n    told(b_ih)\n    return b_ih, b_hh"
    run = worker.run([START, named, answer], asked("set_forget_bias", ("torch.tanh",)))
    assert ran(run, "set_forget_bias") == ["while it ran it called torch's tanh"]


GRADIENTS = {
    "backward": "leaf = x.clone().requires_grad_()\ntorch.tanh(leaf).sum().backward()",
    "grad": "leaf = x.clone().requires_grad_()\ntorch.autograd.grad(torch.tanh(leaf).sum(), leaf)",
    "vjp": "torch.func.vjp(torch.tanh, x)[1](x)",
    "jvp": "torch.func.jvp(torch.tanh, (x,), (x,))",
    "jacobian": "torch.autograd.functional.jacobian(torch.tanh, x)",
    "engine": "leaf = x.clone().requires_grad_()\ny = torch.tanh(leaf).sum()\n"
    "torch._C._ImperativeEngine().run_backward((y,), (torch.ones(()),), False, False, (leaf,), "
    "False, accumulate_grad=False)",
    "script": "differentiated(x)",
}
SCRIPT = """
@torch.jit.script
def differentiated(x):
    leaf = x.detach().requires_grad_(True)
    return torch.autograd.grad([torch.tanh(leaf).sum()], [leaf])[0]
"""
NORMS = {
    "clip_grad_norm_": "held, norm = [nn.Parameter(g) for g in grads], 0\n"
    "for p, g in zip(held, grads): p.grad = g\nreturn clip_grad_norm_(held, 1.0)",
    "get_total_norm": "return get_total_norm(grads)",
    "norm": "return torch.stack([g.norm() for g in grads]).norm()",
}


@pytest.mark.parametrize("how", GRADIENTS)
def test_gradients_are_seen_where_they_are_to_be_written_out(worker: Worker, how: str) -> None:
    class_calls = asked("rnn_cell_backward")
    body = GRADIENTS[how].replace("\n", "\n        ")
    head = "@fill\ndef rnn_cell_backward(grad_h, x, h_prev, h, w_ih, w_hh):\n    "
    tail = "\n    return x, h, w_ih, w_hh, h[0], h[0]"
    answer = f"{head}with torch.enable_grad():\n        {body}{tail}"
    run = worker.run([START, SCRIPT, answer], class_calls)
    assert right(run, "rnn_cell_backward") and ran(run, "rnn_cell_backward")
    honest = f"{head}slope = (1 - h * h).detach()\n    torch.no_grad()(torch.tanh)(slope){tail}"
    assert worker.run([START, honest], class_calls).flags == {}


@pytest.mark.parametrize("how", NORMS)
def test_helpers_that_were_imported_before_are_seen(worker: Worker, how: str) -> None:
    class_calls = asked("global_norm")
    body = NORMS[how].replace("\n", "\n    ")
    before = "from torch.nn.utils import *"
    run = worker.run([START, before, f"@fill\ndef global_norm(grads):\n    {body}"], class_calls)
    assert right(run, "global_norm")
    assert ran(run, "global_norm") == [] if how == "norm" else ran(run, "global_norm")


@pytest.mark.parametrize(
    ("exercise", "body", "seen"),
    [
        ("embed", "return torch.nn.functional.embedding(ids, weight)", True),
        ("embed", "return torch.ops.aten.embedding(weight, ids)", True),
        ("embed", "return weight[ids]", False),
        ("embed", "return weight.index_select(0, ids.flatten()).view(*ids.shape, -1)", False),
        ("one_hot", "return torch.nn.functional.one_hot(ids, vocab_size).float()", True),
        ("one_hot", "return torch.ops.aten.one_hot(ids, vocab_size).float()", True),
        ("one_hot", "return torch.eye(vocab_size)[ids]", False),
    ],
)
def test_indexing_is_honest_and_embedding_is_not(
    worker: Worker, exercise: str, body: str, seen: bool
) -> None:
    class_calls = asked(exercise)
    parameters = "ids, weight" if exercise == "embed" else "ids, vocab_size"
    run = worker.run([START, f"@fill\ndef {exercise}({parameters}):\n    {body}"], class_calls)
    assert right(run, exercise)
    assert bool(ran(run, exercise)) == seen


def test_a_module_that_is_made_and_never_called_is_seen(worker: Worker) -> None:
    exercise = "parameter_count"
    class_calls = asked(exercise)
    given = parameters(find(exercise))
    answer = f"@fill\ndef {exercise}{given}:\n    make = LSTM\n    make(3, 4)\n    return 1"
    run = worker.run([START, "from torch.nn import LSTM", answer], class_calls)
    assert ran(run, exercise) == ["while it ran it called torch's nn.LSTM"]
