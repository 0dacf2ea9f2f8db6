"""Right answers in other styles to the exercises of `rnncourse.embedding`.

Parameters have the exercises' names and order.
"""

from __future__ import annotations

import collections
import itertools

import torch
import torch.nn.functional as F

from . import honest


@honest("one_hot")
def rows_of_the_identity(ids, vocab_size):
    return torch.eye(vocab_size, device=ids.device)[ids]


@honest("one_hot")
def compared(ids, vocab_size):
    return (torch.arange(vocab_size, device=ids.device) == ids.unsqueeze(-1)).float()


@honest("one_hot")
def scattered(ids, vocab_size):
    zeros = torch.zeros(*ids.shape, vocab_size, device=ids.device)
    return zeros.scatter_(-1, ids.unsqueeze(-1), 1.0)


@honest("one_hot")
def one_by_one(ids, vocab_size):
    rows = torch.zeros(ids.numel(), vocab_size)
    for row, id in zip(rows, ids.flatten().tolist(), strict=True):
        row[id] = 1
    return rows.reshape(ids.shape + (vocab_size,))


@honest("one_hot")
def recursive(ids, vocab_size):
    if ids.ndim:
        return torch.stack([recursive(part, vocab_size) for part in ids])
    return torch.tensor([float(id == ids) for id in range(vocab_size)])


@honest("embed")
def indexed(ids, weight):
    return weight[ids]


@honest("embed")
def multiplied(ids, weight):
    places = torch.arange(len(weight), device=ids.device)
    return (ids[..., None] == places).to(weight.dtype) @ weight


@honest("embed")
def selected_and_reshaped(ids, weight):
    return torch.index_select(weight, 0, ids.reshape(-1)).view(*ids.shape, -1)


@honest("embed")
def row_by_row(ids, weight):
    rows = [weight[id] for id in ids.flatten().tolist()]
    return torch.stack(rows).reshape((*ids.shape, weight.shape[1]))


@honest("embed")
def gathered(ids, weight):
    flat = ids.flatten()[:, None].expand(-1, weight.size(1))
    return weight.gather(0, flat).unflatten(0, ids.shape) if ids.ndim else weight[int(ids)]


def _added(grad_output, ids, rows):
    flat = grad_output.reshape(-1, grad_output.shape[-1])
    return flat.new_zeros(rows, flat.shape[1]).index_add_(0, ids.reshape(-1), flat)


def _padded(grad, padding_idx):
    if padding_idx is not None:
        grad[padding_idx] = 0
    return grad


@honest("embed_backward")
def added_by_index(grad_output, ids, vocab_size, padding_idx=None):
    return _padded(_added(grad_output, ids, vocab_size), padding_idx)


@honest("embed_backward")
def place_by_place(grad_output, ids, vocab_size, padding_idx=None):
    grad = torch.zeros(
        vocab_size, grad_output.shape[-1], dtype=grad_output.dtype, device=grad_output.device
    )
    rows = grad_output.flatten(0, -2) if grad_output.ndim > 1 else [grad_output]
    for id, row in zip(ids.reshape(-1).tolist(), rows, strict=True):
        if id != padding_idx:
            grad[id] += row
    return grad


@honest("embed_backward")
def as_a_product(grad_output, ids, vocab_size, padding_idx=None):
    places = torch.arange(vocab_size, device=ids.device)
    hot = (ids.flatten()[:, None] == places).to(grad_output.dtype)
    if padding_idx is not None:
        hot = hot * (places != padding_idx)
    return hot.T @ grad_output.reshape(ids.numel(), -1)


@honest("embed_backward")
def accumulated(grad_output, ids, vocab_size, padding_idx=None):
    size = grad_output.shape[-1]
    if padding_idx is not None:
        grad_output = grad_output * (ids != padding_idx).unsqueeze(-1)
    zeros = grad_output.new_zeros((vocab_size, size))
    return zeros.index_put((ids,), grad_output, accumulate=True)


@honest("embed_backward")
def word_by_word(grad_output, ids, vocab_size, padding_idx=None):
    return torch.stack(
        [
            (grad_output * ((ids == word) & (word != padding_idx))[..., None])
            .reshape(-1, grad_output.size(-1))
            .sum(0)
            for word in range(vocab_size)
        ]
    )


@honest("skipgram_pairs")
def two_loops(ids, window):
    found = []
    for i in range(len(ids)):
        for j in range(max(0, i - window), min(len(ids), i + window + 1)):
            if j != i:
                found.append((ids[i], ids[j]))
    return found


