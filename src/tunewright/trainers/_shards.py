"""Weights, gradients and moments over the processes (FSDP: Zhao and others, 2023, arXiv:2304.11277)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from tunewright.errors import Refused
from tunewright.network import Network


def spread(net: Network, size: int) -> None:
    """Leave each process its part of every parameter; a layer's weights are put together while it is read.

    From here on the model is called with what is to be read (`model(read)` gives `read()`), so that
    embeddings, norms and the head are together while it is.
    """
    fsdp: Any = import_module("torch.distributed.fsdp")
    if not hasattr(getattr(fsdp, "FSDPModule", None), "set_force_sum_reduction_for_comms"):
        raise Refused("shard needs a newer torch than is installed", hint="pip install --upgrade torch")
    layers = getattr(net.decoder, "layers", None)
    if not isinstance(layers, nn.ModuleList):
        raise Refused(f"{type(net.model).__name__} has no layers to shard", hint="leave shard out")
    place = net.model.get_input_embeddings().weight.device.type
    mesh: Any = import_module("torch.distributed.device_mesh").init_device_mesh(place, (size,))
    for module in (*layers, net.model):
        fsdp.fully_shard(module, mesh=mesh, reshard_after_forward=True)
    for module in (*layers, net.model):
        module.set_gradient_divide_factor(1.0)  # the loss is already divided by the weight of the whole batch
        module.set_force_sum_reduction_for_comms(True)  # Gloo knows no average and no factor
    net.model.forward = _read


def _read(read: Callable[[], Tensor]) -> Tensor:
    return read()


def whole(tensors: Mapping[str, Tensor], first: bool) -> dict[str, Tensor]:
    """Every tensor put together, in the memory of the first process; the others get none. All have to ask."""
    together = dict[str, Tensor]()
    for key, value in tensors.items():
        full = value.full_tensor().cpu() if hasattr(value, "full_tensor") else value
        if first:
            together[key] = full
    return together


def part(full: Tensor, like: Tensor) -> Tensor:
    """This process's part of a tensor that every process has as a whole."""
    spread_out: Any = like
    if not hasattr(like, "device_mesh") or hasattr(full, "device_mesh"):
        return full.to(like.device)
    tensors: Any = import_module("torch.distributed.tensor")
    made = tensors.distribute_tensor(
        full.to(like.device), spread_out.device_mesh, spread_out.placements, src_data_rank=None
    )
    assert isinstance(made, Tensor)
    return made


def number(value: Tensor) -> float:
    """A number of which every process has a part."""
    value = value.detach()
    return float(value.full_tensor() if hasattr(value, "full_tensor") else value)


def plain(model: Any) -> dict[str, Tensor]:
    """Parameters and lasting buffers by name, tied ones once."""
    named = {name for name, _ in (*model.named_parameters(), *model.named_buffers())}
    return {name: value for name, value in model.state_dict().items() if name in named}
