"""Writes Qwen2.5-3B with random weights as GGUF and quantises it with llama.cpp's own quantiser.

    python random_gguf.py --out FOLDER [--layers 36]

Makes FOLDER/q4_0.gguf and FOLDER/q4_k_m.gguf by way of a 6.2 GB file in half precision, which is removed again, and
prints their paths as JSON.
Speed doesn't depend on the values of weights.
"""

import argparse
import ctypes
import json
import os
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

WIDTH, INNER, LAYERS, HEADS, KEY_VALUE_HEADS, VOCABULARY = 2048, 11008, 36, 16, 2, 151936
QUANTISED = {"q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0, "q4_k_m": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M}


def tensors(layers):
    """Name and shape of every tensor, in llama.cpp's names."""
    shared = WIDTH // HEADS * KEY_VALUE_HEADS
    yield "token_embd.weight", (VOCABULARY, WIDTH)
    yield "output_norm.weight", (WIDTH,)
    for layer in range(layers):
        for name, shape in {
            "attn_norm.weight": (WIDTH,),
            "attn_q.weight": (WIDTH, WIDTH),
            "attn_q.bias": (WIDTH,),
            "attn_k.weight": (shared, WIDTH),
            "attn_k.bias": (shared,),
            "attn_v.weight": (shared, WIDTH),
            "attn_v.bias": (shared,),
            "attn_output.weight": (WIDTH, WIDTH),
            "ffn_norm.weight": (WIDTH,),
            "ffn_gate.weight": (INNER, WIDTH),
            "ffn_up.weight": (INNER, WIDTH),
            "ffn_down.weight": (WIDTH, INNER),
        }.items():
            yield f"blk.{layer}.{name}", shape


def describe(writer, layers):
    writer.add_context_length(32768)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(layers)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_VALUE_HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    # Token ids go in and out: no text, no tokenizer.
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(VOCABULARY)


def values(generator, name, shape):
    if len(shape) == 2:
        return generator.uniform(-0.03, 0.03, shape).astype(np.float16)
    return np.full(shape, 1.0 if "norm" in name else 0.0, np.float32)


def write_half_precision(path, layers):
    writer = gguf.GGUFWriter(path, "qwen2")
    describe(writer, layers)
    shapes = dict(tensors(layers))
    for name, shape in shapes.items():
        kind = np.dtype(np.float16 if len(shape) == 2 else np.float32)
        writer.add_tensor_info(name, shape, kind, int(np.prod(shape)) * kind.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    generator = np.random.default_rng(1)
    cache = {}
    for name, shape in shapes.items():
        # Layers are alike: drawing each anew would take longer than all the rest.
        key = (shape, "norm" in name)
        cache.setdefault(key, values(generator, name, shape))
        writer.write_tensor_data(cache[key])
    writer.close()


@llama_cpp.llama_log_callback
def say_nothing(_level, _text, _data):
    """The library explains itself on stderr at length."""


def quantise(source, target, kind, threads):
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = kind
    settings.nthread = threads
    if llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(settings)) != 0:
        raise RuntimeError(f"{source} can't be quantised to {target}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    llama_cpp.llama_log_set(say_nothing, ctypes.c_void_p(0))
    half = options.out / "f16.gguf"
    write_half_precision(half, options.layers)
    files = {name: options.out / f"{name}.gguf" for name in QUANTISED}
    for name, path in files.items():
        quantise(half, path, QUANTISED[name], options.threads)
    half.unlink()
    print(json.dumps({"files": [str(path) for path in files.values()]}))


main()
