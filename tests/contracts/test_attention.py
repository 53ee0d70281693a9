"""Rows that lie end to end see themselves and what all begin with, and nothing else, either way."""

from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tunewright import network  # noqa: E402
from tunewright.network import Rows  # noqa: E402

HEADS, KEYS, WIDTH = 4, 2, 8


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(count)


def tensors(tokens: int, dtype: Any = torch.float32) -> list[Any]:
    torch.manual_seed(1)
    return [torch.randn(tokens, n, WIDTH, dtype=dtype, requires_grad=True) for n in (HEADS, KEYS, KEYS)]


def plain(prefix: int, lengths: list[int], q: Any, k: Any, v: Any) -> Any:
    """By the definition: one token after the other, one head after the other."""
    owner = torch.tensor([-1] * prefix + [i for i, n in enumerate(lengths) for _ in range(n)])
    order = torch.arange(len(owner))
    seen = ((owner[None] == owner[:, None]) | (owner[None] == -1)) & (order[None] <= order[:, None])
    outs = []
    for head in range(HEADS):
        key = head // (HEADS // KEYS)
        scores = (q[:, head] @ k[:, key].T * WIDTH**-0.5).masked_fill(~seen, float("-inf"))
        outs.append(scores.softmax(-1) @ v[:, key])
    return torch.stack(outs, 1)


@pytest.mark.parametrize(("prefix", "lengths"), [(0, [70]), (0, [65, 3, 80]), (5, [70, 70]), (5, [1, 90])])
@pytest.mark.parametrize("fused", [True, False])
def test_every_way_of_attention_is_the_definition_with_its_gradients(
    prefix: int, lengths: list[int], fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(network.LONG, torch.float32, 1 if fused else 1 << 30)
    q, k, v = tensors(prefix + sum(lengths))
    pull = torch.randn(len(q), HEADS, WIDTH)
    wanted = plain(prefix, lengths, q, k, v)
    given = Rows(prefix, lengths).attend(0, q, k, v, WIDTH**-0.5)
    torch.testing.assert_close(given, wanted, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(
        torch.autograd.grad(given, (q, k, v), pull), torch.autograd.grad(wanted, (q, k, v), pull), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_long_rows_are_read_by_the_fused_way_and_short_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = list[int]()
    own = network.Rows._fused
    monkeypatch.setattr(
        network.Rows, "_fused", lambda self, *more: taken.append(self.longest) or own(self, *more)
    )
    for length in (63, 64):
        Rows(0, [length]).attend(0, *tensors(length), WIDTH**-0.5)
    Rows(0, [128]).attend(0, *tensors(128, torch.bfloat16), WIDTH**-0.5)
    assert taken == [64]


def test_a_beginning_that_was_read_before_gives_the_same_and_keys_are_handed_over() -> None:
    prefix, lengths = 6, [64, 80]
    q, k, v = tensors(prefix + sum(lengths))
    whole = Rows(prefix, lengths).attend(0, q, k, v, WIDTH**-0.5)
    for limit in (1, 1 << 30):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(network.LONG, torch.float32, limit)
            kept: list[Any] = []
            past = [(k[:prefix].transpose(0, 1), v[:prefix].transpose(0, 1))]
            after = Rows(prefix, lengths, past, kept)
            out = after.attend(0, q[prefix:], k[prefix:], v[prefix:], WIDTH**-0.5)
        torch.testing.assert_close(out, whole[prefix:], rtol=1e-5, atol=1e-5)
        assert kept[0][0].shape == (KEYS, 2, 80, WIDTH)
        torch.testing.assert_close(kept[0][0][:, 0, :64], k[prefix : prefix + 64].transpose(0, 1))


def test_the_fused_way_keeps_no_matrix_of_scores() -> None:
    """What autograd keeps for 512 tokens: four maps of the tokens, not one number for each pair of them."""
    kept = list[int]()
    q, k, v = tensors(512)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        Rows(0, [512]).attend(0, q, k, v, WIDTH**-0.5)
    assert max(kept) < 512 * 512