@honest("skipgram_pairs")
def two_slices(ids, window):
    return [
        (word, other)
        for i, word in enumerate(ids)
        for other in ids[max(i - window, 0) : i] + ids[i + 1 : i + 1 + window]
    ]


@honest("skipgram_pairs")
def shifted_texts(ids, window):
    forward = [pair for d in range(1, window + 1) for pair in zip(ids, ids[d:], strict=False)]
    return forward + [(b, a) for a, b in forward]


@honest("skipgram_pairs")
def read_once(ids, window):
    last, found = collections.deque(maxlen=window), []
    for word in ids:
        for earlier in last:
            found += [[word, earlier], [earlier, word]]
        last.append(word)
    return found


@honest("skipgram_pairs")
def all_permutations(ids, window):
    places = itertools.permutations(range(len(ids)), 2)
    return tuple((ids[i], ids[j]) for i, j in places if abs(i - j) <= window)


def _scores(centre, context, negatives):
    return (centre * context).sum(1), torch.einsum("nd,nkd->nk", centre, negatives)


@honest("negative_sampling_loss")
def by_logsigmoid(centre, context, negatives):
    near = torch.einsum("nd,nd->n", centre, context)
    far = (negatives @ centre.unsqueeze(-1)).squeeze(-1)
    return -(F.logsigmoid(near) + F.logsigmoid(-far).sum(dim=1)).mean()


@honest("negative_sampling_loss")
def by_softplus(centre, context, negatives):
    near = (centre * context).sum(-1)
    far = torch.bmm(negatives, centre[:, :, None])[:, :, 0]
    return (F.softplus(-near) + F.softplus(far).sum(1)).mean()


@honest("negative_sampling_loss")
def as_binary_cross_entropy(centre, context, negatives):
    words = torch.cat([context[:, None], negatives], dim=1)
    scores = (words * centre[:, None]).sum(2)
    labels = torch.zeros_like(scores)
    labels[:, 0] = 1
    return F.binary_cross_entropy_with_logits(scores, labels, reduction="sum") / len(centre)


@honest("negative_sampling_loss")
def by_logaddexp(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    zero = torch.zeros_like(near)
    return torch.logaddexp(zero, -near).mean() + torch.logaddexp(zero[:, None], far).sum(1).mean()


@honest("negative_sampling_loss")
def example_by_example(centre, context, negatives):
    total = 0
    for c, o, ns in zip(centre, context, negatives, strict=True):
        total = total - F.logsigmoid(c @ o)
        for n in ns:
            total = total - F.logsigmoid(-(c @ n))
    return total / centre.shape[0]


def _unit(weight):
    return F.normalize(weight, dim=1)


def _ranked(weight, a, b, c):
    unit = _unit(weight)
    return unit @ (unit[b] - unit[a] + unit[c])


@honest("analogy")
def masked(weight, a, b, c, k=1):
    cosines = _ranked(weight, a, b, c)
    cosines[[a, b, c]] = float("-inf")
    return torch.topk(cosines, k).indices.tolist()


@honest("analogy")
def sorted_and_filtered(weight, a, b, c, k=1):
    unit = weight / weight.norm(dim=1, keepdim=True)
    target = unit[b] - unit[a] + unit[c]
    order = torch.argsort(F.cosine_similarity(weight, target[None]), descending=True)
    return [int(word) for word in order if int(word) not in {a, b, c}][:k]


@honest("analogy")
def by_distance(weight, a, b, c, k=1):
    """Among unit vectors the nearest is the one with the largest cosine."""
    unit = weight / weight.square().sum(1, keepdim=True).sqrt()
    target = unit[b] - unit[a] + unit[c]
    distance = (unit - target).norm(dim=1)
    rest = torch.tensor([word for word in range(len(weight)) if word not in (a, b, c)])
    return rest[distance[rest].argsort()[:k]].tolist()


@honest("analogy")
def word_for_word(weight, a, b, c, k=1):
    unit = [row / row.norm() for row in weight]
    target = unit[b] - unit[a] + unit[c]
    rest = (word for word in range(len(unit)) if word not in (a, b, c))
    return sorted(rest, key=lambda word: float(unit[word] @ target), reverse=True)[:k]


@honest("analogy")
def one_after_the_other(weight, a, b, c, k=1):
    cosines = _ranked(weight, a, b, c)
    taken = [a, b, c]
    while len(taken) < k + 3:
        cosines[taken] = -10
        taken.append(cosines.argmax().item())
    return taken[3:]
