"""What people write in cells of their own beside honest answers."""

from __future__ import annotations

SNIPPETS = (
    # seeds and settings
    "import random, numpy as np\nrandom.seed(0)\nnp.random.seed(0)\ntorch.manual_seed(0)",
    "def seed_everything(seed):\n    import os, random\n    random.seed(seed)\n"
    "    os.environ['PYTHONHASHSEED'] = str(seed)\n    torch.manual_seed(seed)\n"
    "    torch.cuda.manual_seed_all(seed)\n    torch.backends.cudnn.deterministic = True\n"
    "    torch.backends.cudnn.benchmark = False\nseed_everything(42)",
    "torch.use_deterministic_algorithms(True)\ntorch.use_deterministic_algorithms(False)",
    "torch.set_printoptions(precision=3, sci_mode=False)",
    "torch.set_num_threads(2)",
    "torch.set_default_dtype(torch.float64)",
    "device = 'cuda' if torch.cuda.is_available() else 'cpu'\nprint(device, torch.__version__)",
    "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n"
    "os.environ['TOKENIZERS_PARALLELISM'] = 'no'",
    "import warnings\nwarnings.filterwarnings('ignore')",
    "import logging\nlogging.basicConfig(level=logging.INFO)\nlogging.getLogger('x').info('hello')",
    "torch.autograd.set_detect_anomaly(True)\ntorch.autograd.set_detect_anomaly(False)",
    # where it runs
    "import sys\nIN_COLAB = 'google.colab' in sys.modules",
    "import sys\nIN_COLAB = 'google.colab' in sys.modules.keys()",
    "import sys\nprint(len(sys.modules.keys()), len(sys.modules))",
    "import sys\nprint('numpy' in list(sys.modules), 'torch' in set(sys.modules))",
    "import sys\nloaded = sorted(m for m in sys.modules if m.startswith('torch.nn'))",
    "import sys\nif sys.modules.get('google.colab') is not None:\n    print('on Colab')",
    "import sys\nfor name in ('numpy', 'torch'):\n    print(name, sys.modules[name].__version__)",
    "import sys\nprint(sys.version, sys.path, sys.getrecursionlimit(), sys.getsizeof([]))",
    "import platform\nprint(platform.python_version(), platform.platform())",
    "try:\n    import google.colab\nexcept ImportError:\n    print('not on Colab')",
    "import importlib\nfor name in ['numpy', 'torch']:\n"
    "    print(importlib.import_module(name).__version__)",
    "import importlib.util\nprint(importlib.util.find_spec('pandas') is not None)",
    "import importlib.metadata\nprint(importlib.metadata.version('torch'))",
    "import importlib, rnncourse\nimportlib.reload(rnncourse)",
    "if __name__ == '__main__':\n    print('main')",
    "shell = get_ipython().__class__.__name__\nprint(shell)",
    "try:\n    get_ipython()\n    in_notebook = True\nexcept NameError:\n    in_notebook = False",
    # magic and shell
    "%matplotlib inline\n%config InlineBackend.figure_format = 'retina'",
    "%load_ext autoreload\n%autoreload 2",
    "%timeit -n 1 -r 1 torch.ones(2, 2) @ torch.ones(2, 2)",
    "%%time\ny = torch.ones(3).sum()",
    "!pip install rnncourse\n!nvidia-smi",
    "%pip install tqdm",
    "%who\n%pwd",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    # progress, time and files
    "try:\n    from tqdm.auto import tqdm\nexcept ImportError:\n    tqdm = lambda it, **k: it\n"
    "for k in tqdm(range(3), desc='x'):\n    pass",
    "import time\nstart = time.perf_counter()\ntime.sleep(0.01)\n"
    "print(time.perf_counter() - start)",
    "from timeit import default_timer, timeit\nprint(timeit(lambda: sum(range(9)), number=3))",
    "import timeit\nprint(timeit.timeit('x + 1', globals={'x': 1}, number=3))",
    "from datetime import datetime\nprint(datetime.now().strftime('%H:%M'))",
    "from pathlib import Path\nfolder = Path('out')\nfolder.mkdir(exist_ok=True)\n"
    "(folder / 'notes.txt').write_text('x')\nprint((folder / 'notes.txt').read_text())",
    "with open('losses.csv', 'w') as file:\n    file.write('1,2')\n"
    "print(open('losses.csv').read())",
    "import json\nwith open('a.json', 'w') as f:\n    json.dump({'a': 1}, f)\n"
    "json.load(open('a.json'))",
    "import pickle\npickle.loads(pickle.dumps([1, 2]))",
    "model = nn.Linear(2, 2)\ntorch.save(model.state_dict(), 'model.pt')\n"
    "model.load_state_dict(torch.load('model.pt'))",
    "import copy\nbest = copy.deepcopy(nn.Linear(2, 2).state_dict())",
    "import tempfile, shutil, glob\nprint(glob.glob('*'))",
    "import gc\ndel_me = torch.ones(3)\ndel del_me\ngc.collect()\ntorch.cuda.empty_cache()",
    # looking at things
    "help(torch.nn.LSTM)",
    "lstm_cell?",
    "import inspect\nprint(inspect.signature(lstm_cell))",
    "import inspect\nprint(inspect.getsource(set_forget_bias))",
    "print(lstm_cell.__doc__, lstm_cell.__name__, type(lstm_cell))",
    "print([name for name in dir(torch.nn) if 'LSTM' in name])",
    "print(vars(nn.Linear(1, 1)).keys())\nprint(nn.Linear(1, 1).__dict__.keys())",
    "print(globals().keys() > {'torch'}, 'nn' in globals(), 'x' in locals())",
    "print(eval('1 + 1'))",
    "print(eval('2 ** 10'), eval(\"[1, 2][0]\"))",
    "def show(**names):\n    for name, value in names.items():\n"
    "        print(name, tuple(value.shape))\nshow(x=torch.ones(2, 3))",
    "from pprint import pprint\npprint({'a': torch.ones(2)})",
    "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
    "import sys\ntry:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
    "    print(type(error), error, error.__traceback__.tb_lineno, sys.exc_info()[0])",
    # prettier tensors
    "torch.Tensor.__repr__ = lambda self: f'tensor{tuple(self.shape)}'\nprint(torch.ones(2))",
    "normal_repr = torch.Tensor.__repr__\n"
    "torch.Tensor.__repr__ = lambda self: f'{self.shape} {normal_repr(self)}'\n"
    "print(torch.ones(1))",
    "torch.Tensor.__str__ = lambda self: 'a tensor'",
    "torch.Tensor.ndim_and_shape = property(lambda self: (self.ndim, self.shape))",
    # comparing with torch
    "from torch import nn\nlayer = nn.LSTM(3, 4)\nout, (h, c) = layer(torch.ones(5, 2, 3))\n"
    "mine, _ = lstm_layer(torch.ones(5, 2, 3), torch.zeros(2, 4), torch.zeros(2, 4),\n"
    "                     *layer.parameters())\nassert torch.allclose(mine, out, atol=1e-5)",
    "def compare(n=3):\n    theirs = nn.LSTMCell(3, 4)\n    x, h, c = torch.ones(n, 3), "
    "torch.zeros(n, 4), torch.zeros(n, 4)\n    mine = lstm_cell(x, h, c, *theirs.parameters())\n"
    "    return max((a - b).abs().max().item() for a, b in zip(mine, theirs(x, (h, c))))\n"
    "assert compare() < 1e-5",
    "x = torch.ones(2, 3, requires_grad=True)\nx.sum().backward()\nprint(x.grad)",
    "torch.autograd.gradcheck(torch.tanh, torch.ones(2, dtype=torch.double, requires_grad=True))",
    "torch.testing.assert_close(torch.ones(2), torch.ones(2))",
    "scripted = torch.jit.script(nn.Linear(2, 2))\nscripted(torch.ones(1, 2))",
    # programs of their own
    "from dataclasses import dataclass, field\n@dataclass\nclass Config:\n    size: int = 3\n"
    "    names: list = field(default_factory=list)\nprint(Config())",
    "from typing import NamedTuple, Optional\nclass Pair(NamedTuple):\n    a: int\n"
    "    b: Optional[int] = None\nprint(Pair(1))",
    "from functools import lru_cache, partial, reduce\n@lru_cache(maxsize=None)\ndef fib(n):\n"
    "    return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(20), reduce(max, [1, 2]))",
    "from collections import Counter, defaultdict, deque\nimport itertools, math, operator\n"
    "print(Counter('aab'), operator.itemgetter(1)([1, 2]), operator.attrgetter('shape'))",
    "class Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.lstm = nn.LSTM(3, 4)\n        self.head = nn.Linear(4, 1)\n"
    "    def forward(self, x):\n        return self.head(self.lstm(x)[0])\n"
    "print(Model()(torch.ones(5, 2, 3)).shape)",
    "from torch.utils.data import DataLoader, TensorDataset\n"
    "for a, b in DataLoader(TensorDataset(torch.ones(4, 2), torch.ones(4)), batch_size=2):\n"
    "    print(a.shape)",
    "model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))\n"
    "optimizer = torch.optim.Adam(model.parameters())\nfor step in range(3):\n"
    "    loss = model(torch.ones(3, 2)).square().mean()\n    optimizer.zero_grad()\n"
    "    loss.backward()\n    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
    "    optimizer.step()",
    "hooks = []\nlayer = nn.Linear(2, 2)\n"
    "layer.register_forward_hook(lambda m, i, o: hooks.append(o.shape))\nlayer(torch.ones(1, 2))",
    "layer.weight.register_hook(lambda g: print(g.shape))",
    "with torch.no_grad():\n    for p in nn.Linear(2, 2).parameters():\n        p.fill_(0.5)",
    "nn.Linear(2, 2).weight.data.normal_()",
    "class Square(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n"
    "        ctx.save_for_backward(x)\n        return x * x\n    @staticmethod\n"
    "    def backward(ctx, g):\n        return 2 * g * ctx.saved_tensors[0]\n"
    "Square.apply(torch.ones(2, requires_grad=True)).sum().backward()",
    "import asyncio\nasync def later():\n    await asyncio.sleep(0)\n    return 3\nawait later()",
    "import re, string, textwrap\nprint(re.sub('a', 'b', 'aa'), textwrap.dedent('  x'))",
    "exec_time = 3\ncompiled = False\nprint(exec_time, compiled)",
    "import re\npattern = re.compile('a+')",
    "def debug(f):\n    def wrapped(*args, **kwargs):\n        print(f.__name__)\n"
    "        return f(*args, **kwargs)\n    return wrapped\n@debug\ndef g(x):\n    return x\ng(1)",
    "try:\n    import pandas as pd\n    pd.DataFrame({'a': [1]}).describe()\n"
    "except ImportError:\n    pass",
    "from IPython.display import HTML, Markdown, clear_output, display\n"
    "display(Markdown('**x**'))\n"
    "clear_output(wait=True)",
    # threads
    "import threading\nlock, total = threading.Lock(), []\ndef work(k):\n    with lock:\n"
    "        total.append((torch.ones(k + 1, 9) @ torch.ones(9, 9)).sum().item())\n"
    "workers = [threading.Thread(target=work, args=(k,), daemon=True) for k in range(3)]\n"
    "for each in workers: each.start()\nfor each in workers: each.join(timeout=20)\n"
    "assert len(total) == 3 and not any(each.is_alive() for each in workers)",
    "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(max_workers=4) as pool:\n"
    "    print(list(pool.map(lambda k: k * k, range(8))))\n"
    "    assert pool.submit(sum, [1, 2]).result() == 3",
    "from concurrent.futures import ThreadPoolExecutor, as_completed\n"
    "with ThreadPoolExecutor() as pool:\n    futures = [pool.submit(pow, 2, k) for k in range(4)]\n"
    "    assert sorted(f.result() for f in as_completed(futures)) == [1, 2, 4, 8]",
    "import threading\nfound = []\nthread = threading.Thread(target=found.append, args=(3,))\n"
    "thread.start()\nthread.join()\nassert found == [3]",
    # pictures
    "import matplotlib.pyplot as plt\nplt.style.use('ggplot')\nplt.plot([1, 2])\nplt.show()",
    "fig, ax = plt.subplots(figsize=(3, 2))\nax.imshow(torch.rand(4, 4))\nfig.savefig('a.png')",
    "plt.rcParams['figure.figsize'] = (4, 3)\nplt.hist(torch.randn(20).numpy())\nplt.close('all')",
)
"""Each is a cell. They hold together: a later one may use what an earlier one has made."""
