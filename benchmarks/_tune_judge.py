"""The held-out loss of any adapter, by one and the same arithmetic.

    python _tune_judge.py BASE ROWS.jsonl ADAPTER [ADAPTER ...]

transformers reads the base in 32 bits, PEFT puts the adapter on it, and every row is read by itself, without
padding. The loss is the mean cross-entropy, in nats, over the assistant's words and the token that ends them.
`-` for an adapter is the base alone. The last line is one JSON object: adapter -> loss.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import _tune_rows as texts


def main() -> None:
    """Print the loss of every adapter."""
    torch: Any = import_module("torch")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    base, file, *adapters = sys.argv[1:]
    tokenizer: Any = import_module("transformers").AutoTokenizer.from_pretrained(base, local_files_only=True)
    rows = [texts.tokens(tokenizer, row) for row in texts.read(Path(file))]
    print(json.dumps({adapter: _loss(base, adapter, rows) for adapter in adapters}))


def _loss(base: str, adapter: str, rows: list[tuple[list[int], list[bool]]]) -> float:
    torch: Any = import_module("torch")
    load: Any = import_module("transformers").AutoModelForCausalLM.from_pretrained
    model: Any = load(base, dtype=torch.float32, local_files_only=True)
    if adapter != "-":
        model = import_module("peft").PeftModel.from_pretrained(model, adapter)
    model.eval()
    total, count = 0.0, 0
    for ids, learnt in rows:
        with torch.inference_mode():
            logits = model(torch.tensor([ids])).logits[0].float()
        at = [i - 1 for i, yes in enumerate(learnt) if yes]
        wanted = torch.tensor([ids[i + 1] for i in at])
        total += float(torch.nn.functional.cross_entropy(logits[at], wanted, reduction="sum"))
        count += len(at)
    return total / count


if __name__ == "__main__":
    main()
