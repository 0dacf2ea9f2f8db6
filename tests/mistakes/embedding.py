"""Known mistakes in the exercises of `rnncourse.embedding`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import collections
import itertools

import torch
import torch.nn.functional as F

from . import honest, mistake

# ------------------------------------------------------------------ one_hot: mistakes


@mistake(
    "one_hot",
    "not_of_floats",
    "The numbers are right, but not of torch's default dtype; F.one_hot and == do not give floats.",
)
def not_of_floats(ids, vocab_size):
    return F.one_hot(ids, vocab_size)


@mistake(
    "one_hot",
    "counted_from_one",
    "The 1 stands one place too early: ids are counted from 0, so id 0 has it in the first place.",
)
def counted_from_one(ids, vocab_size):
    return torch.eye(vocab_size)[ids - 1]


@mistake(
    "one_hot",
    "one_place_late",
    "The 1 stands one place too late: id 0 has it in the first place.",
)
def one_place_late(ids, vocab_size):
    return torch.eye(vocab_size)[ids + 1]


@mistake(
    "one_hot",
    "size_from_the_ids",
    "The vectors are as long as the largest id here asks for; they must have vocab_size numbers.",
)
def size_from_the_ids(ids, vocab_size):
    return torch.eye(int(ids.max()) + 1)[ids]


@mistake(
    "one_hot",
    "vocabulary_first",
    "The axis of length V comes first; it is the last one, behind the axes of ids.",
)
def vocabulary_first(ids, vocab_size):
    return torch.eye(vocab_size)[:, ids]


@mistake(
    "one_hot",
    "flattened",
    "The shape of ids is lost: ids of shape (N, T) give (N, T, V).",
)
def flattened(ids, vocab_size):
    return torch.eye(vocab_size)[ids.flatten()]


@mistake(
    "one_hot",
    "bag_of_words",
    "The words of a text are added up in one vector; each id has a vector of its own.",
)
def bag_of_words(ids, vocab_size):
    return torch.eye(vocab_size)[ids].sum(-2)


@mistake(
    "one_hot",
    "id_written",
    "The id itself stands in its place; there belongs a 1.",
)
def id_written(ids, vocab_size):
    return torch.eye(vocab_size)[ids] * ids[..., None]


@mistake(
    "one_hot",
    "ones_and_zeros_swapped",
    "Zeros and ones change places: 1 at the id's place, 0 elsewhere.",
)
def ones_and_zeros_swapped(ids, vocab_size):
    return 1 - torch.eye(vocab_size)[ids]


@mistake(
    "one_hot",
    "ones_up_to_the_id",
    "There are ones up to the id's place; there must be a single one.",
)
def ones_up_to_the_id(ids, vocab_size):
    return torch.ones(vocab_size, vocab_size).tril()[ids]


# ------------------------------------------------------------------ one_hot: other styles


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


# ------------------------------------------------------------------ embed: mistakes


@mistake(
    "embed",
    "row_before",
    "Each id gets the row before its own: rows are counted from 0, as ids are.",
)
def row_before(ids, weight):
    return weight[ids - 1]


@mistake(
    "embed",
    "row_after",
    "Each id gets the row after its own: rows are counted from 0, as ids are.",
)
def row_after(ids, weight):
    return weight[ids + 1]


@mistake(
    "embed",
    "shape_of_ids_lost",
    "The vectors are right, but the shape of ids is lost: ids (N, T) give (N, T, D).",
)
def shape_of_ids_lost(ids, weight):
    return weight[ids.flatten()]


@mistake(
    "embed",
    "axes_of_ids_swapped",
    "The first two axes change places: ids (N, T) give (N, T, D), not (T, N, D).",
)
def axes_of_ids_swapped(ids, weight):
    return weight[ids.movedim(0, -1) if ids.ndim else ids]


@mistake(
    "embed",
    "id_0_as_padding",
    "The vector of id 0 is zero. Word 0 is a word: its row is taken like any other.",
)
def id_0_as_padding(ids, weight):
    return weight[ids] * (ids != 0)[..., None]


@mistake(
    "embed",
    "vectors_added_up",
    "The vectors of a text are added up; each id keeps a vector of its own.",
)
def vectors_added_up(ids, weight):
    return weight[ids].sum(-2)


@mistake(
    "embed",
    "vectors_averaged",
    "The vectors of a text are averaged; each id keeps a vector of its own.",
)
def vectors_averaged(ids, weight):
    return weight[ids].mean(-2)


@mistake(
    "embed",
    "scaled_by_the_root",
    "The vectors are multiplied by the root of D, as in a transformer; here they stay as they are.",
)
def scaled_by_the_root(ids, weight):
    return weight[ids] * weight.shape[1] ** 0.5


@mistake(
    "embed",
    "brought_to_unit_length",
    "The vectors are brought to unit length; here they stay as they are.",
)
def brought_to_unit_length(ids, weight):
    return F.normalize(weight, dim=1)[ids]


@mistake(
    "embed",
    "id_0_detached",
    "The numbers are right, but no gradient reaches row 0: without padding_idx word 0 learns, too.",
)
def id_0_detached(ids, weight):
    rows = weight[ids]
    return torch.where((ids == 0)[..., None], rows.detach(), rows)


# ------------------------------------------------------------------ embed: other styles


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


# ------------------------------------------------------------------ embed_backward: mistakes


def _added(grad_output, ids, rows):
    flat = grad_output.reshape(-1, grad_output.shape[-1])
    return flat.new_zeros(rows, flat.shape[1]).index_add_(0, ids.reshape(-1), flat)


def _padded(grad, padding_idx):
    if padding_idx is not None:
        grad[padding_idx] = 0
    return grad


@mistake(
    "embed_backward",
    "last_one_wins",
    "A word that occurs twice gets one gradient only: grad[ids] += overwrites. Add all up.",
)
def last_one_wins(grad_output, ids, vocab_size, padding_idx=None):
    grad = grad_output.new_zeros(vocab_size, grad_output.shape[-1])
    flat = grad_output.reshape(-1, grad_output.shape[-1])
    for id, row in zip(ids.flatten().tolist(), flat, strict=True):
        grad[id] = row
    return _padded(grad, padding_idx)


@mistake(
    "embed_backward",
    "averaged",
    "The gradients of a word that occurs twice are averaged; they add up.",
)
def averaged(grad_output, ids, vocab_size, padding_idx=None):
    counts = ids.flatten().bincount(minlength=vocab_size).clamp(min=1)[:, None]
    return _padded(_added(grad_output, ids, vocab_size) / counts, padding_idx)


@mistake(
    "embed_backward",
    "occurrences_counted",
    "Each row counts how often its word occurs; it adds up the gradients of those places.",
)
def occurrences_counted(grad_output, ids, vocab_size, padding_idx=None):
    return _padded(_added(torch.ones_like(grad_output), ids, vocab_size), padding_idx)


@mistake(
    "embed_backward",
    "all_gradients_to_each",
    "Each word that occurs gets the gradients of all places; it gets those of its own places.",
)
def all_gradients_to_each(grad_output, ids, vocab_size, padding_idx=None):
    total = grad_output.reshape(-1, grad_output.shape[-1]).sum(0)
    occurs = ids.flatten().bincount(minlength=vocab_size) > 0
    return _padded(total * occurs[:, None], padding_idx)


@mistake(
    "embed_backward",
    "rows_from_the_ids",
    "There are as many rows as the largest id here asks for; there must be vocab_size.",
)
def rows_from_the_ids(grad_output, ids, vocab_size, padding_idx=None):
    return _padded(_added(grad_output, ids, int(ids.max()) + 1), padding_idx)


@mistake(
    "embed_backward",
    "transposed",
    "The gradient is (D, V); it has the shape of the weight, (V, D).",
)
def transposed(grad_output, ids, vocab_size, padding_idx=None):
    return _padded(_added(grad_output, ids, vocab_size), padding_idx).T


@mistake(
    "embed_backward",
    "rows_before",
    "Each gradient lands in the row before its word's: rows are counted from 0, as ids are.",
)
def rows_before(grad_output, ids, vocab_size, padding_idx=None):
    return _padded(_added(grad_output, (ids - 1) % vocab_size, vocab_size), padding_idx)


@mistake(
    "embed_backward",
    "gradients_left_where_they_are",
    "The gradients stay where they are; add each into the row of its word.",
)
def gradients_left_where_they_are(grad_output, ids, vocab_size, padding_idx=None):
    return grad_output


@mistake(
    "embed_backward",
    "all_cleared_without_padding",
    "Without padding every row is zero: grad[None] means all of grad. Ask for None first.",
)
def all_cleared_without_padding(grad_output, ids, vocab_size, padding_idx=None):
    grad = _added(grad_output, ids, vocab_size)
    grad[padding_idx] = 0
    return grad


@mistake(
    "embed_backward",
    "none_taken_for_0",
    "Row 0 is zero without padding: None means that every word learns, 0 that word 0 does not.",
)
def none_taken_for_0(grad_output, ids, vocab_size, padding_idx=None):
    return _padded(_added(grad_output, ids, vocab_size), padding_idx or 0)


@mistake(
    "embed_backward",
    "zero_taken_for_none",
    "padding_idx 0 is not heeded: 0 counts as False, so ask `is not None`.",
)
def zero_taken_for_none(grad_output, ids, vocab_size, padding_idx=None):
    return _padded(_added(grad_output, ids, vocab_size), padding_idx or None)


@mistake(
    "embed_backward",
    "padding_not_heeded",
    "padding_idx is not used: the row of that word must be zero.",
)
def padding_not_heeded(grad_output, ids, vocab_size, padding_idx=None):
    return _added(grad_output, ids, vocab_size)


@mistake(
    "embed_backward",
    "cleared_up_to_the_padding",
    "All rows up to padding_idx are zero; only that one row is.",
)
def cleared_up_to_the_padding(grad_output, ids, vocab_size, padding_idx=None):
    grad = _added(grad_output, ids, vocab_size)
    if padding_idx is not None:
        grad[: padding_idx + 1] = 0
    return grad


@mistake(
    "embed_backward",
    "only_the_padding_learns",
    "With padding_idx every other row is zero; it is the other way about.",
)
def only_the_padding_learns(grad_output, ids, vocab_size, padding_idx=None):
    grad = _added(grad_output, ids, vocab_size)
    if padding_idx is not None:
        grad[torch.arange(vocab_size) != padding_idx] = 0
    return grad


# ------------------------------------------------------------------ embed_backward: other styles


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


# ------------------------------------------------------------------ skipgram_pairs: mistakes


def _where(ids, window, wanted):
    places = range(len(ids))
    return [
        (ids[i], ids[j]) for i in places for j in places if abs(i - j) <= window and wanted(i, j)
    ]


@mistake(
    "skipgram_pairs",
    "same_word_left_out",
    "A neighbour that is the same word is left out; only the position itself is no neighbour.",
)
def same_word_left_out(ids, window):
    return _where(ids, window, lambda i, j: ids[i] != ids[j])


@mistake(
    "skipgram_pairs",
    "own_neighbour",
    "Each position is paired with itself, too; a position is no neighbour of itself.",
)
def own_neighbour(ids, window):
    return _where(ids, window, lambda i, j: True)


@mistake(
    "skipgram_pairs",
    "one_side_only",
    "Neighbours are taken on one side only; the window reaches to the left and to the right.",
)
def one_side_only(ids, window):
    return _where(ids, window, lambda i, j: i < j)


@mistake(
    "skipgram_pairs",
    "right_side_short",
    "The right side is one word short: range and slices end before their end.",
)
def right_side_short(ids, window):
    return _where(ids, window, lambda i, j: i != j and j - i < window)


@mistake(
    "skipgram_pairs",
    "window_short",
    "Both sides are one word short: a neighbour may be exactly `window` words away.",
)
def window_short(ids, window):
    return _where(ids, window - 1, lambda i, j: i != j)


@mistake(
    "skipgram_pairs",
    "window_too_long",
    "Both sides are one word too long: a neighbour is at most `window` words away.",
)
def window_too_long(ids, window):
    return _where(ids, window + 1, lambda i, j: i != j)


@mistake(
    "skipgram_pairs",
    "only_the_furthest",
    "Only the words exactly `window` away are paired; all nearer ones are neighbours, too.",
)
def only_the_furthest(ids, window):
    return _where(ids, window, lambda i, j: abs(i - j) == window)


@mistake(
    "skipgram_pairs",
    "positions_paired",
    "The pairs hold positions; they hold the ids that stand there.",
)
def positions_paired(ids, window):
    return _where(range(len(ids)), window, lambda i, j: i != j)


@mistake(
    "skipgram_pairs",
    "around_the_ends",
    "The first words have the last ones as neighbours: a negative index counts from the end.",
)
def around_the_ends(ids, window):
    reach = [d for d in range(-window, window + 1) if d]
    return [(ids[i], ids[i + d]) for i in range(len(ids)) for d in reach if i + d < len(ids)]


@mistake(
    "skipgram_pairs",
    "left_side_lost_at_the_start",
    "The first words lack neighbours on their left: a slice from a negative start is empty there.",
)
def left_side_lost_at_the_start(ids, window):
    return _where(ids, window, lambda i, j: i < j or (j < i and i >= window))


@mistake(
    "skipgram_pairs",
    "only_whole_windows",
    "Words near the ends of the text are no centres; they are, with the neighbours that they have.",
)
def only_whole_windows(ids, window):
    return _where(ids, window, lambda i, j: i != j and window <= i < len(ids) - window)


@mistake(
    "skipgram_pairs",
    "each_pair_once",
    "A pair that occurs several times is there once; it belongs into the list each time.",
)
def each_pair_once(ids, window):
    return sorted(set(_where(ids, window, lambda i, j: i != j)))


# ------------------------------------------------------------------ skipgram_pairs: other styles


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


# ----------------------------------------------------------- negative_sampling_loss: mistakes


def _scores(centre, context, negatives):
    return (centre * context).sum(1), torch.einsum("nd,nkd->nk", centre, negatives)


def _loss(near, far):
    return -(F.logsigmoid(near) + F.logsigmoid(-far).sum(1)).mean()


@mistake(
    "negative_sampling_loss",
    "minus_forgotten",
    "The loss has the wrong sign: a minus stands in front of the mean.",
)
def minus_forgotten(centre, context, negatives):
    return -_loss(*_scores(centre, context, negatives))


@mistake(
    "negative_sampling_loss",
    "negatives_drawn_near",
    "The negatives' scores lack their minus: it is log sigmoid(- c . n).",
)
def negatives_drawn_near(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return _loss(near, -far)


@mistake(
    "negative_sampling_loss",
    "signs_swapped",
    "Neighbours are pushed away and negatives drawn near: the minus belongs to the negatives.",
)
def signs_swapped(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return _loss(-near, -far)


@mistake(
    "negative_sampling_loss",
    "mean_over_the_negatives",
    "The K negatives are averaged; their terms add up, only N is averaged.",
)
def mean_over_the_negatives(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return -(F.logsigmoid(near) + F.logsigmoid(-far).mean(1)).mean()


@mistake(
    "negative_sampling_loss",
    "sum_over_the_batch",
    "The N examples are added up; the loss is their mean.",
)
def sum_over_the_batch(centre, context, negatives):
    return _loss(*_scores(centre, context, negatives)) * len(centre)


@mistake(
    "negative_sampling_loss",
    "mean_over_all_terms",
    "The mean is over all 1 + K terms of the batch; the terms of an example add up.",
)
def mean_over_all_terms(centre, context, negatives):
    return _loss(*_scores(centre, context, negatives)) / (1 + negatives.shape[1])


@mistake(
    "negative_sampling_loss",
    "sigmoid_without_log",
    "The logarithm is missing: it is log sigmoid of each score.",
)
def sigmoid_without_log(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return -(near.sigmoid() + (-far).sigmoid().sum(1)).mean()


@mistake(
    "negative_sampling_loss",
    "raw_scores",
    "The scores are added as they are: each goes through log sigmoid first.",
)
def raw_scores(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return -(near - far.sum(1)).mean()


@mistake(
    "negative_sampling_loss",
    "negatives_summed_first",
    "The K scores are added up inside one sigmoid; each negative has its own log sigmoid.",
)
def negatives_summed_first(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return _loss(near, far.sum(1, keepdim=True))


@mistake(
    "negative_sampling_loss",
    "negatives_against_the_context",
    "The negatives are compared with the context; they are compared with the centre.",
)
def negatives_against_the_context(centre, context, negatives):
    near, _ = _scores(centre, context, negatives)
    return _loss(near, _scores(context, centre, negatives)[1])


@mistake(
    "negative_sampling_loss",
    "negatives_forgotten",
    "Only the neighbours count; the negatives' terms are missing.",
)
def negatives_forgotten(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return _loss(near, far[:, :0])


@mistake(
    "negative_sampling_loss",
    "neighbours_forgotten",
    "Only the negatives count; the term of the neighbour is missing.",
)
def neighbours_forgotten(centre, context, negatives):
    _, far = _scores(centre, context, negatives)
    return -F.logsigmoid(-far).sum(1).mean()


@mistake(
    "negative_sampling_loss",
    "one_negative_only",
    "Only the first negative of each example counts; all K do.",
)
def one_negative_only(centre, context, negatives):
    return _loss(*_scores(centre, context, negatives[:, :1]))


@mistake(
    "negative_sampling_loss",
    "cosines",
    "The scores are cosines; they are plain dot products of the vectors as they are.",
)
def cosines(centre, context, negatives):
    return _loss(*_scores(*(F.normalize(v, dim=-1) for v in (centre, context, negatives))))


@mistake(
    "negative_sampling_loss",
    "mean_over_dimensions",
    "A score is the mean of D products; a dot product is their sum.",
)
def mean_over_dimensions(centre, context, negatives):
    return _loss(*_scores(centre / centre.shape[1], context, negatives))


@mistake(
    "negative_sampling_loss",
    "not_averaged",
    "There is a loss for each example; the result is their mean, a single number.",
)
def not_averaged(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return -(F.logsigmoid(near) + F.logsigmoid(-far).sum(1))


@mistake(
    "negative_sampling_loss",
    "log_of_sigmoid",
    "At large scores sigmoid is exactly 0 and its log is infinite: take F.logsigmoid, in one step.",
)
def log_of_sigmoid(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return -(near.sigmoid().log() + (1 - far.sigmoid()).log().sum(1)).mean()


@mistake(
    "negative_sampling_loss",
    "small_number_added",
    "A small number inside the log keeps it finite but wrong at large scores: take F.logsigmoid.",
)
def small_number_added(centre, context, negatives):
    near, far = _scores(centre, context, negatives)
    return -((near.sigmoid() + 1e-9).log() + ((-far).sigmoid() + 1e-9).log().sum(1)).mean()


@mistake(
    "negative_sampling_loss",
    "context_detached",
    "The numbers are right, but the neighbours are detached: they have to learn, too.",
)
def context_detached(centre, context, negatives):
    return _loss(*_scores(centre, context.detach(), negatives))


@mistake(
    "negative_sampling_loss",
    "negatives_detached",
    "The numbers are right, but the negatives are detached: they have to learn, too.",
)
def negatives_detached(centre, context, negatives):
    return _loss(*_scores(centre, context, negatives.detach()))


# ------------------------------------------------------------------ negative_sampling_loss: styles


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


# ------------------------------------------------------------------ analogy: mistakes


def _unit(weight):
    return F.normalize(weight, dim=1)


def _best(scores, left_out, k):
    ranked = scores.argsort(descending=True).tolist()
    return [word for word in ranked if word not in left_out][:k]


@mistake(
    "analogy",
    "lengths_left",
    "The arithmetic is done on rows of any length: bring every row to unit length before it.",
)
def lengths_left(weight, a, b, c, k=1):
    target = weight[b] - weight[a] + weight[c]
    return _best(_unit(weight) @ target, (a, b, c), k)


@mistake(
    "analogy",
    "never_to_unit_length",
    "The scores are dot products of raw rows: bring every row to unit length first.",
)
def never_to_unit_length(weight, a, b, c, k=1):
    target = weight[b] - weight[a] + weight[c]
    return _best(weight @ target, (a, b, c), k)


@mistake(
    "analogy",
    "candidates_not_to_unit_length",
    "a, b and c are brought to unit length, the other rows are not: long ones win.",
)
def candidates_not_to_unit_length(weight, a, b, c, k=1):
    unit = _unit(weight)
    return _best(weight @ (unit[b] - unit[a] + unit[c]), (a, b, c), k)


@mistake(
    "analogy",
    "columns_to_unit_length",
    "Columns are brought to unit length; a word is a row, so it is dim=1.",
)
def columns_to_unit_length(weight, a, b, c, k=1):
    unit = F.normalize(weight, dim=0)
    return _best(unit @ (unit[b] - unit[a] + unit[c]), (a, b, c), k)


@mistake(
    "analogy",
    "a_and_b_swapped",
    "a and b change places: the target is b - a + c.",
)
def a_and_b_swapped(weight, a, b, c, k=1):
    unit = _unit(weight)
    return _best(unit @ (unit[a] - unit[b] + unit[c]), (a, b, c), k)


@mistake(
    "analogy",
    "a_and_c_swapped",
    "c is taken away and a added: the target is b - a + c.",
)
def a_and_c_swapped(weight, a, b, c, k=1):
    unit = _unit(weight)
    return _best(unit @ (unit[b] - unit[c] + unit[a]), (a, b, c), k)


@mistake(
    "analogy",
    "c_taken_away",
    "a and c are both taken away: the target is b - a + c.",
)
def c_taken_away(weight, a, b, c, k=1):
    unit = _unit(weight)
    return _best(unit @ (unit[b] - unit[a] - unit[c]), (a, b, c), k)


@mistake(
    "analogy",
    "all_added_up",
    "a, b and c are added up: a is taken away, b - a + c.",
)
def all_added_up(weight, a, b, c, k=1):
    unit = _unit(weight)
    return _best(unit @ (unit[b] + unit[a] + unit[c]), (a, b, c), k)


def _ranked(weight, a, b, c):
    unit = _unit(weight)
    return unit @ (unit[b] - unit[a] + unit[c])


@mistake(
    "analogy",
    "nothing_left_out",
    "Words of the question are among the answers: leave out a, b and c.",
)
def nothing_left_out(weight, a, b, c, k=1):
    return _best(_ranked(weight, a, b, c), (), k)


@mistake(
    "analogy",
    "only_c_left_out",
    "Only c is left out; a and b cannot be answers either.",
)
def only_c_left_out(weight, a, b, c, k=1):
    return _best(_ranked(weight, a, b, c), (c,), k)


@mistake(
    "analogy",
    "a_not_left_out",
    "b and c are left out, a is not: it cannot be an answer either.",
)
def a_not_left_out(weight, a, b, c, k=1):
    return _best(_ranked(weight, a, b, c), (b, c), k)


@mistake(
    "analogy",
    "left_out_too_late",
    "There are fewer than k answers: leave out a, b and c before the best k are taken.",
)
def left_out_too_late(weight, a, b, c, k=1):
    best = _ranked(weight, a, b, c).argsort(descending=True)[:k].tolist()
    return [word for word in best if word not in (a, b, c)]


@mistake(
    "analogy",
    "ids_shifted",
    "The ids count only the words that are left: they must be rows of weight.",
)
def ids_shifted(weight, a, b, c, k=1):
    rest = [word for word in range(len(weight)) if word not in (a, b, c)]
    return _ranked(weight, a, b, c)[rest].argsort(descending=True)[:k].tolist()


@mistake(
    "analogy",
    "worst_first",
    "These are the words with the smallest cosine; wanted are those with the largest.",
)
def worst_first(weight, a, b, c, k=1):
    return _best(-_ranked(weight, a, b, c), (a, b, c), k)


@mistake(
    "analogy",
    "best_last",
    "The answers are right, but the best comes last; it comes first.",
)
def best_last(weight, a, b, c, k=1):
    return _best(_ranked(weight, a, b, c), (a, b, c), k)[::-1]


@mistake(
    "analogy",
    "answers_in_order_of_id",
    "The answers are right, but in the order of their ids; the best comes first.",
)
def answers_in_order_of_id(weight, a, b, c, k=1):
    return sorted(_best(_ranked(weight, a, b, c), (a, b, c), k))


@mistake(
    "analogy",
    "k_not_used",
    "There is one answer whatever k is; there must be k.",
)
def k_not_used(weight, a, b, c, k=1):
    return _best(_ranked(weight, a, b, c), (a, b, c), 1)


@mistake(
    "analogy",
    "neighbours_of_b",
    "These are the words nearest to b alone: a and c have to take part, b - a + c.",
)
def neighbours_of_b(weight, a, b, c, k=1):
    unit = _unit(weight)
    return _best(unit @ unit[b], (a, b, c), k)


# ------------------------------------------------------------------ analogy: other styles


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
