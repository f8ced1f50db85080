"""BERT as a sentence encoder in plain torch: the fast path of the embedder.

This file saves the 8 to 13 CPU-seconds that importing sentence-transformers takes beyond torch. On
one thread its prepacked, fused layers read 1.1 times the tokens per CPU-second in float32, and 1.8
times in bfloat16; see LOG.md. Weights and results are those of `transformers.BertModel`.

Source: Devlin et al., BERT (2018); Reimers and Gurevych, Sentence-BERT (2019).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows it by
from safetensors.torch import load_file
from torch import Tensor

from moodswarm.models.errors import ModelUnreadable


class Linear:
    """A linear layer; on a CPU, its weights are packed once into the layout that oneDNN uses."""

    def __init__(self, weight: Tensor, bias: Tensor, *, packed: bool) -> None:
        self._bias = bias
        self._packed = packed
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight) if packed else weight

    def __call__(self, x: Tensor) -> Tensor:
        """Map [..., in] to [..., out]."""
        return self._fused(x, "none") if self._packed else F.linear(x, self._weight, self._bias)

    def gelu(self, x: Tensor) -> Tensor:
        """Apply the layer, then the exact (erf) GELU."""
        if self._packed:
            return self._fused(x, "gelu")
        return F.gelu(F.linear(x, self._weight, self._bias))

    def add(self, x: Tensor, other: Tensor) -> Tensor:
        """Apply the layer, then add `other`."""
        if not self._packed:
            return F.linear(x, self._weight, self._bias) + other
        fused = torch.ops.mkldnn._linear_pointwise.binary
        result: Tensor = fused(x, other, self._weight, self._bias, "add")
        return result

    def _fused(self, x: Tensor, after: str) -> Tensor:
        fused = torch.ops.mkldnn._linear_pointwise
        result: Tensor = fused(x, self._weight, self._bias, after, [], "none")
        return result


class LayerNorm:
    """Layer normalisation over the last axis."""

    def __init__(self, weight: Tensor, bias: Tensor, eps: float) -> None:
        self._weight, self._bias, self._eps = weight, bias, eps

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise [..., width]; the shape stays the same."""
        return F.layer_norm(x, self._weight.shape, self._weight, self._bias, self._eps)


class Weights:
    """The tensors of a checkpoint by name, converted to one type on one device."""

    def __init__(self, path: Path, dtype: torch.dtype, device: torch.device, eps: float) -> None:
        self._file = path / "model.safetensors"
        self._tensors = load_file(self._file)
        self._dtype, self._device, self._eps = dtype, device, eps
        self._packed = device.type == "cpu" and can_pack(dtype)

    def full(self, name: str) -> Tensor:
        """Return a tensor in float32."""
        if name not in self._tensors:
            raise ModelUnreadable(
                f"{self._file} has no tensor {name}, though config.json describes a BERT model. "
                "Download or save the checkpoint again."
            )
        return self._tensors[name].to(self._device, torch.float32)

    def norm(self, name: str) -> LayerNorm:
        """Return the layer normalisation with this name."""
        weight, bias = self._pair(name)
        return LayerNorm(weight, bias, self._eps)

    def linear(self, *names: str) -> Linear:
        """Return the linear layers with these names as one, whose outputs are side by side."""
        weights, biases = zip(*(self._pair(name) for name in names), strict=True)
        return Linear(torch.cat(weights), torch.cat(biases), packed=self._packed)

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        weight, bias = self.full(f"{name}.weight"), self.full(f"{name}.bias")
        return weight.to(self._dtype), bias.to(self._dtype)


class Layer:
    """Self-attention and feed-forward, each with its residual connection and normalisation."""

    def __init__(self, weights: Weights, index: int, heads: int) -> None:
        name = f"encoder.layer.{index}"
        inside = f"{name}.attention.self"
        self._heads = heads
        self._query_key_value = weights.linear(
            f"{inside}.query", f"{inside}.key", f"{inside}.value"
        )
        self._attended = weights.linear(f"{name}.attention.output.dense")
        self._attended_norm = weights.norm(f"{name}.attention.output.LayerNorm")
        self._up = weights.linear(f"{name}.intermediate.dense")
        self._down = weights.linear(f"{name}.output.dense")
        self._output_norm = weights.norm(f"{name}.output.LayerNorm")

    def __call__(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Transform [texts, tokens, width]; the shape stays the same."""
        texts, tokens, width = x.shape
        split = self._query_key_value(x).view(texts, tokens, 3, self._heads, width // self._heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        joined = attended.transpose(1, 2).reshape(texts, tokens, width)
        x = self._attended_norm(self._attended.add(joined, x))
        return self._output_norm(self._down.add(self._up.gelu(x), x))


class BertEncoder:
    """Embeds token ids with a BERT checkpoint.

    Args:
        path: Folder with `model.safetensors`.
        config: The contents of its `config.json`.
        pooling: `mean` or `cls`.
        dtype: Type of the weights and activations of the layers. Token embeddings are looked up
            and summed in float32, and vectors are pooled in float32.
        device: Device to run on.
    """

    def __init__(
        self,
        path: Path,
        config: Mapping[str, Any],
        *,
        pooling: str,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        weights = Weights(path, dtype, device, float(config["layer_norm_eps"]))
        self._dtype, self._device, self._pooling = dtype, device, pooling
        self._words = weights.full("embeddings.word_embeddings.weight")
        # All tokens have type 0, so that type's embedding is added to the positions once, here.
        self._positions = (
            weights.full("embeddings.position_embeddings.weight")
            + weights.full("embeddings.token_type_embeddings.weight")[0]
        )
        self._norm = weights.norm("embeddings.LayerNorm")
        self._layers = [
            Layer(weights, index, int(config["num_attention_heads"]))
            for index in range(int(config["num_hidden_layers"]))
        ]

    @torch.inference_mode()
    def __call__(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Embed a padded batch.

        Args:
            ids: int64 [texts, tokens], special tokens included; padding may be any id.
            lengths: int64 [texts], the number of tokens that are not padding.

        Returns:
            float32 [texts, dim] on the CPU; rows have unit L2 norm.
        """
        ids, lengths = ids.to(self._device), lengths.to(self._device)
        tokens = ids.shape[1]
        real = torch.arange(tokens, device=self._device) < lengths[:, None]
        mask = None
        if not bool(real.all()):
            mask = torch.zeros(real.shape, dtype=self._dtype, device=self._device)
            mask = mask.masked_fill(~real, float("-inf"))[:, None, None]
        x = F.embedding(ids, self._words) + self._positions[:tokens]
        x = self._norm(x.to(self._dtype))
        for layer in self._layers:
            x = layer(x, mask)
        return F.normalize(self._pool(x.float(), real), dim=1).cpu()

    def _pool(self, x: Tensor, real: Tensor) -> Tensor:
        if self._pooling == "cls":
            return x[:, 0]
        return (x * real[..., None]).sum(1) / real.sum(1, keepdim=True)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether the processor multiplies bfloat16 faster than float32, not just at all."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return can_pack(torch.bfloat16) and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def can_pack(dtype: torch.dtype) -> bool:
    """Return whether layers of this type can be packed for oneDNN on this machine."""
    # These are the fused layers that torch.compile generates. Their names are private, so plain
    # layers take over if the names are missing.
    names = ("_reorder_linear_weight", "_linear_pointwise")
    if not (torch._C._has_mkldnn and all(hasattr(torch.ops.mkldnn, name) for name in names)):
        return False
    # Without AVX-512, oneDNN refuses to pack bfloat16; plain layers can still compute with it.
    return dtype != torch.bfloat16 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
